//! What is done to the leaves of `event_logs` beside the recording: `sql/audit_db/V11__leaves.sql`.

use tokio_postgres::types::Type;

use crate::store::connection::session::Session;
use crate::store::error::Error;

/// How many workers help to build an index where more than one leaf waits, as far as the server's
/// `max_parallel_workers` goes.
const WORKERS: i32 = 2;

/// Which leaves are sealed beside those that are full.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sealing {
    /// Whether the leaf that is written to is sealed, too, while it has few rows: for times when
    /// few rows come.
    pub current: bool,
    /// Whether indexes that sealed leaves lack are built again.
    pub thorough: bool,
}

/// What came of one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SealStep {
    /// This was done: the leaf's name and what, for a log.
    Did(String),
    /// Nothing is left to be done.
    Nothing,
    /// Another session is at it.
    Busy,
}

/// Takes one step, which is a transaction of its own: closes a leaf that is over, builds one of its
/// indexes, or notes that it has all of them.
///
/// # Errors
/// `Error::Query`; transient where a lock is not to be had within 3 s.
pub async fn seal_step(session: &Session, sealing: Sealing) -> Result<SealStep, Error> {
    let Sealing { current, thorough } = sealing;
    let step: Option<String> = session
        .row(
            "sealing a leaf of event_logs",
            "SELECT seal_event_log_leaf($1, $2, $3)",
            &[(&WORKERS, Type::INT4), (&current, Type::BOOL), (&thorough, Type::BOOL)],
            |row| row.try_get(0),
        )
        .await?;
    Ok(match step {
        None => SealStep::Busy,
        Some(step) if step.is_empty() => SealStep::Nothing,
        Some(step) => SealStep::Did(step),
    })
}

/// Brings the summaries of the leaves that are written to up to date but for their `last_pages`,
/// and the planner's statistics of them. Returns how many ranges of pages were summarised; `None`
/// where another session is at it.
///
/// # Errors
/// `Error::Query`.
pub async fn summarize_leaves(session: &Session, last_pages: i32) -> Result<Option<i64>, Error> {
    session
        .row(
            "summarising the leaves of event_logs",
            "SELECT summarize_event_log_leaves($1)",
            &[(&last_pages, Type::INT4)],
            |row| row.try_get(0),
        )
        .await
}
