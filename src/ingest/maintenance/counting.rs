//! What is done to the counts of events: batches only add to them. What is not done yet, readers
//! count from the rows.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use super::pace::Pace;
use crate::ingest::counters::Counters;
use crate::store::{self, Counting, CountingStep, Session, count_piece};

/// How often it is looked whether there is time.
const TICK: Duration = Duration::from_secs(1);
/// How often what batches added is added up, and how often it is looked what is left to be counted
/// while nothing new is recorded.
const INTERVAL: Duration = Duration::from_secs(10);
/// How many rows are counted at once: about a second's work.
const PIECE: i64 = 200_000;
/// How many counts are added up at once.
const MERGED_PIECE: i64 = 50_000;
/// Where more rows than this are left to be counted, the recording is not waited for.
const MUCH: i64 = 500_000;
/// While records come fast, counting takes one part in so many of the time.
const SHARE_WHILE_BUSY: u32 = 5;

/// Counts until something fails.
pub(super) async fn count(session: &Session, _: &Counters) -> Result<Infallible, store::Error> {
    store::commit_without_waiting(session).await?;
    let mut merged: Option<Instant> = None;
    // When nothing was left to be counted, and how many rows there were.
    let mut done: Option<(Instant, i64)> = None;
    let mut pace = Pace::begin(session).await?;
    loop {
        if merged.is_none_or(|at| at.elapsed() >= INTERVAL) {
            merge(session).await?;
            merged = Some(Instant::now());
        }
        let (rows, is_quiet) = pace.look(session).await?;
        let was_done = done.is_some_and(|(at, then)| then == rows && at.elapsed() < INTERVAL);
        let mut pause = TICK;
        if !was_done && (is_quiet || is_much(session).await?) {
            let began = Instant::now();
            let filled = count_piece(session, CountingStep::Fill, PIECE).await?;
            let searched = count_piece(session, CountingStep::FindDuplicates, PIECE).await?;
            let is_done = filled.unwrap_or(0) == 0 && searched.unwrap_or(0) == 0;
            done = is_done.then(|| (Instant::now(), rows));
            pause = match (is_done, is_quiet) {
                (true, _) => TICK,
                (false, true) => Duration::ZERO,
                (false, false) => began.elapsed() * (SHARE_WHILE_BUSY - 1),
            };
        }
        tokio::time::sleep(pause).await;
    }
}

/// Adds up all that batches added up to now.
async fn merge(session: &Session) -> Result<(), store::Error> {
    while count_piece(session, CountingStep::Merge, MERGED_PIECE).await? == Some(MERGED_PIECE) {}
    Ok(())
}

async fn is_much(session: &Session) -> Result<bool, store::Error> {
    let counting = Counting::read(session).await?;
    Ok(counting.uncounted_rows.max(counting.unsearched_rows) > MUCH)
}
