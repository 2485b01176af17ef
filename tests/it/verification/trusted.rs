//! What `verify` does not take the server's word for.

use std::time::Duration;

use sandbox::Sandbox;

use crate::support::{Audit, Database, Producer, wait_until};

fn recorded(scope: &sandbox::Scope<'_>) -> (Audit, String) {
    let (audit, topic) = (Audit::migrated(scope), scope.create_topic("orders.events", 1));
    Producer::new(scope.brokers()).native_events(&topic, 0..50);
    audit.succeed(&["ingest", "--until-end", "--topics", &topic, "--batch-rows", "10"]);
    (audit, topic)
}

fn verify(audit: &Audit) -> (Option<i32>, String) {
    let output = audit.run(&["verify", "-o", "json", "--wait", "0"]);
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn what_stands_between_a_reader_and_the_rows_is_an_alteration() {
    let scope = Sandbox::shared().scope("verify_plain");
    let (audit, _) = recorded(&scope);
    assert_eq!(verify(&audit).0, Some(0));
    let database = Database::open(&audit.database_url);
    for (how, done, undone) in [
        (
            "a view in the place of the table",
            "ALTER TABLE event_logs RENAME TO hidden; CREATE VIEW event_logs AS SELECT * FROM hidden",
            "DROP VIEW event_logs; ALTER TABLE hidden RENAME TO event_logs",
        ),
        (
            "row security",
            "ALTER TABLE event_logs_000000 ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
            "ALTER TABLE event_logs_000000 DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY",
        ),
        (
            "a rule",
            "CREATE RULE quiet AS ON INSERT TO event_logs_000000 DO INSTEAD NOTHING",
            "DROP RULE quiet ON event_logs_000000",
        ),
        (
            "a child of the ledger",
            "CREATE TABLE more () INHERITS (ingest_batches)",
            "DROP TABLE more",
        ),
        (
            "a leaf in another schema",
            "CREATE SCHEMA theirs; SELECT ensure_event_log_leaf(1 << 21); ALTER TABLE event_logs_000001 SET SCHEMA theirs",
            "ALTER TABLE theirs.event_logs_000001 SET SCHEMA public; DROP SCHEMA theirs",
        ),
        (
            "a leaf that nobody made",
            "CREATE SCHEMA theirs; CREATE TABLE theirs.leaf PARTITION OF event_logs FOR VALUES FROM (900000000) TO (900000001)",
            "DROP SCHEMA theirs CASCADE",
        ),
        (
            "a leaf that is divided",
            "CREATE TABLE divided PARTITION OF event_logs FOR VALUES FROM (900000000) TO (900000001) PARTITION BY RANGE (id)",
            "DROP TABLE divided",
        ),
    ] {
        database.execute(done);
        let (code, text) = verify(&audit);
        assert_eq!(code, Some(5), "{how}: {text}");
        database.execute(undone);
    }
    assert_eq!(verify(&audit).0, Some(0), "all of it is undone");
}

#[test]
fn names_are_not_looked_up_where_the_server_says() {
    let scope = Sandbox::shared().scope("verify_search_path");
    let (audit, _) = recorded(&scope);
    let database = Database::open(&audit.database_url);
    // As everything was before a row was changed.
    database.execute(
        "CREATE SCHEMA theirs;
         CREATE TABLE theirs.event_logs AS SELECT * FROM event_logs;
         CREATE TABLE theirs.kafka_partitions AS SELECT * FROM kafka_partitions;
         CREATE TABLE theirs.audit_installation AS SELECT * FROM audit_installation;
         CREATE TABLE theirs.ingest_batches AS SELECT * FROM ingest_batches",
    );
    let name = database.value("SELECT current_database()");
    database.execute(&format!("ALTER DATABASE {name} SET search_path = theirs, public"));
    assert_eq!(verify(&audit).0, Some(0));
    database.execute(
        "ALTER TABLE event_logs DISABLE TRIGGER append_only; ALTER TABLE event_logs_000000 DISABLE TRIGGER append_only;
         UPDATE public.event_logs SET payload = '{}' WHERE id = (SELECT max(id) FROM public.event_logs);
         ALTER TABLE event_logs ENABLE ALWAYS TRIGGER append_only; ALTER TABLE event_logs_000000 ENABLE ALWAYS TRIGGER append_only",
    );
    let (code, text) = verify(&audit);
    assert_eq!(code, Some(5), "{text}");
    // The row that another transaction wrote is named.
    let row = database.value("SELECT 'row ' || max(id) FROM public.event_logs");
    assert!(text.contains(&row), "{row}: {text}");
}

#[test]
fn the_server_is_not_told_that_it_is_verified() {
    let scope = Sandbox::shared().scope("verify_unnamed");
    let (audit, topic) = recorded(&scope);
    let database = Database::open(&audit.database_url);
    Producer::new(scope.brokers()).native_events(&topic, 50..51);
    // It waits for what nobody records.
    let verifying = audit.start(&["verify", "--wait", "20"]);
    let named = "SELECT string_agg(DISTINCT application_name, ', ') FROM pg_stat_activity
                  WHERE datname = current_database() AND pid <> pg_backend_pid()";
    wait_until("verify is connected", Duration::from_secs(15), || {
        !database.value(named).is_empty() && database.value(named) != "∅"
    });
    assert_eq!(database.value(named), "audit export");
    drop(verifying);
}
