//! What can go wrong while a log is written.

use std::io;

use crate::store;

/// An error of the export to OCEL.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// PostgreSQL failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The output takes no more.
    #[error("writing the output: {0}")]
    Output(#[from] io::Error),
    /// A time has no place in the format.
    #[error("row {row}: {column} is {time}, and OCEL holds the years 1 to 9999")]
    Time {
        /// `event_logs.id`.
        row: i64,
        /// The column's name.
        column: String,
        /// The time as text.
        time: String,
    },
}

impl Error {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Store(_) | Self::Output(_) => None,
            Self::Time { .. } => {
                Some("leave it out: --since 0001-01-01 --until 9999-12-31T23:59:59Z")
            }
        }
    }
}
