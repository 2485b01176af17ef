//! Random logs, written as ingesters and others write them: batches that commit out of the order of
//! their ids, rows outside batches, and all that makes stories hard.

use audit::event::{QUARANTINED, TOMBSTONE, correlation_uuid};
use chrono::DateTime;
use uuid::Uuid;

use crate::support::Database;
use crate::support::rows::{commit, partition, reserve};

/// A row as it was inserted.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) id: i64,
    /// When its batch committed; rows outside batches come last.
    pub(crate) batch: i64,
    pub(crate) event_id: Uuid,
    pub(crate) event_type: String,
    pub(crate) aggregate: Option<Uuid>,
    pub(crate) correlation: Option<Uuid>,
    /// The correlation where it came as text.
    pub(crate) text: Option<String>,
    pub(crate) service: String,
    pub(crate) topic: &'static str,
    pub(crate) is_dlt: Option<bool>,
    pub(crate) number: u64,
    /// Microseconds since 1970.
    pub(crate) at: i64,
}

impl Row {
    /// Whether the audit itself gave the type.
    pub(crate) fn is_own(&self) -> bool {
        [TOMBSTONE, QUARANTINED].contains(&self.event_type.as_str())
    }
}

pub(crate) const DAY: i64 = 86_400_000_000;

/// `SplitMix64` (Steele, Lea, Flood: "Fast splittable pseudorandom number generators").
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn uuid(&mut self) -> Uuid {
        Uuid::from_u64_pair(self.next(), self.next())
    }

    fn one_of<T: Clone>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())].clone()
    }
}

/// When the log of a number begins: no two overlap.
pub(crate) fn begin(log: i64) -> i64 {
    1_700_000_000_000_000 / DAY * DAY + log * 100 * DAY
}

/// Writes a log of three days, and gives its rows.
pub(crate) fn write(database: &Database, log: i64, random: &mut Random) -> Vec<Row> {
    let correlations: Vec<(Uuid, Option<String>)> = (0..5)
        .map(|place| match place % 2 {
            0 => (random.uuid(), None),
            _ => {
                let text = format!("request {log}-{place} \"é\"");
                (correlation_uuid(text.as_bytes()), Some(text))
            }
        })
        .collect();
    let aggregates: Vec<Uuid> = (0..3).map(|_| random.uuid()).collect();
    let count = 1 + random.below(60);
    let mut rows: Vec<Row> = Vec::new();
    for _ in 0..count {
        let own_id = random.uuid();
        let event_id = match rows.len() {
            known if known > 0 && random.percent(20) => rows[random.below(known)].event_id,
            _ => own_id,
        };
        let (correlation, text) = match random.percent(70) {
            true => {
                let (id, text) = random.one_of(&correlations);
                (Some(id), text)
            }
            false => (None, None),
        };
        let aggregate = random.percent(60).then(|| random.one_of(&aggregates));
        let own_type = random.percent(10).then(|| random.one_of(&[TOMBSTONE, QUARANTINED]));
        let event_type = own_type.unwrap_or_else(|| random.one_of(&["A", "B", "C,\"x\"", "Ä → b"]));
        // Few times, so that many are equal.
        let day = random.below(3) as i64;
        let at = begin(log) + day * DAY + (random.below(4) * random.below(900_000_000)) as i64;
        rows.push(Row {
            id: 0,
            batch: 0,
            event_id,
            event_type: event_type.to_owned(),
            aggregate,
            correlation,
            text,
            service: random.one_of(&["s1", "s2"]).to_owned(),
            topic: random.one_of(&["t1", "t2"]),
            is_dlt: random.one_of(&[Some(false), Some(false), Some(false), None, Some(true)]),
            number: random.below(4) as u64,
            at: if random.percent(50) { at / 1_000_000_000 * 1_000_000_000 } else { at },
        });
    }
    let mut written = Vec::new();
    let mut rest = rows.as_slice();
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        let (piece, others) = rest.split_at((1 + random.below(12)).min(rest.len()));
        pieces.push((reserve(database, piece.len() as i64), piece));
        rest = others;
    }
    while !pieces.is_empty() {
        let (ids, piece) = pieces.swap_remove(random.below(pieces.len()));
        let is_batch = !random.percent(15);
        database.execute("BEGIN");
        for (id, row) in ids.clone().zip(piece) {
            let row = Row { id, batch: i64::MAX, ..row.clone() };
            insert(database, &row, is_batch);
            written.push(row);
        }
        if is_batch {
            commit(database, &ids);
            let batch = database.number("SELECT batch_no FROM ledger_head");
            written
                .iter_mut()
                .filter(|row| ids.contains(&row.id))
                .for_each(|row| row.batch = batch);
        } else {
            database.execute("COMMIT");
        }
        if random.percent(20) {
            database.execute("SELECT find_duplicate_deliveries(1 + floor(random() * 30)::bigint)");
        }
    }
    written
}

fn insert(database: &Database, row: &Row, is_batch: bool) {
    let partition = is_batch.then(|| partition(database, row.topic) as i32);
    let at = DateTime::from_timestamp_micros(row.at).unwrap_or_default().naive_utc();
    let attributes =
        row.text.as_ref().map(|text| serde_json::json!({ "original": { "correlation_id": text } }));
    database.execute_with(
        "INSERT INTO event_logs (id, event_id, event_type, aggregate_id, correlation_id, source_service, is_dlt, payload,
                                 created_at, partition_id, attributes)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        &[
            &row.id,
            &row.event_id,
            &row.event_type,
            &row.aggregate,
            &row.correlation,
            &row.service,
            &row.is_dlt,
            &serde_json::json!({ "n": row.number }),
            &at,
            &partition,
            &attributes,
        ],
    );
}
