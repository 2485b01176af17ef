//! Enters a batch into the ledger, and its leaf into the log: one statement, which holds the
//! ledger's head until the transaction ends.

use tokio_postgres::{Client, Statement, Transaction};

use super::batch::{BATCH_CHANNEL, Batch, Roots};
use crate::evidence::leaf::{BatchLeaf, LeafKind, RangeFacts};
use crate::evidence::tree::TILE_WIDTH;
use crate::store::error::Error;
use crate::time::PostgresMicros;

/// What it does, in errors.
const ENTERING: &str = "entering a batch into the ledger";

/// Prepares the statement. The leaf's number and time are known when the head is locked, so its
/// hash is made here, of what lies before, between and behind them.
pub(super) async fn prepare(client: &Client) -> Result<Statement, tokio_postgres::Error> {
    client
        .prepare(
            "WITH head AS (
                 UPDATE ledger_head
                    SET batch_no = batch_no + 1, row_count = row_count + $3, log_size = log_size + 1,
                        recorded_at = greatest(recorded_at, clock_timestamp())
                 RETURNING batch_no, recorded_at, log_no, log_size),
             batch AS (
                 INSERT INTO ingest_batches (batch_no, first_id, last_id, row_count, recorded_at, ingester, row_root, record_root,
                                             min_created_at, max_created_at, counted)
                 SELECT batch_no, $1, $2, $3::bigint, recorded_at, $4, $14, $15, $11::timestamp, $12::timestamp, $13::boolean
                   FROM head),
             ranges AS (
                 INSERT INTO ingest_batch_ranges (batch_no, partition_id, first_offset, next_offset, row_count, kind, topic_id)
                 SELECT head.batch_no, entry.*
                   FROM head, unnest($5::int[], $6::bigint[], $7::bigint[], $8::int[], $9::text[], $16::uuid[]) AS entry),
             leaf AS (
                 INSERT INTO evidence_leaves (log_no, leaf_index, kind, batch_no, hash)
                 SELECT log_no, log_size - 1, $17, batch_no,
                        sha256('\\x00'::bytea || $18 || int8send(batch_no) || $19
                               || int8send((extract(epoch FROM recorded_at) * 1000000)::bigint) || $20)
                   FROM head)
             SELECT batch_no, log_no, log_size, pg_notify($10, batch_no::text) FROM head",
        )
        .await
}

/// Enters a batch, and returns its number.
///
/// # Errors
/// `Error::Query`, `Error::Evidence`.
pub(super) async fn enter(
    transaction: &Transaction<'_>,
    statement: &Statement,
    batch: &Batch<'_>,
    roots: Roots,
) -> Result<i64, Error> {
    let leaf = leaf_of(batch, roots);
    let row_count = i64::from(leaf.row_count);
    let ranges = &leaf.ranges;
    let partition_ids: Vec<i32> = ranges.iter().map(|range| range.partition_id).collect();
    let first_offsets: Vec<i64> = ranges.iter().map(|range| range.first_offset).collect();
    let next_offsets: Vec<i64> = ranges.iter().map(|range| range.next_offset).collect();
    let row_counts: Vec<i32> = ranges.iter().map(|range| range.row_count).collect();
    let kinds: Vec<&str> = ranges.iter().map(|range| range.kind.as_str()).collect();
    let topic_ids: Vec<_> = ranges.iter().map(|range| range.topic_id).collect();
    let parts = leaf.parts().map_err(Error::Evidence)?;
    let row = transaction
        .query_one(
            statement,
            &[
                &leaf.first_id,
                &leaf.last_id,
                &row_count,
                &leaf.ingester,
                &partition_ids,
                &first_offsets,
                &next_offsets,
                &row_counts,
                &kinds,
                &BATCH_CHANNEL,
                &leaf.min_created_at,
                &leaf.max_created_at,
                &leaf.counted,
                &leaf.row_root.as_slice(),
                &leaf.record_root.as_ref().map(<[u8; 32]>::as_slice),
                &topic_ids,
                &(LeafKind::Batch as i16),
                &parts.before,
                &parts.between,
                &parts.behind,
            ],
        )
        .await;
    let entered = row.and_then(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?)));
    let (batch_no, log_no, log_size): (i64, i32, i64) = entered.map_err(Error::query(ENTERING))?;
    if log_size.cast_unsigned().is_multiple_of(TILE_WIDTH) {
        transaction
            .execute("SELECT close_evidence_tiles($1, $2)", &[&log_no, &log_size])
            .await
            .map_err(Error::query("closing a tile of the evidence log"))?;
    }
    Ok(batch_no)
}

/// The batch's leaf, as far as it is known before it is entered.
fn leaf_of(batch: &Batch<'_>, roots: Roots) -> BatchLeaf {
    let row_count = batch.events.map_or(0, |(rows, _)| rows.len() as i64);
    let first_id = batch.events.map(|(_, ids)| ids.first_id);
    let created = batch.events.and_then(|(rows, _)| rows.timestamps());
    let (min_created_at, max_created_at) = created.unzip();
    BatchLeaf {
        batch_no: 0,
        first_id,
        last_id: first_id.map(|first| first + row_count - 1),
        row_count: row_count as i32,
        recorded_at: PostgresMicros::default(),
        ingester: batch.ingester.to_owned(),
        row_root: roots.row_root,
        record_root: roots.record_root,
        min_created_at,
        max_created_at,
        counted: batch.counts.is_some(),
        ranges: batch
            .ranges
            .iter()
            .map(|range| RangeFacts {
                partition_id: range.partition_id,
                cluster_id: range.identity.cluster_id.as_ref().to_owned(),
                topic: range.identity.name.topic.clone(),
                topic_id: range.identity.topic_id,
                partition: range.identity.name.partition,
                incarnation: range.identity.incarnation,
                first_offset: range.first_offset,
                next_offset: range.next_offset,
                row_count: range.row_count,
                kind: range.kind.as_str().to_owned(),
            })
            .collect(),
        adoption: None,
    }
}
