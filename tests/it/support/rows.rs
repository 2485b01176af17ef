//! Rows and batches written as the ingester writes them, for the tests of the commands that read.

use std::ops::RangeInclusive;

use super::Database;

/// The columns that [`insert`]'s rows have, in this order.
const COLUMNS: &str = "event_id, event_type, aggregate_id, source_service, is_dlt, payload, created_at, correlation_id";

/// `count` rows of one type, a second apart from `begin` on: the aggregate is one of ten, the
/// payload holds `n`.
pub(crate) fn events(event_type: &str, count: u32, begin: &str) -> String {
    format!(
        "SELECT gen_random_uuid(), '{event_type}', ('00000000-0000-4000-8000-' || lpad((n % 10)::text, 12, '0'))::uuid,
                'order-service', false, jsonb_build_object('n', n), '{begin}'::timestamp + n * interval '1 second', NULL::uuid
           FROM generate_series(1, {count}) n"
    )
}

/// Reserves ids.
pub(crate) fn reserve(database: &Database, count: i64) -> RangeInclusive<i64> {
    let first_id = database.number(&format!("SELECT first_id FROM reserve_event_log_ids({count})"));
    first_id..=first_id + count - 1
}

/// Writes the rows of a query, which gives as many as ids are reserved, within the transaction that
/// is open.
pub(crate) fn insert(database: &Database, ids: &RangeInclusive<i64>, rows: &str) {
    database.execute(&format!(
        "INSERT INTO event_logs (id, {COLUMNS})
         SELECT {} - 1 + row_number() OVER (), new.* FROM ({rows}) AS new({COLUMNS})",
        ids.start()
    ));
}

/// Writes the batch into the ledger and commits.
pub(crate) fn commit(database: &Database, ids: &RangeInclusive<i64>) {
    let (first, last) = (ids.start(), ids.end());
    database.execute(&format!(
        "UPDATE ledger_head SET batch_no = batch_no + 1, row_count = row_count + {last} - {first} + 1;
         INSERT INTO ingest_batches (batch_no, first_id, last_id, row_count, ingester, row_root, min_created_at, max_created_at)
         SELECT batch_no, {first}, {last}, {last} - {first} + 1, 'test', sha256(''), min(created_at), max(created_at)
           FROM ledger_head, event_logs WHERE id BETWEEN {first} AND {last} GROUP BY batch_no;
         SELECT pg_notify('audit_batches', batch_no::text) FROM ledger_head;
         COMMIT"
    ));
}

/// Records the rows of a query as one batch and returns their ids.
pub(crate) fn record(database: &Database, rows: &str) -> RangeInclusive<i64> {
    let count = database.number(&format!("SELECT count(*) FROM ({rows}) AS new"));
    let ids = reserve(database, count);
    database.execute("BEGIN");
    insert(database, &ids, rows);
    commit(database, &ids);
    ids
}

/// `partition_id` of the first partition of a topic, which is registered where it is not known.
pub(crate) fn partition(database: &Database, topic: &str) -> i64 {
    database.execute(&format!(
        "INSERT INTO kafka_partitions (cluster_id, topic, partition) VALUES ('test', '{topic}', 0) ON CONFLICT DO NOTHING"
    ));
    database.number(&format!("SELECT partition_id FROM kafka_partitions WHERE topic = '{topic}'"))
}
