//! A log in memory that has everything a proof may hold, and the proofs of it.

use audit::evidence::Hash;
use audit::evidence::leaf::{Adoption, BatchLeaf, RangeFacts};
use audit::evidence::note::{Checkpoint, Origin, SignerKey};
use audit::evidence::proof::{ConsistencyProof, DeadLetterColumns, InclusionProof, RowColumns};
use audit::evidence::tree::{leaf_hash, root_of};
use audit::time::{PostgresMicros, UnixMicros};
use tlog_tiles::tlog;
use uuid::Uuid;

/// Leaves of the old checkpoint, and of the new one.
pub(super) const SIZES: [u64; 2] = [300, 777];

/// Where the batch's leaf is, and that of the adopted one.
const BATCH_AT: u64 = 299;
const ADOPTED_AT: u64 = 640;

/// 2026-11-22 10:00:00 UTC.
const NOW: i64 = 1_795_341_600_000_000;

/// The log, and the key that signs its checkpoints.
pub(super) struct Sample {
    pub(super) key: SignerKey,
    leaves: Vec<Vec<u8>>,
    rows: Vec<RowColumns>,
    batch: BatchLeaf,
    adopted: BatchLeaf,
}

impl Sample {
    pub(super) fn new() -> Self {
        let installation = Uuid::from_u128(0x5b3c_9a52_0c5e_4c58_9a3c_0f5c_3fb0_d1a7);
        let origin = Origin::new(installation, 0).expect("no restart");
        let key = SignerKey::of_seed(origin, &[7; 32]).expect("a key");
        let rows = rows();
        let batch = batch(&rows);
        let mut adopted = BatchLeaf { batch_no: 9, record_root: None, ..batch.clone() };
        adopted.adoption =
            Some(Adoption { adopted_at: unix(NOW + 5), adopted_by: "postgres".to_owned() });
        let mut leaves: Vec<_> =
            (0..SIZES[1]).map(|leaf| [&[4], &leaf.to_be_bytes()[..]].concat()).collect();
        leaves[BATCH_AT as usize] = batch.encode().expect("a leaf");
        leaves[ADOPTED_AT as usize] = adopted.encode().expect("a leaf");
        Self { key, leaves, rows, batch, adopted }
    }

    /// The verifier key.
    pub(super) fn vkey(&self) -> String {
        self.key.verifier().to_string()
    }

    /// The signed checkpoint of so many leaves.
    pub(super) fn checkpoint(&self, size: u64) -> String {
        let root = root_of(self.leaves[..size as usize].iter().map(|leaf| leaf_hash(leaf)));
        let origin = self.key.verifier().origin();
        Checkpoint { origin, size, root }.sign(&self.key).expect("its own key")
    }

    /// That this row is in the batch, under the checkpoint of so many leaves.
    pub(super) fn proof(&self, row: usize, size: u64) -> InclusionProof {
        self.inclusion(row, &self.batch, BATCH_AT, size)
    }

    /// That this row is in the adopted batch.
    pub(super) fn adopted_proof(&self, row: usize) -> InclusionProof {
        self.inclusion(row, &self.adopted, ADOPTED_AT, SIZES[1])
    }

    fn inclusion(&self, row: usize, batch: &BatchLeaf, at: u64, size: u64) -> InclusionProof {
        let rows: Vec<_> =
            self.rows.iter().map(|row| row.canonical().expect("canonical")).collect();
        InclusionProof {
            row: self.rows[row].clone(),
            row_path: path(&rows, row as u64, rows.len() as u64),
            batch: batch.clone(),
            leaf_index: at,
            batch_path: path(&self.leaves, at, size),
            checkpoint: self.checkpoint(size),
        }
    }

    /// That the log of the second size begins with that of the first.
    pub(super) fn consistency(&self, old_size: u64, new_size: u64) -> ConsistencyProof {
        let nodes = Nodes::of(&self.leaves);
        let path = tlog::prove_tree(new_size, old_size, &nodes).expect("a path");
        ConsistencyProof { old_size, new_size, path: path.iter().map(|hash| hash.0).collect() }
    }
}

fn path(leaves: &[Vec<u8>], at: u64, size: u64) -> Vec<Hash> {
    let path = tlog::prove_record(size, at, &Nodes::of(leaves)).expect("a path");
    path.iter().map(|hash| hash.0).collect()
}

/// All nodes of a tree, as `tlog_tiles` wants to be given them.
struct Nodes(Vec<tlog::Hash>);

impl Nodes {
    fn of(leaves: &[Vec<u8>]) -> Self {
        let mut nodes = Self(Vec::new());
        for (place, leaf) in leaves.iter().enumerate() {
            let new = tlog::stored_hashes(place as u64, leaf, &nodes).expect("nodes");
            nodes.0.extend(new);
        }
        nodes
    }
}

impl tlog::HashReader for Nodes {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog::Hash>, tlog::Error> {
        Ok(indexes.iter().map(|index| self.0[*index as usize]).collect())
    }
}

fn unix(micros: i64) -> PostgresMicros {
    UnixMicros(micros).into()
}

/// Row 0 has no nulls and no dead letter, row 1 a dead letter without nulls, row 2 all the nulls
/// that there may be, the others times at the ends of what JSON has for them.
fn rows() -> Vec<RowColumns> {
    let uuid = |number: u128| Uuid::from_u128(0xaa00_0000_0000_4000_8000_0000_0000_0000 + number);
    let full = RowColumns {
        id: 1000,
        event_id: uuid(1),
        event_type: "Bestellt \"ü\" 🔑\u{7f}\u{202e}\n".to_owned(),
        aggregate_id: Some(uuid(2)),
        source_service: Some("orders".to_owned()),
        is_dlt: Some(false),
        payload: "{\"a\":12e21,\"n\":[0.5,-1],\"ü\":\"\\u001f\\\\\"}".to_owned(),
        created_at: unix(NOW),
        partition_id: Some(3),
        kafka_offset: Some(50),
        correlation_id: Some(uuid(3)),
        attributes: Some("{}".to_owned()),
        dead_letter: None,
    };
    let letter = DeadLetterColumns {
        event_log_id: 1001,
        key: Some(Vec::new()),
        value: Some((0..=255).collect()),
        headers: "[{\"name\":\"a\",\"value_base64\":\"AA==\"}]".to_owned(),
        origin_topic: Some("orders.events".to_owned()),
        origin_source: Some("header".to_owned()),
        origin_partition: Some(i32::MAX),
        origin_offset: Some(i64::MAX),
        origin_timestamp: Some(unix(-1)),
        consumer_group: Some(String::new()),
        exception_class: Some("java.lang.Error".to_owned()),
        exception_message: Some("no\0thing".replace('\0', " ")),
        stack_trace: Some("at a\n\tat b".to_owned()),
        attempts: Some(-1),
        replay_id: Some(uuid(9)),
        replay_attempt: Some(1),
    };
    let empty_letter = DeadLetterColumns {
        event_log_id: 1002,
        key: None,
        value: None,
        origin_topic: None,
        origin_source: None,
        origin_partition: None,
        origin_offset: None,
        origin_timestamp: None,
        consumer_group: None,
        exception_class: None,
        exception_message: None,
        stack_trace: None,
        attempts: None,
        replay_id: None,
        replay_attempt: None,
        ..letter.clone()
    };
    let with = |number: i64, created_at: PostgresMicros| RowColumns {
        id: 1000 + number,
        kafka_offset: Some(50 + number),
        created_at,
        ..full.clone()
    };
    let mut rows = vec![full.clone(), with(1, unix(0)), with(2, PostgresMicros(i64::MAX))];
    rows[1].is_dlt = Some(true);
    rows[1].dead_letter = Some(letter);
    rows[2] = RowColumns {
        aggregate_id: None,
        source_service: None,
        is_dlt: None,
        correlation_id: None,
        attributes: None,
        dead_letter: Some(empty_letter),
        ..rows[2].clone()
    };
    let moments = [
        PostgresMicros(i64::MIN),
        unix(-62_135_596_800_000_000),
        unix(-62_135_596_800_000_001),
        unix(253_402_300_799_999_999),
        unix(253_402_300_800_000_000),
    ];
    rows.extend(moments.into_iter().zip(3..).map(|(time, number)| with(number, time)));
    rows
}

fn batch(rows: &[RowColumns]) -> BatchLeaf {
    let stored = RangeFacts {
        partition_id: 3,
        cluster_id: "cluster".to_owned(),
        topic: "orders.events".to_owned(),
        topic_id: Some(Uuid::from_u128(77)),
        partition: 0,
        incarnation: 1,
        first_offset: 50,
        next_offset: 60,
        row_count: rows.len() as i32,
        kind: "stored".to_owned(),
    };
    let lost = RangeFacts {
        topic_id: None,
        first_offset: 40,
        next_offset: 50,
        row_count: 0,
        kind: "lost".to_owned(),
        ..stored.clone()
    };
    let other = RangeFacts {
        partition_id: 4,
        partition: 1,
        first_offset: 0,
        next_offset: 1,
        row_count: 0,
        ..stored.clone()
    };
    BatchLeaf {
        batch_no: 42,
        first_id: Some(1000),
        last_id: Some(999 + rows.len() as i64),
        row_count: rows.len() as i32,
        recorded_at: unix(NOW + 1),
        ingester: "host/1".to_owned(),
        row_root: root_of(rows.iter().map(|row| leaf_hash(&row.canonical().expect("canonical")))),
        record_root: Some([5; 32]),
        min_created_at: Some(PostgresMicros(i64::MIN)),
        max_created_at: None,
        counted: true,
        ranges: vec![lost, stored, other],
        adoption: None,
    }
}
