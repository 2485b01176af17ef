//! How rows are written.

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Aligned columns.
    Table,
    /// One line a row, aligned as far as the rows so far tell: a table that does not wait for its
    /// last row.
    Lines,
    /// One JSON array of objects.
    Json,
    /// One JSON object a line.
    Ndjson,
    /// PostgreSQL's CSV.
    Csv,
}

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
