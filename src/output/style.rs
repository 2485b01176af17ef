//! What renderers need to know besides the rows.

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
}
