//! What can go wrong with a table.

use std::io;

/// What went wrong with a table. No text of it holds a secret of the store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A location that is none, or that this program cannot use.
    #[error("{location}: {reason}")]
    Location {
        /// What was given.
        location: String,
        /// What is wrong with it, and what to do.
        reason: String,
    },
    /// An option of the store that it does not have, or whose value it refuses.
    #[error("storage option {key}: {reason}")]
    Option {
        /// Its name.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is something, but no table.
    #[error(
        "{location} is not a Delta table: it holds files, but no _delta_log; \
             choose an empty or a new one"
    )]
    NotATable {
        /// The location.
        location: String,
    },
    /// The store, or what it holds, failed.
    #[error("cannot {action} {location}: {reason}")]
    Store {
        /// What was tried: a verb, or a verb and its object.
        action: &'static str,
        /// The location.
        location: String,
        /// What the store or the library says.
        reason: String,
    },
    /// A commit of which is not known whether it arrived.
    #[error(
        "cannot tell whether a commit to {location} arrived: {reason}; \
             the next run looks, and goes on from what is there"
    )]
    Unknown {
        /// The location.
        location: String,
        /// What the store says.
        reason: String,
    },
    /// Others commit so fast that this writer never gets a turn.
    #[error("{location} was changed by others {attempts} times before this commit; try again")]
    Busy {
        /// The location.
        location: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// A commit with which its writer does not come further.
    #[error("a commit must bring its writer further, and this one goes from {from:?} to {to}")]
    Backwards {
        /// How far it was.
        from: Option<i64>,
        /// How far it would be.
        to: i64,
    },
    /// The operating system gives no threads.
    #[error("cannot start threads: {0}")]
    Threads(#[source] io::Error),
}
