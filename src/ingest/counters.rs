//! What an ingester did so far.

use std::sync::atomic::{AtomicU64, Ordering};

/// What was done so far, for the progress line, the log and the closing line.
#[derive(Debug, Default)]
pub struct Counters {
    /// Rows committed.
    pub rows: AtomicU64,
    /// Batches committed.
    pub batches: AtomicU64,
    /// Rows among them that are quarantined.
    pub quarantined: AtomicU64,
    /// Offsets that Kafka had deleted before they were read.
    pub lost: AtomicU64,
    /// Partitions that are assigned to this process.
    pub partitions: AtomicU64,
    /// Records between the recorded offsets and the ends of the partitions, when last measured.
    pub lag: AtomicU64,
}

impl Counters {
    /// Adds to a counter that only grows.
    pub(super) fn add(counter: &AtomicU64, amount: u64) {
        counter.fetch_add(amount, Ordering::Relaxed);
    }

    /// Replaces a value that goes up and down.
    pub(super) fn set(gauge: &AtomicU64, value: u64) {
        gauge.store(value, Ordering::Relaxed);
    }
}
