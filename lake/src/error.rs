//! What can fail on the way into a file.

use std::io;

use arrow::error::ArrowError;
use parquet::errors::ParquetError;

use crate::column::Kind;

/// What failed while rows were put together or a file was written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A cell was pushed into a column that holds something else.
    #[error("column `{column}` holds {holds:?}, and {given} was given")]
    WrongKind {
        /// The column's name.
        column: String,
        /// What the column holds.
        holds: Kind,
        /// What was pushed.
        given: &'static str,
    },
    /// There is no column of this number.
    #[error("no column {index}: there are {columns}")]
    NoColumn {
        /// The number that was given, from 0.
        index: usize,
        /// How many columns there are.
        columns: usize,
    },
    /// A number does not fit into its column.
    #[error("{value} does not fit into column `{column}`, which holds 32-bit numbers")]
    TooLarge {
        /// The column's name.
        column: String,
        /// The number.
        value: i64,
    },
    /// The texts of one column passed the limit of what one set of rows holds.
    #[error("the texts of column `{column}` pass {limit} bytes; finish these rows first")]
    Full {
        /// The column's name.
        column: String,
        /// The limit in bytes.
        limit: usize,
    },
    /// A row has no cell, or two, in a column.
    #[error("column `{column}` has {cells} cells, the first column {rows}")]
    Uneven {
        /// The column's name.
        column: String,
        /// The cells that it has.
        cells: usize,
        /// The cells of the first column.
        rows: usize,
    },
    /// The rows have other columns than the file.
    #[error("the rows have other columns than the file")]
    OtherColumns,
    /// The output is broken: its kind tells a closed pipe from a full disk.
    #[error("cannot write the file: {0}")]
    Output(#[source] io::Error),
    /// Rows could not be put together.
    #[error("cannot put rows together: {0}")]
    Rows(#[from] ArrowError),
    /// Rows could not be encoded.
    #[error("cannot encode rows as Parquet: {0}")]
    Encode(#[from] ParquetError),
    /// No thread could be started.
    #[error("cannot start a thread that encodes rows: {0}")]
    Thread(#[source] io::Error),
    /// A thread that encoded rows ended early.
    #[error("a thread that encodes rows ended early")]
    Encoder,
}

impl Error {
    /// Returns the kind of the error that the output gave, if it was the output that failed.
    pub fn output_kind(&self) -> Option<io::ErrorKind> {
        match self {
            Self::Output(error) => Some(error.kind()),
            _ => None,
        }
    }
}

/// What a function of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;
