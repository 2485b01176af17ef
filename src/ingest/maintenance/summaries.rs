//! Summarises the leaves that are written to, so that an id is searched in a few of their pages.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use crate::ingest::counters::Counters;
use crate::store::{self, Session, recorded_rows, summarize_leaves};

/// How often it is looked whether rows came.
const TICK: Duration = Duration::from_millis(500);
/// After how many rows they are summarised: every search reads those that are not.
const MANY: i64 = 16_384;
/// How long fewer rows wait.
const LONGEST: Duration = Duration::from_secs(60);
/// The pages that are left for another time, as sessions that write at once fill some of them later
/// than those behind: PostgreSQL makes up to 512 at a time.
const LAST_PAGES: i32 = 768;

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
