//! Rows on their way into a file.
