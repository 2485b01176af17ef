//! What somebody does who has altered the record and knows the schema: makes everything else fit.

use std::collections::HashMap;

use audit::evidence::canonical::RowForm;
use audit::evidence::leaf::BatchLeaf;
use audit::evidence::tree::{RootBuilder, TILE_WIDTH, leaf_hash, root_of};
use audit::store::LedgerScan;
use tokio_postgres::Transaction;

/// How far the attacker goes. Each does what those before do, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Skill {
    /// Alters, and leaves it at that.
    None,
    /// Makes sums, bounds and counts fit.
    Sums,
    /// Computes the roots over the rows anew.
    Roots,
    /// Computes the log anew, with leaves, tiles and head, and forgets the stored checkpoints.
    Log,
}

impl Skill {
    pub(super) const ALL: [Self; 4] = [Self::None, Self::Sums, Self::Roots, Self::Log];

    /// Makes fit what it can.
    pub(super) async fn repair(self, transaction: &mut Transaction<'_>) {
        if self >= Self::Sums {
            sums(transaction).await;
        }
        if self >= Self::Roots {
            roots(transaction).await;
        }
        if self >= Self::Log {
            log(transaction).await;
        }
    }
}

async fn sums(transaction: &mut Transaction<'_>) {
    let statements = "
        UPDATE ingest_batch_ranges range SET row_count = found.count
          FROM (SELECT batch_no, partition_id, first_offset,
                       (SELECT count(*) FROM event_logs row_ WHERE row_.partition_id = ranges.partition_id
                           AND kafka_offset >= first_offset AND kafka_offset < next_offset) AS count
                  FROM ingest_batch_ranges ranges) found
         WHERE (range.partition_id, range.first_offset) = (found.partition_id, found.first_offset)
           AND range.kind = 'stored' AND range.row_count <> found.count AND found.count <= range.next_offset - range.first_offset;
        UPDATE ingest_batches batch SET min_created_at = found.first, max_created_at = found.last
          FROM (SELECT batch_no, min(created_at) AS first, max(created_at) AS last
                  FROM ingest_batches JOIN event_logs ON id BETWEEN first_id AND last_id GROUP BY 1) found
         WHERE batch.batch_no = found.batch_no AND (min_created_at, max_created_at) IS DISTINCT FROM (found.first, found.last);
        UPDATE ledger_head SET row_count = (SELECT coalesce(sum(row_count), 0) FROM ingest_batches),
               batch_no = (SELECT coalesce(max(batch_no), 0) FROM ingest_batches);
        UPDATE kafka_partitions SET next_offset = found.next
          FROM (SELECT partition_id, max(next_offset) AS next FROM ingest_batch_ranges GROUP BY 1) found
         WHERE kafka_partitions.partition_id = found.partition_id;
        DELETE FROM event_counts;
        DELETE FROM event_counts_by_day;
        INSERT INTO event_counts
        SELECT date_trunc('hour', created_at), event_type, source_service, partition_id, coalesce(is_dlt, false), count(*),
               min(created_at), max(created_at), false
          FROM ingest_batches JOIN event_logs ON id BETWEEN first_id AND last_id
         WHERE (counted OR batch_no <= (SELECT filled_through FROM event_count_state)) AND partition_id IS NOT NULL
         GROUP BY 1, 2, 3, 4, 5;
        DELETE FROM duplicate_deliveries;
        INSERT INTO duplicate_deliveries
        SELECT id FROM (SELECT id, batch_no, row_number() OVER (PARTITION BY event_id ORDER BY batch_no, id) AS nth
                          FROM ingest_batches JOIN event_logs ON id BETWEEN first_id AND last_id
                         WHERE is_dlt IS NOT TRUE AND event_type NOT IN ('audit.Tombstone', 'audit.Quarantined')) numbered
         WHERE nth > 1 AND batch_no <= (SELECT duplicates_through FROM event_count_state);
        UPDATE event_count_state SET duplicates = (SELECT count(*) FROM duplicate_deliveries),
               filled_through = least(filled_through, (SELECT batch_no FROM ledger_head)),
               duplicates_through = least(duplicates_through, (SELECT batch_no FROM ledger_head))";
    transaction.batch_execute(statements).await.unwrap_or_else(|error| panic!("sums: {error:?}"));
}

/// The roots over the rows as they are now.
async fn roots(transaction: &mut Transaction<'_>) {
    let batches: Vec<(i64, Option<i64>, Option<i64>)> = {
        let sql = "SELECT batch_no, first_id, last_id FROM ingest_batches";
        let rows = transaction.query(sql, &[]).await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
    };
    let mut leaves: Vec<(i64, [u8; 32])> = Vec::new();
    {
        let scan = LedgerScan::within(transaction.transaction().await.unwrap()).await.unwrap();
        let mut copy = scan.copy_rows(&(i64::MIN..=i64::MAX)).await.unwrap();
        let (mut rows, mut form) = (copy.rows(), RowForm::default());
        while let Some(piece) = copy.next().await.unwrap() {
            rows.push(piece);
            while let Some(row) = rows.next_row().unwrap() {
                leaves.push((row.id, leaf_hash(form.of(row.event, row.dead_letter).unwrap())));
            }
        }
    }
    let root = |first: Option<i64>, last: Option<i64>| {
        let ids = first.unwrap_or(0)..=last.unwrap_or(-1);
        root_of(leaves.iter().filter(|(id, _)| ids.contains(id)).map(|(_, hash)| *hash)).to_vec()
    };
    let numbers: Vec<i64> = batches.iter().map(|(number, ..)| *number).collect();
    let roots: Vec<Vec<u8>> = batches.iter().map(|(_, first, last)| root(*first, *last)).collect();
    let sql = "UPDATE ingest_batches SET row_root = root FROM unnest($1::bigint[], $2::bytea[]) AS new (number, root)
                WHERE batch_no = number AND row_root <> root";
    transaction.execute(sql, &[&numbers, &roots]).await.unwrap();
}

/// A leaf that is to be written.
struct NewLeaf {
    kind: i16,
    batch_no: Option<i64>,
    hash: Vec<u8>,
    body: Option<Vec<u8>>,
}

/// The log as it would be if the record had always been as it is now.
async fn log(transaction: &mut Transaction<'_>) {
    let sql = "SELECT kind, body FROM evidence_leaves WHERE log_no = 0 ORDER BY leaf_index";
    let old: Vec<(i16, Option<Vec<u8>>)> = {
        let rows = transaction.query(sql, &[]).await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    };
    let (batches, mut replays): (Vec<BatchLeaf>, HashMap<_, _>) = {
        let scan = LedgerScan::within(transaction.transaction().await.unwrap()).await.unwrap();
        let batches = scan.ledger_batches(0, i64::MIN..=i64::MAX).await.unwrap();
        let claims = scan.replay_claims().await.unwrap();
        let replays = claims.into_iter().map(|claim| (claim.request.replay_id, claim)).collect();
        (batches.into_iter().filter_map(|batch| batch.leaf).collect(), replays)
    };
    let mut batches = batches.into_iter();
    let of_batch = |leaf: BatchLeaf| NewLeaf {
        kind: 2,
        batch_no: Some(leaf.batch_no),
        hash: leaf_hash(&leaf.encode().unwrap()).to_vec(),
        body: None,
    };
    let mut new: Vec<NewLeaf> = Vec::new();
    for (kind, body) in old {
        let id = |body: &[u8]| uuid::Uuid::from_slice(body.get(7..23)?).ok();
        let body = match kind {
            2 => {
                new.extend(batches.next().map(of_batch));
                continue;
            }
            4 => body
                .as_deref()
                .and_then(id)
                .and_then(|id| replays.get(&id))
                .map(|claim| claim.request.encode().unwrap()),
            5 => body
                .as_deref()
                .and_then(id)
                .and_then(|id| replays.remove(&id))
                .and_then(|claim| claim.outcome)
                .map(|outcome| outcome.encode().unwrap()),
            _ => body,
        };
        new.extend(body.map(|body| NewLeaf {
            kind,
            batch_no: None,
            hash: leaf_hash(&body).to_vec(),
            body: Some(body),
        }));
    }
    new.extend(batches.map(of_batch));
    let indexes: Vec<i64> = (0..new.len() as i64).collect();
    let kinds: Vec<i16> = new.iter().map(|leaf| leaf.kind).collect();
    let numbers: Vec<Option<i64>> = new.iter().map(|leaf| leaf.batch_no).collect();
    let hashes: Vec<&[u8]> = new.iter().map(|leaf| leaf.hash.as_slice()).collect();
    let bodies: Vec<Option<&[u8]>> = new.iter().map(|leaf| leaf.body.as_deref()).collect();
    let statements =
        "DELETE FROM evidence_leaves; DELETE FROM evidence_tiles; DELETE FROM evidence_checkpoints";
    transaction.batch_execute(statements).await.unwrap();
    let sql = "INSERT INTO evidence_leaves (log_no, leaf_index, kind, batch_no, hash, body)
               SELECT 0, * FROM unnest($1::bigint[], $2::smallint[], $3::bigint[], $4::bytea[], $5::bytea[])";
    transaction.execute(sql, &[&indexes, &kinds, &numbers, &hashes, &bodies]).await.unwrap();
    let whole: Vec<[u8; 32]> =
        hashes.iter().map(|hash| <[u8; 32]>::try_from(*hash).unwrap()).collect();
    for (tile, leaves) in (0_i64..).zip(whole.chunks_exact(TILE_WIDTH as usize)) {
        let mut root = RootBuilder::default();
        root.extend(leaves.iter().copied());
        let sql = "INSERT INTO evidence_tiles (log_no, level, tile_no, hash) VALUES (0, 0, $1, $2)";
        transaction.execute(sql, &[&tile, &root.root().as_slice()]).await.unwrap();
    }
    let head = format!(
        "UPDATE ledger_head SET log_no = 0, log_size = {}, recorded_at = (SELECT max(recorded_at) FROM ingest_batches)",
        new.len()
    );
    transaction.batch_execute(&head).await.unwrap();
}
