//! What is done to the counts of events beside the recording, on a connection of its own: batches
//! only add to them.
//!
//! Any number of ingesters may do it, and `audit migrate` besides: the database lets one of them at
//! a time. What is not done yet, readers count from the rows, so nothing depends on it but how long
//! they take.

use std::convert::Infallible;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::ingest::context::IngestContext;
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
/// With fewer rows a second the database has time for counting.
const QUIET: u64 = 5_000;
/// Where more rows than this are left to be counted, the recording is not waited for.
const MUCH: i64 = 500_000;
/// While records come fast, counting takes one part in so many of the time.
const SHARE_WHILE_BUSY: u32 = 5;

/// Counts until a stop. What fails is tried again later: it is not what an ingester is there for.
pub(in crate::ingest) async fn keep(context: IngestContext) {
    tokio::select! {
        () = context.stop.requested() => {}
        () = keep_on(&context) => {}
    }
}

async fn keep_on(context: &IngestContext) {
    let application = format!("audit ingest {} counting", context.ingester);
    let mut is_told = false;
    loop {
        let failed = async {
            // As for the other connections of the ingester, whether the schema fits was asked once.
            let session = Session::connect(&context.settings.database, &application).await?;
            count(&session, &context.counters).await
        };
        let Err(error) = failed.await;
        if is_told || error.is_transient() {
            tracing::debug!(%error, "can't count events now; trying again");
        } else {
            let hint = error.hint().unwrap_or_default();
            tracing::info!(%error, hint, "can't count events beside recording them; trying again");
            is_told = true;
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

/// Counts until something fails.
async fn count(session: &Session, counters: &Counters) -> Result<Infallible, store::Error> {
    store::commit_without_waiting(session).await?;
    let mut merged: Option<Instant> = None;
    // When nothing was left to be counted, and how many rows there were.
    let mut done: Option<(Instant, u64)> = None;
    let mut before = (Instant::now(), recorded(counters));
    loop {
        if merged.is_none_or(|at| at.elapsed() >= INTERVAL) {
            merge(session).await?;
            merged = Some(Instant::now());
        }
        let rows = recorded(counters);
        let is_quiet = rows - before.1 <= QUIET * before.0.elapsed().as_secs().max(1);
        before = (Instant::now(), rows);
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

fn recorded(counters: &Counters) -> u64 {
    counters.rows.load(Ordering::Relaxed)
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
