//! Why a session ends early, and how its threads and tasks tell each other.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::error::Error;
use super::mutex::lock_mutex;

/// Why a session ended before a stop was requested.
#[derive(Debug)]
pub(super) enum Fault {
    /// The next session can go on: it claims again, and reads again from what is recorded.
    Recoverable(String),
    /// Trying again does not help: the ingester ends.
    Fatal(Error),
}

/// Keeps the first fault of a session. What fails after it is a consequence.
#[derive(Debug, Default)]
pub(super) struct FirstFault {
    raised: AtomicBool,
    first: Mutex<Option<Fault>>,
}

impl FirstFault {
    /// Ends the session: all its threads and tasks look at [`FirstFault::is_raised`].
    pub(super) fn raise(&self, fault: Fault) {
        lock_mutex(&self.first).get_or_insert(fault);
        self.raised.store(true, Ordering::Release);
    }

    pub(super) fn is_raised(&self) -> bool {
        self.raised.load(Ordering::Acquire)
    }

    pub(super) fn take(&self) -> Option<Fault> {
        lock_mutex(&self.first).take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_fault_is_the_one_that_counts() {
        let faults = FirstFault::default();
        assert!(!faults.is_raised());
        faults.raise(Fault::Fatal(Error::StoppedEarly));
        faults.raise(Fault::Recoverable("a consequence".to_owned()));
        assert!(faults.is_raised());
        assert!(matches!(faults.take(), Some(Fault::Fatal(Error::StoppedEarly))));
    }
}
