//! SIGINT and SIGTERM ask for an end in good order; a second one ends at once.

use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

use super::exit::Exit;
use super::failure::Failure;

/// Calls `stop` at the first SIGINT or SIGTERM, and ends the process with 130 at the second.
#[expect(clippy::exit, reason = "whoever asks twice does not want to wait")]
pub(crate) fn on_stop(stop: impl Fn() + Send + 'static) -> Result<(), Failure> {
    let failed = |error| Failure::new(format!("can't wait for signals: {error}"));
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    tokio::spawn(async move {
        let mut next =
            async || tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} };
        next().await;
        stop();
        next().await;
        std::process::exit(Exit::Interrupted as i32);
    });
    Ok(())
}

/// A future that ends at the first SIGINT or SIGTERM; the second ends the process with 130.
pub(crate) fn interruption() -> Result<impl Future<Output = ()>, Failure> {
    let asked = Arc::new(Notify::new());
    let notify = Arc::clone(&asked);
    on_stop(move || notify.notify_one())?;
    Ok(async move { asked.notified().await })
}
