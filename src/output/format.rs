//! The formats of the output.

/// A format; each has a renderer.
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
