//! Leaves of `event_logs`: closed, sealed, searched, and known to `verify`.

mod kills;
mod maintain;
mod many;
mod migrated;
mod sealing;
mod search;
mod shown;
mod verified;

use crate::support::Database;
use crate::support::rows::{events, record};

/// How many ids a leaf holds.
const LEAF_SIZE: i64 = 2_097_152;

/// Goes on with the first id of a leaf, so that those before are over.
fn go_to_leaf(database: &Database, number: i64) {
    // A transaction of its own: whoever inserts finds the leaf when it draws an id.
    database.execute(&format!("SELECT ensure_event_log_leaf({number} * {LEAF_SIZE})"));
    database.execute(&format!("SELECT setval('event_logs_id_seq', {number} * {LEAF_SIZE})"));
}

/// Takes one step towards sealed leaves, and says which.
fn step(database: &Database) -> String {
    database.value("SELECT seal_event_log_leaf(0, false, false)")
}

/// Takes steps until nothing is left to be done.
fn seal(database: &Database) -> Vec<String> {
    let steps = std::iter::repeat_with(|| step(database));
    steps.take_while(|step| !step.is_empty()).take(100).collect()
}

/// Records `count` rows in the first leaf, and goes on with the next.
fn fill_first_leaf(database: &Database, count: u32) {
    record(database, &events("OrderCreated", count, "2026-11-22"));
    go_to_leaf(database, 1);
}

/// An index of a leaf, by what follows USING in its definition.
fn index(database: &Database, leaf: &str, definition: &str) -> String {
    database.value(&format!(
        "SELECT index_id::regclass FROM event_log_indexes_of('{leaf}') WHERE definition = '{definition}'"
    ))
}

/// What is wrong with the indexes of sealed leaves: each that is missing, doubled or invalid.
fn wrong_indexes(database: &Database) -> Vec<Vec<String>> {
    database.rows(
        "SELECT name, wanted.definition, count(index_id), bool_and(valid)
           FROM event_log_leaves CROSS JOIN event_log_leaf_indexes() AS wanted
           LEFT JOIN LATERAL event_log_indexes_of(name) AS found_ ON found_.definition = wanted.definition
          WHERE sealed_at IS NOT NULL AND wanted.sealed
          GROUP BY 1, 2 HAVING count(index_id) <> 1 OR NOT bool_and(valid)
         UNION ALL
         SELECT relname, indexrelid::regclass::text, 0, false
           FROM pg_index JOIN pg_class ON oid = indrelid WHERE NOT indisvalid",
    )
}

/// How many leaves are over and not sealed.
fn unsealed(database: &Database) -> i64 {
    database.number(
        "SELECT count(*) FROM event_log_leaves
          WHERE sealed_at IS NULL AND next_id <= (SELECT last_value FROM event_logs_id_seq)",
    )
}

/// How many batches entered a leaf when it was closed.
fn late_batches(database: &Database) -> i64 {
    database.number(
        "SELECT count(*) FROM ingest_batches batch JOIN event_log_leaves leaf
             ON batch.first_id >= leaf.first_id AND batch.first_id < leaf.next_id
          WHERE recorded_at > closed_at",
    )
}
