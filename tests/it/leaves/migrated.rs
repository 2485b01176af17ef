//! Databases of version 10, whose leaves held 2^23 ids, and had all indexes from the beginning.

use std::time::Duration;

use sandbox::Sandbox;

use super::LEAF_SIZE;
use crate::support::rows::{commit, events, insert, record, reserve};
use crate::support::{Audit, Database, Oracle, Producer, wait_until};

const LIMIT: Duration = Duration::from_secs(60);

/// How many ids an old leaf held.
const OLD_LEAF_SIZE: i64 = 8_388_608;

/// The registry of the leaves.
fn registry(database: &Database) -> Vec<Vec<String>> {
    database.rows(
        "SELECT name, first_id, next_id, closed_at IS NOT NULL, sealed_at IS NOT NULL, has_summaries, min_created_at, max_created_at
           FROM event_log_leaves ORDER BY first_id",
    )
}

/// What the partitions of `event_logs` take.
fn bounds(database: &Database) -> Vec<Vec<String>> {
    database.rows(
        "SELECT inhrelid::regclass, pg_get_expr(relpartbound, oid) FROM pg_inherits JOIN pg_class ON oid = inhrelid
          WHERE inhparent = 'event_logs'::regclass ORDER BY 1",
    )
}

/// All rows and batches, as one text.
fn record_of(database: &Database) -> String {
    database.value(
        "SELECT (SELECT string_agg(event_logs::text, ' ' ORDER BY id) FROM event_logs)
                || (SELECT string_agg(concat(batch_no, first_id, last_id, row_count), ' ' ORDER BY batch_no) FROM ingest_batches)",
    )
}

#[test]
fn the_leaves_of_version_10_stay_with_their_indexes_and_recording_goes_on_in_the_shortened_last_one()
 {
    let scope = Sandbox::shared().scope("old_leaves");
    let (audit, topic) = (Audit::of_version(&scope, 10), scope.create_topic("orders.events", 2));
    let database = Database::open(&audit.database_url);
    record(&database, &events("OrderCreated", 200, "2026-11-22"));
    // The next leaf, and one that was made ahead.
    database.execute(&format!("SELECT setval('event_logs_id_seq', {OLD_LEAF_SIZE} - 50)"));
    record(&database, &events("OrderPaid", 100, "2026-11-23"));
    database.execute(&format!(
        "SELECT ensure_event_log_leaf(2 * {OLD_LEAF_SIZE});
         SELECT setval('event_logs_id_seq', {OLD_LEAF_SIZE} + 3000000)"
    ));
    record(&database, &events("OrderShipped", 50, "2026-11-24"));
    assert_eq!(bounds(&database).len(), 3);
    assert_eq!(database.number("SELECT count(*) FROM event_logs_000001"), 150);
    let before = record_of(&database);

    // Whoever runs the new version is told what to do first.
    let output = audit.run(&["ingest", "--until-end", "--topics", &topic]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("audit migrate"), "{said}");

    // An ingester of the old version is in the middle of a batch: the migration waits for it.
    let old = Database::open(&audit.database_url);
    let ids = reserve(&old, 10);
    old.execute("BEGIN");
    insert(&old, &ids, &events("OrderPaid", 10, "2026-11-25"));
    let mut migration = audit.start(&["migrate"]);
    wait_until("the migration waits for the batch", LIMIT, || {
        database.number(
            "SELECT count(*) FROM pg_stat_activity
              WHERE datname = current_database() AND application_name = 'audit migrate' AND wait_event_type = 'Lock'",
        ) == 1
    });
    commit(&old, &ids);
    migration.succeed(LIMIT);
    assert!(migration.log().contains("applied V11__leaves"), "{}", migration.log());
    // The old version goes on while both run.
    record(&old, &events("OrderPaid", 10, "2026-11-25"));

    let shortened = 6 * LEAF_SIZE;
    let now = record_of(&database);
    assert_eq!(database.event_count(), 370);
    assert!(
        now.starts_with(before.split("OrderShipped").next().unwrap_or_default()),
        "rows changed"
    );
    let expected = [
        ["event_logs_000000", &format!("FOR VALUES FROM ('0') TO ('{OLD_LEAF_SIZE}')")],
        ["event_logs_000004", &format!("FOR VALUES FROM ('{OLD_LEAF_SIZE}') TO ('{shortened}')")],
    ];
    assert_eq!(bounds(&database), expected);
    let (size, next) = (OLD_LEAF_SIZE.to_string(), shortened.to_string());
    assert_eq!(
        registry(&database),
        [
            [
                "event_logs_000000",
                "0",
                &size,
                "t",
                "t",
                "f",
                "2026-11-22 00:00:01",
                "2026-11-22 00:03:20"
            ],
            ["event_logs_000004", &size, &next, "f", "t", "f", "∅", "∅"],
        ]
    );
    for leaf in ["event_logs_000000", "event_logs_000004"] {
        for definition in [
            "btree (id)",
            "btree (event_type)",
            "btree (aggregate_id)",
            "btree (correlation_id)",
            "btree (event_type, created_at, id)",
            "btree (source_service, event_type)",
            "btree (partition_id, event_type, source_service, is_dlt)",
        ] {
            let valid = database.value(&format!(
                "SELECT bool_and(valid) FROM event_log_indexes_of('{leaf}') WHERE ltrim(definition, 'UNIQUE ') = '{definition}'"
            ));
            assert_eq!(valid, "t", "{leaf}: {definition}");
        }
        assert_eq!(
            database.number(&format!("SELECT count(*) FROM pg_constraint WHERE conrelid = '{leaf}'::regclass AND conname = 'audit_leaf_ids'")),
            0
        );
    }
    // Ids are found by the indexes that stayed.
    assert_eq!(
        database.number("SELECT count(*) FROM event_logs WHERE created_at < '2026-11-23'"),
        200
    );
    assert_eq!(audit.schema_findings().1, Vec::<String>::new());
    assert!(audit.succeed(&["migrate"]).contains("up to date"));
    assert_eq!(audit.schema_findings().1, Vec::<String>::new());

    // Recording goes on there, and in a light leaf behind it.
    database.execute(&format!("SELECT setval('event_logs_id_seq', {shortened} - 700)"));
    Producer::new(scope.brokers()).native_events(&topic, 0..2_000);
    let arguments = ["ingest", "--topics", &topic, "--batch-rows", "100", "--batch-wait", "20"];
    let mut ingester = audit.start(&arguments);
    wait_until("all is recorded", LIMIT, || database.event_count() == 2_370);
    wait_until("the old leaf is closed", LIMIT, || {
        database.value(
            "SELECT closed_at IS NOT NULL FROM event_log_leaves WHERE name = 'event_logs_000004'",
        ) == "t"
    });
    ingester.stop();
    let expected = format!("FOR VALUES FROM ('{shortened}') TO ('{}')", shortened + LEAF_SIZE);
    assert!(bounds(&database).contains(&vec!["event_logs_000006".to_owned(), expected]));
    assert!(database.number("SELECT count(*) FROM event_logs_000006") > 1_000);
    assert!(database.number("SELECT count(*) FROM event_logs_000004") > 500);
    Oracle::read(&database, scope.brokers(), &[&topic]).approve();
    assert_eq!(audit.schema_findings().1, Vec::<String>::new());
    // The one index that old leaves lack is built, too.
    audit.succeed(&["maintain"]);
    assert_eq!(
        database.number(
            "SELECT count(*) FROM event_log_leaves, event_log_indexes_of(name)
              WHERE sealed_at IS NOT NULL AND valid AND definition = 'btree (event_type, source_service, partition_id)'"
        ),
        2
    );
    assert_eq!(audit.schema_findings().1, Vec::<String>::new());
}

#[test]
fn a_database_of_version_10_without_a_row_begins_with_a_light_leaf() {
    let scope = Sandbox::shared().scope("old_and_empty");
    let audit = Audit::of_version(&scope, 10);
    let database = Database::open(&audit.database_url);
    audit.succeed(&["migrate"]);
    let size = LEAF_SIZE.to_string();
    assert_eq!(registry(&database), [["event_logs_000000", "0", &size, "f", "f", "t", "∅", "∅"]]);
    assert_eq!(
        database.number("SELECT count(*) FROM event_log_indexes_of('event_logs_000000') WHERE definition LIKE 'brin %' AND valid"),
        3
    );
    assert_eq!(audit.schema_findings().1, Vec::<String>::new());
}
