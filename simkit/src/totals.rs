//! What a service counts, from its start to the line that it says at its end.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What became of a delivery.
pub(crate) enum Outcome {
    /// Its effect is committed.
    Effect,
    /// Its effect had been committed before.
    AlreadyProcessed,
    /// It does not concern this service.
    PassedOver,
}

/// What a service did since its start.
#[derive(Debug, Default)]
pub struct Totals {
    published: AtomicUsize,
    published_twice: AtomicUsize,
    effects: AtomicUsize,
    already_processed: AtomicUsize,
    dead_lettered: AtomicUsize,
}

impl Totals {
    pub(crate) fn published(&self, events: usize, twice: usize) {
        self.published.fetch_add(events, Ordering::Relaxed);
        self.published_twice.fetch_add(twice, Ordering::Relaxed);
    }

    pub(crate) fn consumed(&self, outcome: &Outcome) {
        match outcome {
            Outcome::Effect => self.effects.fetch_add(1, Ordering::Relaxed),
            Outcome::AlreadyProcessed => self.already_processed.fetch_add(1, Ordering::Relaxed),
            Outcome::PassedOver => 0,
        };
    }

    pub(crate) fn dead_lettered(&self) {
        self.dead_lettered.fetch_add(1, Ordering::Relaxed);
    }
}

/// `1 order`, `7 orders`.
#[must_use]
pub fn counted(count: impl fmt::Display, noun: &str) -> String {
    let count = count.to_string();
    if count == "1" { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

impl fmt::Display for Totals {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let read = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
        write!(
            formatter,
            "{} published ({} of them twice), {} processed, {} had been processed before, {} dead-lettered",
            counted(read(&self.published), "event"),
            read(&self.published_twice),
            read(&self.effects),
            read(&self.already_processed),
            read(&self.dead_lettered),
        )
    }
}
