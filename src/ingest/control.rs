//! What the parts of the pipeline tell each other: stop, a fault, how much is in flight, what was
//! counted.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::Error;
use crate::event::TopicPartition;

/// Locks a mutex whose data stays usable even if a thread panicked while it held it.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A request to stop, which any thread can see and any task can wait for.
#[derive(Debug)]
pub struct Stop(watch::Sender<Option<Instant>>);

impl Default for Stop {
    fn default() -> Self {
        Self(watch::Sender::new(None))
    }
}

impl Stop {
    /// Asks for a graceful end. Asking again changes nothing.
    pub fn request(&self) {
        self.0.send_if_modified(|since| {
            let first = since.is_none();
            since.get_or_insert_with(Instant::now);
            first
        });
    }

    /// Whether it was asked for.
    pub fn is_requested(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// How long ago it was asked for.
    pub fn requested_for(&self) -> Option<Duration> {
        self.0.borrow().map(|since| since.elapsed())
    }

    /// Waits until it is asked for, but no longer than `limit`. True where it was asked for.
    pub async fn wait(&self, limit: Duration) -> bool {
        let mut receiver = self.0.subscribe();
        tokio::time::timeout(limit, receiver.wait_for(Option::is_some)).await.is_ok()
    }
}

/// Why a session ended before it was asked to.
#[derive(Debug)]
pub(super) enum Fault {
    /// Begin another one: claim again, and read again from what is recorded.
    Restart(String),
    /// Waiting does not mend it.
    Fatal(Error),
}

/// The first fault of a session.
#[derive(Debug, Default)]
pub(super) struct Faults {
    raised: AtomicBool,
    first: Mutex<Option<Fault>>,
}

impl Faults {
    pub(super) fn raise(&self, fault: Fault) {
        lock(&self.first).get_or_insert(fault);
        self.raised.store(true, Ordering::Release);
    }

    pub(super) fn is_raised(&self) -> bool {
        self.raised.load(Ordering::Acquire)
    }

    pub(super) fn take(&self) -> Option<Fault> {
        lock(&self.first).take()
    }
}

/// Bounds the batches that are under way between reading and committing.
#[derive(Debug)]
pub(super) struct InFlight {
    count: Mutex<usize>,
    limit: usize,
    changed: Condvar,
}

impl InFlight {
    pub(super) fn new(limit: usize) -> Self {
        Self { count: Mutex::new(0), limit, changed: Condvar::new() }
    }

    /// Takes a place, waiting for one up to `limit`. False where none became free.
    pub(super) fn enter(&self, limit: Duration) -> bool {
        let full = |count: &mut usize| *count >= self.limit;
        let waited = self.changed.wait_timeout_while(lock(&self.count), limit, full);
        let (mut count, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let free = *count < self.limit;
        *count += usize::from(free);
        free
    }

    /// Gives a place back.
    pub(super) fn leave(&self) {
        let mut count = lock(&self.count);
        *count = count.saturating_sub(1);
        self.changed.notify_all();
    }

    /// Waits until nothing is under way. False where that did not come true within `limit`.
    pub(super) fn wait_empty(&self, limit: Duration) -> bool {
        let waited = self.changed.wait_timeout_while(lock(&self.count), limit, |count| *count > 0);
        let (count, _) = waited.unwrap_or_else(PoisonError::into_inner);
        *count == 0
    }
}

/// What was done so far, for progress, logs and the closing line.
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
    /// Records between the recorded offsets and the ends of the partitions, when it was last looked
    /// at.
    pub lag: AtomicU64,
}

impl Counters {
    /// Adds to one of them.
    pub(super) fn add(counter: &AtomicU64, amount: u64) {
        counter.fetch_add(amount, Ordering::Relaxed);
    }
}

/// The offsets that were recorded since they were last taken, by topic and partition.
#[derive(Debug, Default)]
pub(super) struct RecordedOffsets(Mutex<HashMap<TopicPartition, i64>>);

impl RecordedOffsets {
    pub(super) fn note(&self, partition: &TopicPartition, next_offset: i64) {
        lock(&self.0).insert(partition.clone(), next_offset);
    }

    pub(super) fn take(&self) -> HashMap<TopicPartition, i64> {
        std::mem::take(&mut lock(&self.0))
    }
}
