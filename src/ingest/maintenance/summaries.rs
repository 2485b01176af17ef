//! Summarises the leaves that are written to, so that an id is searched in a few of their pages.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use crate::store::{self, Session, recorded_rows, summarize_leaves};

/// How often it is looked whether rows came.
const TICK: Duration = Duration::from_millis(500);
/// After how many rows they are summarised: every search reads those that are not.
const MANY: i64 = 16_384;
/// How long fewer rows wait.
const LONGEST: Duration = Duration::from_secs(60);

/// Summarises until something fails.
pub(super) async fn summarize(session: &Session) -> Result<Infallible, store::Error> {
    store::commit_without_waiting(session).await?;
    let mut summarized: Option<(Instant, i64)> = None;
    loop {
        let rows = recorded_rows(session).await?;
        let is_due = summarized.is_none_or(|(at, then)| {
            rows - then >= MANY || (rows > then && at.elapsed() >= LONGEST)
        });
        if is_due && summarize_leaves(session).await?.is_some() {
            summarized = Some((Instant::now(), rows));
        }
        tokio::time::sleep(TICK).await;
    }
}
