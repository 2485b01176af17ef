//! Counts in words, in messages.

/// `1 row`, `7 rows`.
pub(crate) fn row_count_text(count: impl Into<i128>) -> String {
    counted(count, "row", "rows")
}

/// `1 record`, `7 records`.
pub(crate) fn record_count_text(count: usize) -> String {
    counted(count as i128, "record", "records")
}

/// The number and the right one of two words.
pub(crate) fn counted(count: impl Into<i128>, one: &str, many: &str) -> String {
    let count = count.into();
    if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
}
