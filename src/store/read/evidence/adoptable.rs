//! The batches that were recorded before there was a log, and that can be adopted into it.

use tokio_postgres::types::Type;

use super::batch_leaves::read_range;
use crate::evidence::leaf::BatchLeaf;
use crate::store::connection::session::Session;
use crate::store::error::Error;

/// A batch that waits: above $1 and below $2, without a root, without a leaf in the log that is
/// written to, and without an adoption that a checkpoint covers.
const WAITS: &str = "batch.batch_no > $1 AND batch.batch_no < $2 AND batch.row_root IS NULL
    AND NOT EXISTS (SELECT FROM evidence_leaves leaf, ledger_head head
                     WHERE leaf.batch_no = batch.batch_no AND leaf.log_no = head.log_no)
    AND NOT EXISTS (SELECT FROM evidence_leaves leaf JOIN evidence_checkpoints checkpoint USING (log_no)
                     WHERE leaf.batch_no = batch.batch_no AND checkpoint.log_size > leaf.leaf_index)";

/// What can be adopted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Adoptable {
    /// The first batch that has a root of its own, before which the others lie; one past the last
    /// batch where none has.
    pub next_batch_no: i64,
    /// How many batches wait.
    pub batches: i64,
    /// How many rows those have.
    pub rows: i64,
}

/// What can be adopted now.
///
/// # Errors
/// `Error::Query`.
pub async fn adoptable(session: &Session) -> Result<Adoptable, Error> {
    const WHAT: &str = "looking for batches from before the log";
    let sql = "SELECT coalesce((SELECT batch_no FROM ingest_batches WHERE row_root IS NOT NULL ORDER BY batch_no LIMIT 1),
                               (SELECT batch_no + 1 FROM ledger_head))";
    let next_batch_no: i64 = session.row(WHAT, sql, &[], |row| row.try_get(0)).await?;
    let sql = format!(
        "SELECT count(*), coalesce(sum(row_count), 0)::bigint FROM ingest_batches batch WHERE {WAITS}"
    );
    let values = [(&0_i64 as _, Type::INT8), (&next_batch_no as _, Type::INT8)];
    session
        .row(WHAT, &sql, &values, |row| {
            Ok(Adoptable { next_batch_no, batches: row.try_get(0)?, rows: row.try_get(1)? })
        })
        .await
}

/// The first batches behind `batch_no` that wait, `limit` of them at most: as leaves without a
/// root. `next_batch_no` is [`Adoptable::next_batch_no`].
///
/// # Errors
/// `Error::Query`.
pub async fn adoptable_batches(
    session: &Session,
    batch_no: i64,
    next_batch_no: i64,
    limit: i64,
) -> Result<Vec<BatchLeaf>, Error> {
    const WHAT: &str = "reading batches from before the log";
    let sql = format!(
        "SELECT batch_no, first_id, last_id, row_count, recorded_at, ingester, min_created_at, max_created_at, counted
           FROM ingest_batches batch WHERE {WAITS} ORDER BY batch_no LIMIT $3"
    );
    let values = [
        (&batch_no as _, Type::INT8),
        (&next_batch_no as _, Type::INT8),
        (&limit as _, Type::INT8),
    ];
    let mut batches = session
        .rows(WHAT, &sql, &values, |row| {
            Ok(BatchLeaf {
                batch_no: row.try_get(0)?,
                first_id: row.try_get(1)?,
                last_id: row.try_get(2)?,
                row_count: row.try_get(3)?,
                recorded_at: row.try_get(4)?,
                ingester: row.try_get(5)?,
                row_root: [0; 32],
                record_root: None,
                min_created_at: row.try_get(6)?,
                max_created_at: row.try_get(7)?,
                counted: row.try_get(8)?,
                ranges: Vec::new(),
                adoption: None,
            })
        })
        .await?;
    let batch_nos: Vec<i64> = batches.iter().map(|batch| batch.batch_no).collect();
    let ranges = session
        .rows(
            WHAT,
            "SELECT ranges.batch_no, partition_id, cluster_id, topic, ranges.topic_id, partition, incarnation,
                    first_offset, ranges.next_offset, row_count, kind
               FROM ingest_batch_ranges ranges JOIN kafka_partitions USING (partition_id)
              WHERE ranges.batch_no = ANY ($1) ORDER BY ranges.batch_no, partition_id, first_offset",
            &[(&batch_nos, Type::INT8_ARRAY)],
            read_range,
        )
        .await?;
    let mut ranges = ranges.into_iter().peekable();
    for batch in &mut batches {
        while let Some((_, range)) = ranges.next_if(|(batch_no, _)| *batch_no == batch.batch_no) {
            batch.ranges.push(range);
        }
    }
    Ok(batches)
}
