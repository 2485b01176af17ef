//! Summarises the leaves that are written to, so that an id is searched in a few of their pages.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use crate::ingest::counters::Counters;
use crate::store::{self, Session, Settings, recorded_rows, summarize_leaves};

/// How often it is looked whether rows came.
const TICK: Duration = Duration::from_millis(500);
/// After how many rows they are summarised: every search reads those that are not.
const MANY: i64 = 16_384;
/// How long fewer rows wait.
const LONGEST: Duration = Duration::from_secs(5);
/// The pages that are left for another time, as sessions that write at once fill some of them later
/// than those behind: PostgreSQL makes up to 512 at a time.
const LAST_PAGES: i32 = 768;

/// How long the last rows may take.
const FINISH_LIMIT: Duration = Duration::from_secs(2);

/// Summarises what was recorded last. Where that fails, the next ingester does it.
pub(super) async fn finish(settings: &Settings, application: &str) {
    let finish = async {
        let session = Session::connect(settings, application).await?;
        summarize_leaves(&session, 0).await
    };
    match tokio::time::timeout(FINISH_LIMIT, finish).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::debug!(%error, "the last rows are not summarised"),
        Err(_) => tracing::debug!("the last rows are not summarised in time"),
    }
}

/// Summarises until something fails.
pub(super) async fn summarize(session: &Session, _: &Counters) -> Result<Infallible, store::Error> {
    store::commit_without_waiting(session).await?;
    let mut summarized = (Instant::now(), 0);
    loop {
        let rows = recorded_rows(session).await?;
        let is_late = rows > summarized.1 && summarized.0.elapsed() >= LONGEST;
        if rows - summarized.1 >= MANY || is_late {
            let last_pages = if is_late { 0 } else { LAST_PAGES };
            if summarize_leaves(session, last_pages).await?.is_some() {
                summarized = (Instant::now(), rows);
            }
        }
        tokio::time::sleep(TICK).await;
    }
}
