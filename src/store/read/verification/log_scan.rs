//! Reads the log of the evidence, and what its leaves tell of, for `verify`.

use std::ops::RangeInclusive;

use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use super::ledger_scan::{LedgerScan, PortalRows};
use crate::evidence::leaf::{ReplayOutcomeLeaf, ReplayRequestLeaf};
use crate::ledger::{LogHead, ReplayClaim, StoredLeaf, StoredTile};
use crate::store::connection::query;
use crate::store::error::Error;
use crate::store::read::evidence::batch_leaves::{LedgerBatch, batch_leaves};
use crate::store::read::evidence::checkpoints::{StoredCheckpoint, all_checkpoints};

/// Batches that have no leaf.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unlogged {
    /// How many batches from before the log.
    pub batches: i64,
    /// How many rows they have.
    pub rows: i64,
    /// The lowest number of a batch that should have one.
    pub due: Option<i64>,
    /// The lowest number of a batch that `evidence_adoptions` names, and no leaf adopts.
    pub adopted: Option<i64>,
}

const READING: &str = "reading the log";

const LEAVES: &str = "
    SELECT log_no, leaf_index, kind, batch_no, hash, body FROM evidence_leaves ORDER BY log_no, leaf_index";

const TILES: &str =
    "SELECT log_no, level, tile_no, hash FROM evidence_tiles ORDER BY log_no, level, tile_no";

/// How many leaves or tiles one round trip brings.
const AT_ONCE: i32 = 2_000;

impl LedgerScan<'_> {
    /// What the head of the ledger tells; `None` where it has no row.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn log_head(&self) -> Result<Option<LogHead>, Error> {
        let sql = "SELECT (SELECT id FROM audit_installation LIMIT 1), log_no, log_size, batch_no, recorded_at
                     FROM ledger_head";
        query::optional_row(&self.transaction, READING, sql, &[], |row| {
            Ok(LogHead {
                installation: row.try_get(0)?,
                log_no: row.try_get(1)?,
                log_size: row.try_get(2)?,
                batch_no: row.try_get(3)?,
                recorded_at: row.try_get(4)?,
            })
        })
        .await
    }

    /// How many rows there are, as the head of the ledger tells it.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn rows_claimed(&self) -> Result<i64, Error> {
        let sql = "SELECT coalesce(max(row_count), 0) FROM ledger_head";
        query::row(&self.transaction, READING, sql, &[], |row| row.try_get(0)).await
    }

    /// All leaves, in the order of the logs and their leaves.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn log_leaves(&self) -> Result<LeafScan<'_>, Error> {
        Ok(LeafScan(self.portal(LEAVES, AT_ONCE).await?))
    }

    /// What the ledger has of batches whose numbers follow each other, as log `log_no` has it.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn ledger_batches(
        &self,
        log_no: i32,
        batch_nos: RangeInclusive<i64>,
    ) -> Result<Vec<LedgerBatch>, Error> {
        batch_leaves(&self.transaction, log_no, batch_nos).await
    }

    /// All tiles.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn log_tiles(&self) -> Result<TileScan<'_>, Error> {
        Ok(TileScan(self.portal(TILES, AT_ONCE).await?))
    }

    /// The batches that have no leaf. The log has those from `first_batch_no` on.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn unlogged(&self, first_batch_no: Option<i64>) -> Result<Unlogged, Error> {
        let sql = "SELECT count(*) FILTER (WHERE batch_no < $1),
                          coalesce(sum(row_count) FILTER (WHERE batch_no < $1), 0)::bigint,
                          min(batch_no) FILTER (WHERE batch_no >= $1),
                          (SELECT min(batch_no) FROM evidence_adoptions adoption
                            WHERE NOT EXISTS (SELECT FROM evidence_leaves leaf
                                               WHERE leaf.kind = 3 AND leaf.batch_no = adoption.batch_no AND leaf.log_no = adoption.log_no))
                     FROM ingest_batches batch
                    WHERE NOT EXISTS (SELECT FROM evidence_leaves leaf WHERE leaf.batch_no = batch.batch_no)";
        let first = first_batch_no.unwrap_or(i64::MAX);
        query::row(&self.transaction, READING, sql, &[(&first, Type::INT8)], |row| {
            Ok(Unlogged {
                batches: row.try_get(0)?,
                rows: row.try_get(1)?,
                due: row.try_get(2)?,
                adopted: row.try_get(3)?,
            })
        })
        .await
    }

    /// All checkpoints that were signed here, in the order of their leaves.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn checkpoints(&self) -> Result<Vec<StoredCheckpoint>, Error> {
        all_checkpoints(&self.transaction).await
    }

    /// All replays, as their leaves have to be.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn replay_claims(&self) -> Result<Vec<ReplayClaim>, Error> {
        query::rows(&self.transaction, READING, REPLAYS, &[], read_replay).await
    }

    /// Which rows of a batch, or their dead letters, were written by another transaction than most
    /// of them, as far as the server tells.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn rows_of_other_transactions(
        &self,
        first_id: i64,
        last_id: i64,
    ) -> Result<Vec<i64>, Error> {
        let values = [(&first_id as &(dyn ToSql + Sync), Type::INT8), (&last_id, Type::INT8)];
        let what = "asking which transactions wrote rows";
        query::rows(&self.transaction, what, OTHERS, &values, |row| row.try_get(0)).await
    }
}

const OTHERS: &str = "
WITH written AS MATERIALIZED (
    SELECT id, xmin::text AS transaction FROM event_logs WHERE id BETWEEN $1 AND $2
    UNION ALL
    SELECT event_log_id, xmin::text FROM dead_letters WHERE event_log_id BETWEEN $1 AND $2
), most AS (
    SELECT transaction FROM written GROUP BY transaction ORDER BY count(*) DESC, min(id) LIMIT 1
)
SELECT DISTINCT id FROM written WHERE transaction <> (SELECT transaction FROM most) ORDER BY id";

/// Leaves, one after the other.
pub struct LeafScan<'a>(PortalRows<'a>);

impl LeafScan<'_> {
    /// The next leaves, as many as one round trip brings; none behind the last.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn next(&mut self) -> Result<Vec<StoredLeaf>, Error> {
        let rows = self.0.page().await?;
        rows.iter().map(read_leaf).collect::<Result<_, _>>().map_err(Error::query(READING))
    }
}

/// Tiles, one after the other.
pub struct TileScan<'a>(PortalRows<'a>);

impl TileScan<'_> {
    /// The next tiles, as many as one round trip brings; none behind the last.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn next(&mut self) -> Result<Vec<StoredTile>, Error> {
        let rows = self.0.page().await?;
        rows.iter().map(read_tile).collect::<Result<_, _>>().map_err(Error::query(READING))
    }
}

const REPLAYS: &str = "
    SELECT replay_id, event_log_id, attempt, requested_by, database_role, requested_at, reason, target_topic, target_partition,
           state, new_partition, new_offset, error, resolved_at
      FROM dlt_replays";

fn read_replay(row: &Row) -> Result<ReplayClaim, tokio_postgres::Error> {
    let replay_id = row.try_get(0)?;
    let resolved_at = row.try_get::<_, Option<_>>(13)?;
    let outcome = match resolved_at {
        Some(resolved_at) => Some(ReplayOutcomeLeaf {
            replay_id,
            state: row.try_get(9)?,
            new_partition: row.try_get(10)?,
            new_offset: row.try_get(11)?,
            error: row.try_get(12)?,
            resolved_at,
        }),
        None => None,
    };
    let request = ReplayRequestLeaf {
        replay_id,
        event_log_id: row.try_get(1)?,
        attempt: row.try_get(2)?,
        requested_by: row.try_get(3)?,
        database_role: row.try_get(4)?,
        requested_at: row.try_get(5)?,
        reason: row.try_get(6)?,
        target_topic: row.try_get(7)?,
        target_partition: row.try_get(8)?,
    };
    Ok(ReplayClaim { request, outcome })
}

fn read_leaf(row: &Row) -> Result<StoredLeaf, tokio_postgres::Error> {
    Ok(StoredLeaf {
        log_no: row.try_get(0)?,
        leaf_index: row.try_get(1)?,
        kind: row.try_get(2)?,
        batch_no: row.try_get(3)?,
        hash: row.try_get(4)?,
        body: row.try_get(5)?,
    })
}

fn read_tile(row: &Row) -> Result<StoredTile, tokio_postgres::Error> {
    Ok(StoredTile {
        log_no: row.try_get(0)?,
        level: row.try_get(1)?,
        tile_no: row.try_get(2)?,
        hash: row.try_get(3)?,
    })
}
