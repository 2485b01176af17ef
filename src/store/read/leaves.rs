//! The leaves of `event_logs`, and how far each is.

use chrono::{DateTime, Utc};

use crate::store::connection::session::Session;
use crate::store::error::Error;

/// How far a leaf is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeafState {
    /// Rows enter it, and it lacks the indexes of a sealed one.
    Light,
    /// It is over, and lacks indexes.
    Waiting,
    /// It has all indexes.
    Sealed,
}

/// A leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// The table.
    pub name: String,
    /// The first id that it can hold.
    pub first_id: i64,
    /// One past the last.
    pub next_id: i64,
    /// How far it is.
    pub state: LeafState,
    /// Since when no batch enters it.
    pub closed_at: Option<DateTime<Utc>>,
    /// Since when it has all indexes.
    pub sealed_at: Option<DateTime<Utc>>,
}

/// The id of the row that was recorded last; `None` before the first one.
///
/// # Errors
/// `Error::Query`.
pub async fn last_recorded_id(session: &Session) -> Result<Option<i64>, Error> {
    let sql = "SELECT last_id FROM ingest_batches WHERE first_id IS NOT NULL ORDER BY first_id DESC LIMIT 1";
    let what = "reading the last id of event_logs";
    session.optional_row(what, sql, &[], |row| row.try_get(0)).await
}

/// All leaves that are part of the table, by their ids.
///
/// # Errors
/// `Error::Query`.
pub async fn leaves(session: &Session) -> Result<Vec<Leaf>, Error> {
    // What was recorded last lies in a later leaf: the sequence of ids is not for readers.
    let sql = "SELECT name, first_id, next_id, closed_at, sealed_at,
                      closed_at IS NOT NULL
                      OR next_id <= (SELECT last_id FROM ingest_batches WHERE first_id IS NOT NULL ORDER BY first_id DESC LIMIT 1)
                 FROM event_log_leaves
                WHERE to_regclass(name) IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = to_regclass('event_logs'))
                ORDER BY first_id";
    session
        .rows("reading the leaves of event_logs", sql, &[], |row| {
            let (closed_at, sealed_at): (Option<_>, Option<_>) = (row.try_get(3)?, row.try_get(4)?);
            let is_over: Option<bool> = row.try_get(5)?;
            let state = match (sealed_at.is_some(), is_over.unwrap_or(false)) {
                (true, _) => LeafState::Sealed,
                (false, true) => LeafState::Waiting,
                (false, false) => LeafState::Light,
            };
            Ok(Leaf {
                name: row.try_get(0)?,
                first_id: row.try_get(1)?,
                next_id: row.try_get(2)?,
                state,
                closed_at,
                sealed_at,
            })
        })
        .await
}
