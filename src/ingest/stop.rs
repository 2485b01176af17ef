//! The request to stop.

use std::time::{Duration, Instant};

use tokio::sync::watch;

/// A request to stop, which any thread can see and any task can wait for.
#[derive(Debug)]
pub struct Stop(watch::Sender<Option<Instant>>);

impl Default for Stop {
    fn default() -> Self {
        Self(watch::Sender::new(None))
    }
}

impl Stop {
    /// Requests a graceful end. A second request changes nothing.
    pub fn request(&self) {
        self.0.send_if_modified(|since| {
            let first = since.is_none();
            since.get_or_insert_with(Instant::now);
            first
        });
    }

    /// Whether a stop was requested.
    pub fn is_requested(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// How long ago the stop was requested; `None` before that.
    pub fn requested_for(&self) -> Option<Duration> {
        self.0.borrow().map(|since| since.elapsed())
    }

    /// Waits for a request.
    pub async fn requested(&self) {
        // It fails only where the sender is gone, which is `self`.
        let _ = self.0.subscribe().wait_for(Option::is_some).await;
    }

    /// Waits for a request, but no longer than `limit`. True where there is one.
    pub async fn wait(&self, limit: Duration) -> bool {
        tokio::time::timeout(limit, self.requested()).await.is_ok()
    }
}
