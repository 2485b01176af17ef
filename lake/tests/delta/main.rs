//! Tables on a disk and in a bucket.

mod append;
mod maintain;
mod rows;
