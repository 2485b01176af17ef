//! Tells systemd how it goes, where that started the program and listens (`Type=notify`).

use std::sync::Arc;
use std::time::Duration;

use sd_notify::NotifyState;

use crate::ingest::counters::{Counters, Wait};
use crate::ingest::stop::Stop;

/// How often it is looked whether there is news.
const INTERVAL: Duration = Duration::from_secs(5);

/// Says that the program runs; then what it waits for, whenever that changes, that it stops, and as
/// often as the watchdog wants it that the threads turn that do the work.
pub(in crate::ingest) async fn tell_systemd(counters: Arc<Counters>, stop: Arc<Stop>) {
    if std::env::var_os("NOTIFY_SOCKET").is_none() {
        return;
    }
    let watchdog = sd_notify::watchdog_enabled();
    // With two chances more to be heard in time.
    let interval = watchdog.map_or(INTERVAL, |limit| INTERVAL.min(limit / 3));
    let (mut told, mut is_stopping) = (String::new(), false);
    tell(&[NotifyState::Ready]);
    loop {
        let status = status(&counters);
        if status != told {
            tell(&[NotifyState::Status(&status)]);
            told = status;
        }
        if watchdog.is_some() {
            tell(&[NotifyState::Watchdog]);
        }
        if is_stopping {
            tokio::time::sleep(interval).await;
        } else if stop.wait(interval).await {
            // What was read is still being committed.
            tell(&[NotifyState::Stopping]);
            is_stopping = true;
        }
    }
}

fn status(counters: &Counters) -> String {
    let waits: Vec<_> = counters.not_ready_for().into_iter().map(Wait::as_str).collect();
    if waits.is_empty() {
        "recording".to_owned()
    } else {
        format!("waiting for {}", waits.join(", "))
    }
}

fn tell(news: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(news) {
        tracing::debug!(%error, "systemd can't be told");
    }
}
