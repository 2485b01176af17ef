//! How many row groups are encoded at a time.

use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many row groups are encoded at a time. A copy shares the number: files that are written side
/// by side take no more threads together than one.
#[derive(Debug, Clone)]
pub struct Encoders(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    threads: usize,
    busy: AtomicUsize,
}

/// A thread that may run; another may when this is dropped.
#[derive(Debug)]
pub(super) struct Permit(Arc<Shared>);

impl Encoders {
    /// Allows `threads` at a time. With 0, rows are encoded by the thread that gives them.
    pub fn new(threads: usize) -> Self {
        Self(Arc::new(Shared { threads, busy: AtomicUsize::new(0) }))
    }

    /// Returns how many threads are allowed at a time.
    pub fn threads(&self) -> usize {
        self.0.threads
    }

    /// Returns a permit if a thread is free.
    pub(super) fn permit(&self) -> Option<Permit> {
        let free = |busy| (busy < self.0.threads).then_some(busy + 1);
        self.0.busy.fetch_update(Ordering::AcqRel, Ordering::Acquire, free).ok()?;
        Some(Permit(Arc::clone(&self.0)))
    }
}

impl Default for Encoders {
    /// Allows as many threads as the machine has.
    fn default() -> Self {
        Self::new(std::thread::available_parallelism().map_or(1, NonZero::get))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::AcqRel);
    }
}
