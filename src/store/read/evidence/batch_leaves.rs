//! The leaves of batches, made of the ledger.

use std::ops::RangeInclusive;

use tokio_postgres::types::Type;
use tokio_postgres::{GenericClient, Row};

use crate::evidence::Hash;
use crate::evidence::leaf::{Adoption, BatchLeaf, RangeFacts};
use crate::store::connection::query;
use crate::store::error::Error;

/// A batch as the ledger has it, and what a log has of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerBatch {
    /// The number.
    pub batch_no: i64,
    /// Its leaf; `None` where the batch has no root: it was recorded before there was a log, and is
    /// not adopted.
    pub leaf: Option<BatchLeaf>,
}

/// The batches with these numbers, in their order, and the leaf of each as log `log_no` has it: of
/// a batch without a root of its own, the one under which that log adopted it.
///
/// # Errors
/// `Error::Query`.
pub(in crate::store) async fn batch_leaves(
    client: &impl GenericClient,
    log_no: i32,
    batch_nos: RangeInclusive<i64>,
) -> Result<Vec<LedgerBatch>, Error> {
    let values: [query::TypedValue<'_>; 3] =
        [(&log_no, Type::INT4), (batch_nos.start(), Type::INT8), (batch_nos.end(), Type::INT8)];
    let what = "reading the ledger";
    let mut ranges =
        query::rows(client, what, RANGES, &values[1..], read_range).await?.into_iter().peekable();
    let mut batches = query::rows(client, what, BATCHES, &values, read_batch).await?;
    for batch in &mut batches {
        while let Some((_, range)) = ranges.next_if(|(number, _)| *number <= batch.batch_no) {
            batch.leaf.iter_mut().for_each(|leaf| leaf.ranges.push(range.clone()));
        }
    }
    Ok(batches)
}

const RANGES: &str = "
    SELECT ranges.batch_no, ranges.partition_id, cluster_id, topic, ranges.topic_id, partition, incarnation,
           ranges.first_offset, ranges.next_offset, ranges.row_count, ranges.kind
      FROM ingest_batch_ranges ranges JOIN kafka_partitions USING (partition_id)
     WHERE ranges.batch_no BETWEEN $1 AND $2 ORDER BY ranges.batch_no, ranges.partition_id, ranges.first_offset";

const BATCHES: &str = "
    SELECT batch.batch_no, first_id, last_id, row_count, recorded_at, ingester, coalesce(batch.row_root, adoption.row_root),
           record_root, min_created_at, max_created_at, counted,
           CASE WHEN batch.row_root IS NULL THEN adopted_at END, CASE WHEN batch.row_root IS NULL THEN adopted_by END
      FROM ingest_batches batch
      LEFT JOIN evidence_adoptions adoption ON adoption.batch_no = batch.batch_no AND adoption.log_no = $1
     WHERE batch.batch_no BETWEEN $2 AND $3 ORDER BY batch.batch_no";

pub(super) fn read_range(row: &Row) -> Result<(i64, RangeFacts), tokio_postgres::Error> {
    let range = RangeFacts {
        partition_id: row.try_get(1)?,
        cluster_id: row.try_get(2)?,
        topic: row.try_get(3)?,
        topic_id: row.try_get(4)?,
        partition: row.try_get(5)?,
        incarnation: row.try_get(6)?,
        first_offset: row.try_get(7)?,
        next_offset: row.try_get(8)?,
        row_count: row.try_get(9)?,
        kind: row.try_get(10)?,
    };
    Ok((row.try_get(0)?, range))
}

fn read_batch(row: &Row) -> Result<LedgerBatch, tokio_postgres::Error> {
    let batch_no = row.try_get(0)?;
    // A root of another length becomes one of zeros: it fits nothing either.
    let root = |column| -> Result<Option<Hash>, tokio_postgres::Error> {
        let bytes: Option<&[u8]> = row.try_get(column)?;
        Ok(bytes.map(|bytes| bytes.try_into().unwrap_or_default()))
    };
    let Some(row_root) = root(6)? else { return Ok(LedgerBatch { batch_no, leaf: None }) };
    let adopted_at = row.try_get::<_, Option<_>>(11)?;
    let adoption = match adopted_at {
        Some(adopted_at) => Some(Adoption { adopted_at, adopted_by: row.try_get(12)? }),
        None => None,
    };
    let leaf = BatchLeaf {
        batch_no,
        first_id: row.try_get(1)?,
        last_id: row.try_get(2)?,
        row_count: row.try_get(3)?,
        recorded_at: row.try_get(4)?,
        ingester: row.try_get(5)?,
        row_root,
        record_root: root(7)?,
        min_created_at: row.try_get(8)?,
        max_created_at: row.try_get(9)?,
        counted: row.try_get(10)?,
        ranges: Vec::new(),
        adoption,
    };
    Ok(LedgerBatch { batch_no, leaf: Some(leaf) })
}
