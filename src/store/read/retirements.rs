//! The leaves of `event_logs` that were retired, and those that could be.

use chrono::{DateTime, Utc};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::store::connection::session::Session;
use crate::store::error::Error;
use crate::time::PostgresMicros;

/// What it does, in errors.
const READING: &str = "reading which leaves of event_logs were retired";

/// All that was retired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetiredTotals {
    /// How many leaves.
    pub leaves: i64,
    /// How many rows they had.
    pub rows: i64,
    /// When the oldest of their events happened; `None` where they had no row.
    pub first_at: Option<PostgresMicros>,
    /// When the newest of them happened.
    pub last_at: Option<PostgresMicros>,
    /// When the last of them was retired.
    pub retired_at: DateTime<Utc>,
}

/// Sums up what was retired; `None` where nothing was.
///
/// # Errors
/// `Error::Query`.
pub async fn retired_totals(session: &Session) -> Result<Option<RetiredTotals>, Error> {
    let sql = "SELECT count(*), sum(retired_rows)::bigint, min(min_created_at), max(max_created_at), max(retired_at)
                 FROM event_log_leaves WHERE retired_at IS NOT NULL HAVING count(*) > 0";
    session
        .optional_row(READING, sql, &[], |row| {
            Ok(RetiredTotals {
                leaves: row.try_get(0)?,
                rows: row.try_get(1)?,
                first_at: row.try_get(2)?,
                last_at: row.try_get(3)?,
                retired_at: row.try_get(4)?,
            })
        })
        .await
}

/// A leaf that was retired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetiredLeaf {
    /// The table that was dropped.
    pub name: String,
    /// When.
    pub retired_at: DateTime<Utc>,
}

/// The leaf that held the row of this id, where it was retired.
///
/// # Errors
/// `Error::Query`.
pub async fn retired_leaf_of(session: &Session, row_id: i64) -> Result<Option<RetiredLeaf>, Error> {
    let sql = "SELECT name, retired_at FROM event_log_leaves
                WHERE first_id <= $1 AND next_id > $1 AND retired_at IS NOT NULL";
    session
        .optional_row(READING, sql, &[(&row_id, Type::INT8)], |row| {
            Ok(RetiredLeaf { name: row.try_get(0)?, retired_at: row.try_get(1)? })
        })
        .await
}

/// Batches whose rows were retired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetiredBatches {
    /// How many.
    pub batches: i64,
    /// How many rows they had.
    pub rows: i64,
    /// The first of them.
    pub first_batch_no: i64,
    /// The last of them.
    pub last_batch_no: i64,
}

/// The batches behind `batch_no` whose rows were retired; `None` where there are none.
///
/// # Errors
/// `Error::Query`.
pub async fn retired_batches_after(
    session: &Session,
    batch_no: i64,
) -> Result<Option<RetiredBatches>, Error> {
    let sql = "SELECT count(*), sum(row_count)::bigint, min(batch_no), max(batch_no)
                 FROM event_log_leaves leaf
                 JOIN ingest_batches batch ON batch.first_id >= leaf.first_id AND batch.first_id < leaf.next_id
                WHERE retired_at IS NOT NULL AND batch_no > $1
               HAVING count(*) > 0";
    session
        .optional_row(READING, sql, &[(&batch_no, Type::INT8)], |row| {
            Ok(RetiredBatches {
                batches: row.try_get(0)?,
                rows: row.try_get(1)?,
                first_batch_no: row.try_get(2)?,
                last_batch_no: row.try_get(3)?,
            })
        })
        .await
}

/// A leaf that no batch enters any more, and that could be retired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedLeaf {
    /// The table.
    pub name: String,
    /// The first id that it can hold.
    pub first_id: i64,
    /// One past the last.
    pub next_id: i64,
    /// When it was closed.
    pub closed_at: DateTime<Utc>,
    /// When the oldest of its events happened; `None` where it has no row.
    pub min_created_at: Option<PostgresMicros>,
    /// When the newest of them happened.
    pub max_created_at: Option<PostgresMicros>,
    /// How many rows its batches have.
    pub rows: i64,
    /// How many batches it has.
    pub batches: i64,
    /// The last of them; `None` where there is none.
    pub last_batch_no: Option<i64>,
    /// When the last of them was recorded.
    pub recorded_at: Option<DateTime<Utc>>,
    /// Whether it has rows that no batch holds.
    pub has_foreign_rows: bool,
    /// Whether its events are counted, and were searched for duplicates.
    pub is_counted: bool,
    /// Its size with its indexes, in bytes.
    pub bytes: i64,
}

/// The closed leaves that are part of the table, by their ids.
///
/// # Errors
/// `Error::Query`.
pub async fn closed_leaves(session: &Session) -> Result<Vec<ClosedLeaf>, Error> {
    let sql = "SELECT name, first_id, next_id, closed_at, min_created_at, max_created_at, rows, batches, last_batch_no,
                      recorded_at, has_foreign_rows, is_counted, pg_total_relation_size(to_regclass(name))
                 FROM event_log_leaves leaf
                CROSS JOIN LATERAL (
                      SELECT coalesce(sum(row_count), 0)::bigint AS rows, count(*) AS batches, max(batch_no) AS last_batch_no,
                             max(recorded_at) AS recorded_at,
                             coalesce(bool_and((counted OR batch_no <= filled_through) AND batch_no <= duplicates_through), true)
                                 AS is_counted
                        FROM ingest_batches CROSS JOIN event_count_state
                       WHERE ingest_batches.first_id >= leaf.first_id AND ingest_batches.first_id < leaf.next_id) AS batches
                WHERE closed_at IS NOT NULL AND retired_at IS NULL
                  AND to_regclass(name) IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = to_regclass('event_logs'))
                ORDER BY first_id";
    session.rows("reading the closed leaves of event_logs", sql, &[], closed_leaf).await
}

fn closed_leaf(row: &Row) -> Result<ClosedLeaf, tokio_postgres::Error> {
    Ok(ClosedLeaf {
        name: row.try_get(0)?,
        first_id: row.try_get(1)?,
        next_id: row.try_get(2)?,
        closed_at: row.try_get(3)?,
        min_created_at: row.try_get(4)?,
        max_created_at: row.try_get(5)?,
        rows: row.try_get(6)?,
        batches: row.try_get(7)?,
        last_batch_no: row.try_get(8)?,
        recorded_at: row.try_get(9)?,
        has_foreign_rows: row.try_get(10)?,
        is_counted: row.try_get(11)?,
        bytes: row.try_get(12)?,
    })
}
