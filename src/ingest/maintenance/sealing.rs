//! Seals leaves: those that are full, and in quiet times the one that is written to.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use crate::ingest::counters::Counters;
use crate::store::{self, SealStep, Sealing, Session, recorded_rows, seal_step};

/// How often it is looked whether there is something to seal.
const TICK: Duration = Duration::from_secs(1);
/// With fewer rows a second, rows can as well enter a leaf with all of its indexes.
const QUIET: i64 = 5_000;
/// How long it has to be quiet until the leaf that is written to is sealed, too: a leaf with all
/// indexes takes rows at a third of the speed until it is full.
const QUIET_TIME: Duration = Duration::from_secs(600);
/// How often leaves that are sealed are looked at.
const THOROUGH_EVERY: Duration = Duration::from_secs(600);
/// Seals until something fails.
pub(super) async fn seal(
    session: &Session,
    counters: &Counters,
) -> Result<Infallible, store::Error> {
    let mut looked_at: Option<Instant> = None;
    let mut before = (Instant::now(), recorded_rows(session).await?);
    let mut quiet_since = Instant::now();
    loop {
        let rows = recorded_rows(session).await?;
        let seconds = before.0.elapsed().as_secs().max(1).cast_signed();
        if rows - before.1 > QUIET.saturating_mul(seconds) {
            quiet_since = Instant::now();
        }
        before = (Instant::now(), rows);
        let thorough = looked_at.is_none_or(|at| at.elapsed() >= THOROUGH_EVERY);
        let current = quiet_since.elapsed() >= QUIET_TIME;
        match seal_step(session, Sealing { current, thorough }).await? {
            SealStep::Did(step) => {
                counters.seal_steps.inc();
                tracing::debug!(step, "sealing leaves of event_logs");
            }
            SealStep::Nothing | SealStep::Busy => {
                if thorough {
                    looked_at = Some(Instant::now());
                }
                tokio::time::sleep(TICK).await;
            }
        }
    }
}
