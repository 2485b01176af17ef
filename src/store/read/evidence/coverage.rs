//! How much of what is recorded lies under a checkpoint.

use chrono::{DateTime, Utc};
use tokio_postgres::types::Type;

use crate::store::connection::session::Session;
use crate::store::error::Error;
use crate::store::read::evidence::checkpoints::{StoredCheckpoint, last_checkpoint};

/// How much of what is recorded can be proven. It is what the database says, which nobody has
/// verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceCoverage {
    /// The newest checkpoint of the log that is written to.
    pub checkpoint: Option<StoredCheckpoint>,
    /// Batches under a checkpoint.
    pub covered: Amount,
    /// Batches of the log behind its last checkpoint.
    pub behind: Amount,
    /// Batches in no log: recorded before there was one, and not adopted.
    pub unproven: Amount,
    /// When the first batch behind the checkpoint was recorded.
    pub behind_since: Option<DateTime<Utc>>,
}

/// Batches, and their rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amount {
    /// How many batches.
    pub batches: i64,
    /// How many rows they have.
    pub rows: i64,
}

/// How much of what is recorded can be proven now.
///
/// # Errors
/// `Error::Query`.
pub async fn evidence_coverage(session: &Session) -> Result<EvidenceCoverage, Error> {
    const WHAT: &str = "reading how far the log of evidence is signed";
    let log_no: i32 =
        session.row(WHAT, "SELECT log_no FROM ledger_head", &[], |row| row.try_get(0)).await?;
    let checkpoint = last_checkpoint(session, log_no).await?;
    let size = checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.size.cast_signed());
    // What is in no log is looked for among all batches: what else is missing must not count as
    // covered.
    session
        .row(
            WHAT,
            "WITH behind AS (
                 SELECT count(*) AS batches, coalesce(sum(row_count), 0)::bigint AS rows, min(recorded_at) AS since
                   FROM evidence_leaves leaf JOIN ingest_batches batch USING (batch_no)
                  WHERE leaf.log_no = $1 AND leaf.leaf_index >= $2),
             unproven AS (
                 SELECT count(*) AS batches, coalesce(sum(row_count), 0)::bigint AS rows
                   FROM ingest_batches batch
                  WHERE NOT EXISTS (SELECT FROM evidence_leaves leaf WHERE leaf.batch_no = batch.batch_no)),
             old AS (
                 SELECT count(*) AS batches, coalesce(sum(row_count), 0)::bigint AS rows
                   FROM evidence_leaves leaf JOIN ingest_batches batch USING (batch_no)
                  WHERE leaf.log_no < $1
                    AND leaf.leaf_index >= coalesce((SELECT max(log_size) FROM evidence_checkpoints signed
                                                      WHERE signed.log_no = leaf.log_no), 0)
                    AND NOT EXISTS (SELECT FROM evidence_leaves later
                                     WHERE later.batch_no = leaf.batch_no AND later.log_no > leaf.log_no))
             SELECT head.batch_no, head.row_count, behind.batches + old.batches, behind.rows + old.rows, behind.since,
                    unproven.batches, unproven.rows
               FROM ledger_head head, behind, unproven, old",
            &[(&log_no, Type::INT4), (&size, Type::INT8)],
            |row| {
                let (batches, rows): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
                let behind = Amount { batches: row.try_get(2)?, rows: row.try_get(3)? };
                let unproven = Amount { batches: row.try_get(5)?, rows: row.try_get(6)? };
                let covered = Amount {
                    batches: batches - behind.batches - unproven.batches,
                    rows: rows - behind.rows - unproven.rows,
                };
                Ok(EvidenceCoverage {
                    checkpoint: checkpoint.clone(),
                    covered,
                    behind,
                    unproven,
                    behind_since: row.try_get(4)?,
                })
            },
        )
        .await
}
