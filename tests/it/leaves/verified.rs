//! What `verify` says of leaves.

use sandbox::Sandbox;

use super::{LEAF_SIZE, fill_first_leaf, go_to_leaf, index, seal, step};
use crate::support::rows::{events, record};
use crate::support::{Audit, Database};

/// Expects that nothing is found, while Kafka knows nothing of the rows.
fn approve(audit: &Audit, state: &str) {
    let (code, findings) = audit.schema_findings();
    assert_eq!(findings, Vec::<String>::new(), "{state}");
    assert_ne!(code, Some(1), "{state}");
}

#[test]
fn a_leaf_is_found_right_at_every_step_until_it_is_sealed_and_behind() {
    let scope = Sandbox::shared().scope("legal_leaves");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    approve(&audit, "nothing is recorded");
    fill_first_leaf(&database, 100);
    approve(&audit, "the first leaf is over, and not closed");
    let mut steps = 0;
    loop {
        // Drops no summaries while somebody reads: a sealed leaf that still has them is fine.
        let reader = (steps == 5).then(|| Database::open(&audit.database_url));
        if let Some(reader) = &reader {
            reader.execute("BEGIN; SELECT count(*) FROM event_logs");
        }
        let done = step(&database);
        approve(&audit, &format!("after step {steps}: {done}"));
        if done.is_empty() && reader.is_none() {
            break;
        }
        steps += 1;
    }
    assert!(steps > 5, "{steps} steps are fewer than there are");
    assert_eq!(
        database.rows("SELECT closed_at IS NOT NULL, sealed_at IS NOT NULL, has_summaries FROM event_log_leaves ORDER BY first_id"),
        [["t", "t", "f"], ["f", "f", "t"]]
    );
    // Sealed while it is written to: it has its indexes, and takes rows.
    record(&database, &events("OrderCreated", 10, "2026-11-22"));
    let early =
        std::iter::repeat_with(|| database.value("SELECT seal_event_log_leaf(0, true, false)"));
    assert_eq!(early.take_while(|done| !done.is_empty()).count(), 5);
    approve(&audit, "the leaf that is written to is sealed");
    record(&database, &events("OrderCreated", 10, "2026-11-23"));
    approve(&audit, "rows entered it");
    go_to_leaf(&database, 2);
    assert_eq!(seal(&database), ["event_logs_000001: closed"]);
    approve(&audit, "it is closed afterwards");
    // Written by hand into a closed leaf: what is known of its times is widened.
    database.execute(&format!(
        "INSERT INTO event_logs (id, event_id, event_type, payload, created_at)
         VALUES ({LEAF_SIZE} - 1, gen_random_uuid(), 'T', '{{}}', '1970-01-01'),
                ({LEAF_SIZE} - 2, gen_random_uuid(), 'T', '{{}}', '2970-01-01')"
    ));
    approve(&audit, "rows entered a closed leaf by hand");
    assert_eq!(
        database
            .rows("SELECT min_created_at, max_created_at FROM event_log_leaves WHERE first_id = 0"),
        [["1970-01-01 00:00:00", "2970-01-01 00:00:00"]]
    );
}

#[test]
fn what_a_leaf_lacks_is_named_and_what_is_told_of_it_wrongly() {
    let scope = Sandbox::shared().scope("damaged_leaves");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    fill_first_leaf(&database, 100);
    assert!(!seal(&database).is_empty());
    approve(&audit, "one is sealed");
    let by_aggregate = index(&database, "event_logs_000000", "btree (aggregate_id)");
    let by_type = index(&database, "event_logs_000000", "btree (event_type)");
    let summary = index(
        &database,
        "event_logs_000001",
        "brin (aggregate_id uuid_bloom_ops) WITH (pages_per_range=''32'')",
    );
    let function = database.value("SELECT pg_get_functiondef('note_late_row()'::regprocedure)");
    let damages = [
        (
            format!("DROP INDEX {by_aggregate}"),
            "CREATE INDEX ON event_logs_000000 (aggregate_id)".to_owned(),
            "event_logs_000000: lacks the index btree (aggregate_id): `audit maintain` builds it again",
        ),
        (
            "UPDATE pg_index SET indisvalid = false
              WHERE indexrelid = (SELECT index_id FROM event_log_indexes_of('event_logs_000000')
                                   WHERE definition = 'btree (correlation_id)')"
                .to_owned(),
            "UPDATE pg_index SET indisvalid = true WHERE NOT indisvalid".to_owned(),
            "event_logs_000000: the index btree (correlation_id) is invalid: `audit maintain` builds it again",
        ),
        (
            format!("UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{by_type}'::regclass"),
            "UPDATE pg_index SET indisvalid = true WHERE NOT indisvalid".to_owned(),
            "event_logs_000000: the index btree (event_type) is invalid",
        ),
        (
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'idx_event_type'::regclass".to_owned(),
            "UPDATE pg_index SET indisvalid = true WHERE NOT indisvalid".to_owned(),
            "event_logs: the index btree (event_type) is invalid",
        ),
        (
            format!("DROP INDEX {summary}"),
            "CREATE INDEX ON event_logs_000001 USING brin (aggregate_id uuid_bloom_ops) WITH (pages_per_range = 32)"
                .to_owned(),
            "event_logs_000001: lacks the index brin (aggregate_id uuid_bloom_ops)",
        ),
        (
            "DROP TRIGGER late_row ON event_logs_000000".to_owned(),
            "CREATE TRIGGER late_row AFTER INSERT ON event_logs_000000 FOR EACH ROW EXECUTE FUNCTION note_late_row();
             ALTER TABLE event_logs_000000 ENABLE ALWAYS TRIGGER late_row"
                .to_owned(),
            "event_logs_000000: is closed, and lacks the trigger late_row",
        ),
        (
            "ALTER TABLE event_logs_000000 DISABLE TRIGGER late_row".to_owned(),
            "ALTER TABLE event_logs_000000 ENABLE ALWAYS TRIGGER late_row".to_owned(),
            "event_logs_000000: has a trigger that migrate did not make: late_row",
        ),
        (
            // Before an insert the row would be thrown away.
            "CREATE TRIGGER late_row BEFORE INSERT ON event_logs_000001 FOR EACH ROW EXECUTE FUNCTION note_late_row();
             ALTER TABLE event_logs_000001 ENABLE ALWAYS TRIGGER late_row"
                .to_owned(),
            "DROP TRIGGER late_row ON event_logs_000001".to_owned(),
            "event_logs_000001: has a trigger that migrate did not make: late_row",
        ),
        (
            "CREATE OR REPLACE FUNCTION note_late_row() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
                .to_owned(),
            function,
            "note_late_row(): is not the function that migrate made",
        ),
        (
            "UPDATE event_log_leaves SET next_id = next_id - 1 WHERE first_id = 0".to_owned(),
            "UPDATE event_log_leaves SET next_id = next_id + 1 WHERE first_id = 0".to_owned(),
            "event_logs_000000: takes the ids 0 to 2097151, event_log_leaves tells the ids 0 to 2097150",
        ),
        (
            "UPDATE event_log_leaves SET max_created_at = max_created_at - interval '1 us' WHERE first_id = 0".to_owned(),
            "UPDATE event_log_leaves SET max_created_at = max_created_at + interval '1 us' WHERE first_id = 0".to_owned(),
            "event_logs_000000: has rows before or behind the times that event_log_leaves tells",
        ),
        (
            "UPDATE event_log_leaves SET min_created_at = min_created_at + interval '1 us' WHERE first_id = 0".to_owned(),
            "UPDATE event_log_leaves SET min_created_at = min_created_at - interval '1 us' WHERE first_id = 0".to_owned(),
            "event_logs_000000: has rows before or behind the times that event_log_leaves tells",
        ),
        (
            "DELETE FROM event_log_leaves WHERE name = 'event_logs_000001'".to_owned(),
            format!(
                "INSERT INTO event_log_leaves (first_id, next_id, name)
                 VALUES ({LEAF_SIZE}, 2 * {LEAF_SIZE}, 'event_logs_000001')"
            ),
            "event_logs_000001: is a partition of event_logs that event_log_leaves does not name",
        ),
    ];
    for (damage, mended, finding) in damages {
        database.execute(&damage);
        let (code, findings) = audit.schema_findings();
        assert_eq!(code, Some(5), "{damage}: {findings:?}");
        assert_eq!(findings.len(), 1, "{damage}: {findings:?}");
        assert!(findings[0].contains(finding), "{damage}: {findings:?}");
        database.execute(&mended);
        approve(&audit, &mended);
    }
    // Old rows leave by whole leaves: what is missing then is said of it once more.
    database.execute("ALTER TABLE event_logs DETACH PARTITION event_logs_000001");
    let (_, findings) = audit.schema_findings();
    let gone =
        "event_logs_000001: is no partition of event_logs any more, and event_log_leaves names it";
    assert_eq!(findings, [gone]);
}

#[test]
fn an_index_that_a_sealed_leaf_lacks_or_that_is_invalid_is_built_again_where_that_is_asked_for() {
    let scope = Sandbox::shared().scope("repaired_leaves");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    fill_first_leaf(&database, 100);
    assert!(!seal(&database).is_empty());
    let by_aggregate = index(&database, "event_logs_000000", "btree (aggregate_id)");
    let by_correlation = index(&database, "event_logs_000000", "btree (correlation_id)");
    database.execute(&format!(
        "DROP INDEX {by_aggregate};
         UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{by_correlation}'::regclass"
    ));
    assert_eq!(audit.schema_findings().1.len(), 2);
    // Not looked for beside the recording.
    assert_eq!(step(&database), "");
    let thorough = || database.value("SELECT seal_event_log_leaf(0, false, true)");
    assert_eq!(thorough(), "event_logs_000000: built btree (aggregate_id)");
    assert_eq!(thorough(), "event_logs_000000: built btree (correlation_id)");
    assert_eq!(thorough(), "");
    approve(&audit, "both are built again");
}
