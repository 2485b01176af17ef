//! SIGINT and SIGTERM ask for an end in good order; a second one ends at once.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Once};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;

use super::exit::Exit;
use super::failure::Failure;
use super::progress;

/// Whether a command, or its pager, decides what Ctrl-C does: else it ends the process. What a
/// signal does belongs to the whole process.
static IS_HEARD: AtomicBool = AtomicBool::new(false);

/// The SIGINTs from now on, for who decides what they do.
pub(super) fn interrupts() -> io::Result<Signal> {
    let interrupts = signal(SignalKind::interrupt())?;
    IS_HEARD.store(true, Relaxed);
    Ok(interrupts)
}

/// From now on Ctrl-C takes the progress from the terminal before it ends the process, where
/// nobody else decides what it does.
pub(super) fn clear_at_interrupt() {
    static BEGUN: Once = Once::new();
    if IS_HEARD.load(Relaxed) {
        return;
    }
    BEGUN.call_once(|| {
        // Without the signal the process ends as it would have.
        let Ok(mut interrupts) = signal(SignalKind::interrupt()) else { return };
        tokio::spawn(async move {
            while interrupts.recv().await.is_some() {
                if !IS_HEARD.load(Relaxed) {
                    end();
                }
            }
        });
    });
}

/// Calls `stop` at the first SIGINT or SIGTERM, and ends the process with 130 at the second.
pub(crate) fn on_stop(stop: impl Fn() + Send + 'static) -> Result<(), Failure> {
    let failed = |error| Failure::new(format!("can't wait for signals: {error}"));
    let mut interrupt = interrupts().map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    tokio::spawn(async move {
        let mut next =
            async || tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} };
        next().await;
        stop();
        next().await;
        end();
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

#[expect(clippy::exit, reason = "whoever interrupts does not want to wait")]
fn end() {
    progress::clear_drawn();
    std::process::exit(Exit::Interrupted as i32);
}
