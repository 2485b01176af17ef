//! Signals that ask a command to end.

use tokio::signal::unix::{SignalKind, signal};

/// Returns at SIGINT or SIGTERM; never, where they can't be listened to, so that they end the process as usual.
pub(crate) async fn interruption() {
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
