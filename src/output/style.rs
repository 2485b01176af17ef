//! What renderers need to know besides the rows.

use crate::time::Timestamp;

/// What the renderers need to know besides the rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Style {
    /// The width to fit tables into, in columns; `None` where there is no limit.
    pub width: Option<u16>,
    /// Whether to colour.
    pub color: bool,
    /// Whether a person reads: ids are shortened in tables, and control characters escaped in every
    /// format.
    pub terminal: bool,
    /// CSV: no header line.
    pub no_header: bool,
    /// CSV: a cell that a spreadsheet would take for a formula gets an apostrophe in front.
    pub spreadsheet_safe: bool,
    /// JSON: a JSON value is text that holds it, so that no number in it is the reader's problem.
    pub json_as_text: bool,
    /// How times are written, where that is not the format's own way.
    pub times: Option<TimeForm>,
}

/// How times are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeForm {
    /// As PostgreSQL writes them: `2026-11-22 10:00:00.12`.
    Sql,
    /// As RFC 3339 and ISO 8601 have them: `2026-11-22T10:00:00.120000Z`.
    Rfc3339,
}

impl TimeForm {
    /// A time in this form. What RFC 3339 has no form for (the infinities, years before 1 and
    /// beyond 9999) is written alike in both, but for the separators.
    pub fn text(self, time: Timestamp) -> String {
        let mut text = Vec::with_capacity(32);
        match self {
            Self::Sql => time.write_sql(&mut text),
            Self::Rfc3339 => time.write_iso(&mut text),
        }
        text.into_iter().map(char::from).collect()
    }
}
