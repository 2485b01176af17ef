//! Counts in words, in messages.

/// `1 row`, `7 rows`.
pub(crate) fn row_count_text(count: impl Into<i128>) -> String {
    counted(count.into(), "row")
}

/// `1 record`, `7 records`.
pub(crate) fn record_count_text(count: usize) -> String {
    counted(count as i128, "record")
}

fn counted(count: i128, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
