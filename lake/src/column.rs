//! What a column holds.

/// A column of a file or a table. Every column may hold NULL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A 64-bit number.
    Integer,
    /// A 32-bit number.
    SmallInteger,
    /// True or false.
    Boolean,
    /// Text of few distinct values or many.
    Text,
    /// A UUID.
    Uuid,
    /// A JSON text.
    Json,
    /// A moment in UTC, in microseconds since 1970.
    Moment,
}

/// How values are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// Parquet's own types: UUIDs and JSON have their logical types.
    Parquet,
    /// The types that Delta Lake has: UUIDs and JSON are text.
    Delta,
}
