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
    /// It was dropped with its rows.
    Retired,
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
    /// How many of its ids lie at or before the last one that a batch has.
    pub ids_used: i64,
    /// How far it is.
    pub state: LeafState,
    /// Since when no batch enters it.
    pub closed_at: Option<DateTime<Utc>>,
    /// Since when it has all indexes.
    pub sealed_at: Option<DateTime<Utc>>,
    /// When it was dropped with its rows.
    pub retired_at: Option<DateTime<Utc>>,
    /// How many rows it had then.
    pub retired_rows: Option<i64>,
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

/// All leaves that are part of the table, and those that were retired, by their ids.
///
/// # Errors
/// `Error::Query`.
pub async fn leaves(session: &Session) -> Result<Vec<Leaf>, Error> {
    // What was recorded last lies in a later leaf: the sequence of ids is not for readers.
    let sql = "SELECT name, first_id, next_id, closed_at, sealed_at, closed_at IS NOT NULL OR next_id <= last_id,
                      greatest(0, least(next_id, coalesce(last_id, -1) + 1) - first_id), retired_at, retired_rows
                 FROM event_log_leaves
                 LEFT JOIN (SELECT last_id FROM ingest_batches WHERE first_id IS NOT NULL ORDER BY first_id DESC LIMIT 1) AS batch
                      ON true
                WHERE to_regclass(name) IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = to_regclass('event_logs'))
                   OR retired_at IS NOT NULL
                ORDER BY first_id";
    session
        .rows("reading the leaves of event_logs", sql, &[], |row| {
            let (closed_at, sealed_at): (Option<_>, Option<_>) = (row.try_get(3)?, row.try_get(4)?);
            let is_over: Option<bool> = row.try_get(5)?;
            let retired_at: Option<_> = row.try_get(7)?;
            let state = match (sealed_at.is_some(), is_over.unwrap_or(false)) {
                _ if retired_at.is_some() => LeafState::Retired,
                (true, _) => LeafState::Sealed,
                (false, true) => LeafState::Waiting,
                (false, false) => LeafState::Light,
            };
            Ok(Leaf {
                name: row.try_get(0)?,
                first_id: row.try_get(1)?,
                next_id: row.try_get(2)?,
                ids_used: row.try_get(6)?,
                state,
                closed_at,
                sealed_at,
                retired_at,
                retired_rows: row.try_get(8)?,
            })
        })
        .await
}

/// A leaf that another session seals now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeafBuild {
    /// The table.
    pub leaf: String,
    /// How much of its indexes is built, in percent: those that are done alone where the server
    /// does not show how far the one under way is.
    pub percent: i64,
}

/// The leaf that is being sealed; `None` where nobody is at that.
///
/// # Errors
/// `Error::Query`.
pub async fn leaf_build(session: &Session) -> Result<Option<LeafBuild>, Error> {
    // Half of a build is reading the leaf, the other half writing the index. Whoever has no right
    // to see the sessions of others sees that one of them has the lock: then it is the first leaf
    // that waits.
    let sql = "
WITH building AS (
    SELECT coalesce(relid::regclass::text,
                    (SELECT name FROM event_log_leaves
                      WHERE closed_at IS NOT NULL AND sealed_at IS NULL AND retired_at IS NULL ORDER BY first_id LIMIT 1))
               AS leaf,
           coalesce(CASE WHEN phase LIKE '%scanning table%' THEN blocks_done * 50 / nullif(blocks_total, 0)
                         WHEN phase LIKE '%loading tuples%' THEN 50 + tuples_done * 50 / nullif(tuples_total, 0)
                         WHEN phase LIKE '%sorting%' THEN 50 END, 0) AS percent
      FROM pg_locks LEFT JOIN pg_stat_progress_create_index USING (pid)
     WHERE locktype = 'advisory' AND granted AND objsubid = 1
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
       AND (classid::bigint << 32 | objid::bigint) = hashtextextended('audit.event_log_leaves.sealing', 0)
)
SELECT leaf, (100 * built + CASE WHEN built < needed THEN percent ELSE 0 END) / needed
  FROM building CROSS JOIN LATERAL (
       SELECT count(*) AS needed, count(*) FILTER (WHERE EXISTS (
                  SELECT FROM event_log_indexes_of(leaf) AS index_ WHERE index_.definition = wanted.definition AND valid)) AS built
         FROM event_log_leaf_indexes() AS wanted WHERE sealed) AS indexes
 WHERE leaf IS NOT NULL LIMIT 1";
    session
        .optional_row("asking which leaf is being sealed", sql, &[], |row| {
            Ok(LeafBuild { leaf: row.try_get(0)?, percent: row.try_get(1)? })
        })
        .await
}
