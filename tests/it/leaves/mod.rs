//! Leaves of `event_logs`: closed, sealed, and known to `verify`.

mod verified;

use crate::support::Database;
use crate::support::rows::{events, record};

/// How many ids a leaf holds.
const LEAF_SIZE: i64 = 2_097_152;

/// Goes on with the first id of a leaf, so that those before are over.
fn go_to_leaf(database: &Database, number: i64) {
    database.execute(&format!(
        "SELECT setval('event_logs_id_seq', {number} * {LEAF_SIZE}, true);
         SELECT ensure_event_log_leaf({number} * {LEAF_SIZE})"
    ));
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
