//! Seals leaves: those that are full, and in quiet times the one that is written to.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use super::pace::Pace;
use crate::ingest::counters::Counters;
use crate::store::{self, SealStep, Sealing, Session, seal_step};

/// How often it is looked whether there is something to seal.
const TICK: Duration = Duration::from_secs(1);
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
    let mut pace = Pace::begin(session).await?;
    let mut quiet_since = Instant::now();
    loop {
        let (_, is_quiet) = pace.look(session).await?;
        if !is_quiet {
            quiet_since = Instant::now();
        }
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
