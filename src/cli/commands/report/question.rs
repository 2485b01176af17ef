//! What is asked, and how answers of the other commands are said on a page.

use crate::filter::{Clock, GlobList, Selection};

/// What is asked.
pub(super) struct Question<'a> {
    pub(super) selection: &'a Selection,
    pub(super) clock: &'a Clock,
    /// `--end`.
    pub(super) ends: &'a GlobList,
    /// `--within`.
    pub(super) within: Option<i64>,
}

/// A line of stderr as a sentence.
pub(super) fn sentence(line: &str) -> String {
    let mut letters = line.chars();
    let first = letters.next().map(char::to_uppercase);
    format!("{}{}.", first.into_iter().flatten().collect::<String>(), letters.as_str())
}
