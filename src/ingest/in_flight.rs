//! How many batches of a lane are in flight, and how large they are: read, and not committed yet.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::metrics::gauge::Gauge;

use super::mutex::lock_mutex;

/// Bounds the batches of a lane that are in flight, and with them the memory. Threads wait on it;
/// the writer, a task, only releases.
#[derive(Debug)]
pub(super) struct InFlight {
    count: Mutex<usize>,
    limit: usize,
    changed: Condvar,
    /// The bytes of all lanes.
    bytes: Gauge,
}

impl InFlight {
    /// Lets at most `limit` batches be in flight, whose bytes `bytes` counts.
    pub(super) fn new(limit: usize, bytes: Gauge) -> Self {
        Self { count: Mutex::new(0), limit, changed: Condvar::new(), bytes }
    }

    /// Counts the bytes of a batch until the guard is dropped, which goes with the batch.
    pub(super) fn hold(&self, bytes: usize) -> HeldBytes {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.bytes.inc_by(bytes);
        HeldBytes { all: self.bytes.clone(), bytes }
    }

    /// Counts one batch more, and waits until that is allowed, but no longer than `timeout`. False
    /// where it was not.
    pub(super) fn acquire(&self, timeout: Duration) -> bool {
        let full = |count: &mut usize| *count >= self.limit;
        let waited = self.changed.wait_timeout_while(lock_mutex(&self.count), timeout, full);
        let (mut count, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let free = *count < self.limit;
        *count += usize::from(free);
        free
    }

    /// Counts one batch more, whatever the limit is: a part of one that is counted already.
    pub(super) fn acquire_part(&self) {
        *lock_mutex(&self.count) += 1;
    }

    /// Counts one batch less: it is committed, or dropped.
    pub(super) fn release(&self) {
        let mut count = lock_mutex(&self.count);
        *count = count.saturating_sub(1);
        self.changed.notify_all();
    }

    /// Waits until no batch is in flight, but no longer than `timeout`. False where one still is.
    pub(super) fn wait_until_idle(&self, timeout: Duration) -> bool {
        let busy = |count: &mut usize| *count > 0;
        let waited = self.changed.wait_timeout_while(lock_mutex(&self.count), timeout, busy);
        let (count, _) = waited.unwrap_or_else(PoisonError::into_inner);
        *count == 0
    }
}

/// The bytes of a batch that is in flight.
#[derive(Debug, Default)]
pub(super) struct HeldBytes {
    all: Gauge,
    bytes: i64,
}

impl Drop for HeldBytes {
    fn drop(&mut self) {
        self.all.dec_by(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::{Receiver, channel};
    use std::thread;

    use super::*;

    /// When a test gives up on a thread that does not go on.
    const PATIENCE: Duration = Duration::from_secs(20);

    /// Runs `wait` on a thread of its own. Receives its result.
    fn wait_on_a_thread(
        in_flight: &Arc<InFlight>,
        wait: impl FnOnce(&InFlight) -> bool + Send + 'static,
    ) -> Receiver<bool> {
        let (sender, answer) = channel();
        let in_flight = Arc::clone(in_flight);
        thread::spawn(move || sender.send(wait(&in_flight)));
        answer
    }

    #[test]
    fn no_more_batches_than_the_limit_are_let_in() {
        let in_flight = InFlight::new(2, Gauge::default());
        assert!(in_flight.acquire(Duration::ZERO));
        assert!(in_flight.acquire(Duration::ZERO));
        assert!(!in_flight.acquire(Duration::ZERO));
        in_flight.release();
        assert!(in_flight.acquire(Duration::ZERO));
    }

    #[test]
    fn bytes_are_in_flight_as_long_as_their_batches_in_whichever_lane() {
        let bytes = Gauge::default();
        let lanes = [1, 2].map(|limit| InFlight::new(limit, bytes.clone()));
        let (one, other) = (lanes[0].hold(100), lanes[1].hold(20));
        assert_eq!(bytes.get(), 120);
        drop(one);
        assert_eq!(bytes.get(), 20);
        drop(other);
        assert_eq!(bytes.get(), 0);
    }

    #[test]
    fn a_thread_that_waits_goes_on_when_a_batch_is_committed() {
        let in_flight = Arc::new(InFlight::new(1, Gauge::default()));
        assert!(in_flight.acquire(Duration::ZERO));
        // Often enough that the thread waits already when the place becomes free.
        for _ in 0..200 {
            let waiting = wait_on_a_thread(&in_flight, |bound| bound.acquire(Duration::MAX));
            thread::yield_now();
            in_flight.release();
            assert_eq!(waiting.recv_timeout(PATIENCE), Ok(true));
            assert!(!in_flight.acquire(Duration::ZERO), "the other thread has the place");
        }
    }

    #[test]
    fn idle_is_when_the_last_batch_is_committed() {
        let in_flight = Arc::new(InFlight::new(3, Gauge::default()));
        assert!(in_flight.wait_until_idle(Duration::ZERO));
        for _ in 0..200 {
            assert!(in_flight.acquire(Duration::ZERO) && in_flight.acquire(Duration::ZERO));
            let waiting =
                wait_on_a_thread(&in_flight, |bound| bound.wait_until_idle(Duration::MAX));
            in_flight.release();
            assert!(!in_flight.wait_until_idle(Duration::ZERO));
            in_flight.release();
            assert_eq!(waiting.recv_timeout(PATIENCE), Ok(true));
        }
    }
}
