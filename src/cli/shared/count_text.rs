//! The counts of most messages, in words.

use crate::count_text::counted;

/// `1 row`, `7 rows`.
pub(crate) fn row_count_text(count: impl Into<i128>) -> String {
    counted(count.into(), "row")
}

/// `1 record`, `7 records`.
pub(crate) fn record_count_text(count: usize) -> String {
    counted(count, "record")
}
