//! What can go wrong while events are handed over.

use std::io;
use std::path::{Path, PathBuf};

use super::ocel;
use crate::store;

/// What can go wrong while events are handed over.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// What is written to stdout.
    #[error("writing the output: {0}")]
    Output(io::Error),
    /// A file or a folder.
    #[error("{doing} {}: {source}", path.display())]
    File {
        /// What was being done: `writing`.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file or a folder that can't be used as it is.
    #[error("{}: {problem}", path.display())]
    Unusable {
        /// Which.
        path: PathBuf,
        /// Why.
        problem: String,
    },
    /// A value that the format cannot hold.
    #[error("row {id}: {column} is {value}, which {format} cannot hold")]
    Unfit {
        /// The row's id.
        id: i64,
        /// Its column.
        column: String,
        /// The value, as text.
        value: String,
        /// The format.
        format: &'static str,
    },
    /// Rows that can't become columns, or columns that can't be written.
    #[cfg(feature = "lake")]
    #[error(transparent)]
    Lake(#[from] lake::error::Error),
    /// A Delta Lake table.
    #[cfg(feature = "lake")]
    #[error(transparent)]
    Table(#[from] lake::delta::Error),
    /// A format that this program was built without.
    #[error("this audit was built without {0}")]
    NotBuilt(&'static str),
    /// A log for process mining.
    #[error(transparent)]
    Ocel(ocel::Error),
    /// A bookmark that another run has.
    #[error("{}: another run has this bookmark", .0.display())]
    Locked(PathBuf),
    /// A bookmark or a table of something else.
    #[error("{}: {difference}", path.display())]
    OtherContents {
        /// Which.
        path: PathBuf,
        /// In what it differs.
        difference: String,
    },
    /// A thread or a task that ended before it had done its work.
    #[error("reading event_logs: a session ended early: {0}")]
    Ended(String),
}

impl Error {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unfit { .. } => Some(
                "leave the row out with a selector, or write CSV or NDJSON, which hold every value",
            ),
            Self::OtherContents { .. } => {
                Some("repeat the options of the first run, or begin another one beside it")
            }
            Self::NotBuilt(_) => Some("build it with the feature `lake`, as a released one is"),
            Self::Ocel(error) => error.hint(),
            #[cfg(feature = "lake")]
            Self::Table(error) => error.hint(),
            Self::Locked(_) => Some("wait for the other run, or give this one its own bookmark"),
            _ => None,
        }
    }

    /// Whether the same may go better another time: the database or the store of a table is away.
    #[cfg(feature = "lake")]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Store(error) => error.is_transient(),
            Self::Table(error) => error.is_transient(),
            Self::Lake(error) => {
                error.output_kind().is_some_and(|kind| kind != io::ErrorKind::PermissionDenied)
            }
            _ => false,
        }
    }

    /// Whether something was asked for that cannot be: wrong usage.
    pub fn is_of_usage(&self) -> bool {
        match self {
            Self::OtherContents { .. } => true,
            #[cfg(feature = "lake")]
            Self::Table(error) => error.is_of_usage(),
            _ => false,
        }
    }

    /// The error of doing something to a file.
    pub(super) fn file(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File { doing, path: path.to_owned(), source }
    }

    /// The error of a thread or a task that had the table, and ended.
    #[cfg(feature = "lake")]
    pub(super) fn table_gone(why: &str) -> Self {
        Self::Ended(format!("writing the table: {why}"))
    }

    /// The error of a file that can't be used.
    pub(super) fn unusable(path: &Path, problem: impl Into<String>) -> Self {
        Self::Unusable { path: path.to_owned(), problem: problem.into() }
    }
}
