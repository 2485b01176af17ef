//! What can go wrong with a table.

use std::io;

use delta_kernel::KernelError;

/// Where machines of a cloud ask which role they have.
const MACHINE_ROLES: &str = "169.254.169.254";

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
        /// Whether it may go better another time: the store did not answer, or had no room.
        may_pass: bool,
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

impl Error {
    /// Whether the same may go better another time, without anybody changing what was asked for.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Store { may_pass, .. } => *may_pass,
            Self::Unknown { .. } | Self::Busy { .. } => true,
            _ => false,
        }
    }

    /// What to do about it, where that is not in the message.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Store { reason, .. } if reason.contains(MACHINE_ROLES) => Some(
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: without them the machine is \
                 asked for a role",
            ),
            _ => None,
        }
    }

    /// Whether something was asked for that cannot be: wrong usage.
    #[must_use]
    pub fn is_of_usage(&self) -> bool {
        matches!(self, Self::Location { .. } | Self::Option { .. } | Self::NotATable { .. })
    }
}

/// Whether a failure of the store may pass by itself: it does not answer, or answers that it cannot
/// now. What it refuses, and what the library cannot read, stays so.
pub(super) fn may_pass(error: &(dyn std::error::Error + 'static)) -> bool {
    if let Some(error) = error.downcast_ref::<KernelError>() {
        return match error.without_backtrace() {
            KernelError::ObjectStore(error) => may_pass(error),
            KernelError::IOError(error) => may_pass(error),
            KernelError::Reqwest(_) => true,
            KernelError::GenericError { source } => may_pass(source.as_ref()),
            _ => false,
        };
    }
    if let Some(error) = error.downcast_ref::<object_store::Error>() {
        return match error {
            object_store::Error::Generic { source, .. } => !is_refusal(&source.to_string()),
            object_store::Error::JoinError { .. }
            | object_store::Error::AlreadyExists { .. }
            | object_store::Error::Precondition { .. } => true,
            _ => false,
        };
    }
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() != io::ErrorKind::PermissionDenied)
}

/// Whether an S3 server refused a request for good. The library keeps the status of most requests
/// to itself, and only writes it into its message.
fn is_refusal(message: &str) -> bool {
    let status = message.split_once("status code: ").and_then(|(_, rest)| rest.get(..3));
    status.is_some_and(|status| status.starts_with('4') && status != "408" && status != "429")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generic(message: &str) -> object_store::Error {
        object_store::Error::Generic { store: "S3", source: message.to_owned().into() }
    }

    #[test]
    fn what_a_store_refuses_does_not_pass_and_an_outage_does() {
        let answered =
            |status| generic(&format!("Server returned non-2xx status code: {status}: <Error/>"));
        for passing in [answered("503 Service Unavailable"), answered("429 Too Many Requests")] {
            assert!(may_pass(&passing), "{passing}");
        }
        for refused in [answered("403 Forbidden"), answered("400 Bad Request")] {
            assert!(!may_pass(&refused), "{refused}");
        }
        assert!(may_pass(&generic("connection refused")));
        assert!(may_pass(&KernelError::from(generic("connection refused")).with_backtrace()));
        assert!(!may_pass(&KernelError::InternalError("a log with a gap".to_owned())));
    }
}
