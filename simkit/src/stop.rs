//! Asking tasks to stop, and waiting for the wish.

use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// A wish to stop, shared between tasks. Once made it stays.
#[derive(Debug, Clone)]
pub(crate) struct Stop(Arc<watch::Sender<bool>>);

impl Stop {
    pub(crate) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    pub(crate) fn request(&self) {
        self.0.send_replace(true);
    }

    pub(crate) fn is_requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Ends when the wish was made.
    pub(crate) async fn requested(&self) {
        // The sender lives as long as self, so the wait can't fail.
        let _ = self.0.subscribe().wait_for(|requested| *requested).await;
    }

    /// Ends so long after the wish was made: for what must be finished, but not at any price.
    pub(crate) async fn overdue(&self, grace: Duration) {
        self.requested().await;
        tokio::time::sleep(grace).await;
    }
}

/// Ends at SIGTERM or SIGINT.
pub(crate) async fn signalled() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
