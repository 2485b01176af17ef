//! Batches from before the log.

use std::time::Duration;

use sandbox::Sandbox;

use super::{Anchored, tamper};
use crate::support::rows::{events, partition};
use crate::support::{Audit, Database, Producer, wait_until};

const LIMIT: Duration = Duration::from_secs(60);

/// Records 10 rows as one batch, as a version did that had no log.
fn record(database: &Database, partition: i64, batch: usize) {
    let (rows, offset) = (events("OrderCreated", 10, "2026-11-22"), 10 * batch);
    database.execute(&format!(
        "BEGIN;
         INSERT INTO event_logs (id, event_id, event_type, aggregate_id, source_service, is_dlt, payload, created_at, correlation_id,
                                 partition_id, kafka_offset)
         SELECT reserved.first_id - 1 + row_number() OVER (), new.*, {partition}, {offset} - 1 + row_number() OVER ()
           FROM (SELECT first_id FROM reserve_event_log_ids(10)) reserved, ({rows}) AS new;
         UPDATE ledger_head SET batch_no = batch_no + 1, row_count = row_count + 10;
         INSERT INTO ingest_batches (batch_no, first_id, last_id, row_count, ingester, min_created_at, max_created_at)
         SELECT batch_no, max(id) - 9, max(id), 10, 'test', min(created_at), max(created_at)
           FROM ledger_head, event_logs GROUP BY batch_no;
         UPDATE kafka_partitions SET next_offset = {offset} + 10 WHERE partition_id = {partition};
         INSERT INTO ingest_batch_ranges (batch_no, partition_id, first_offset, next_offset, row_count, kind)
         SELECT batch_no, {partition}, {offset}, {offset} + 10, 10, 'stored' FROM ledger_head;
         COMMIT"
    ));
}

/// A database of version 11 with so many batches of 10 rows, brought up to date.
fn migrated(audit: &Audit, batches: usize) -> Database {
    let database = Database::open(&audit.database_url);
    let partition = partition(&database, "old.events");
    for batch in 0..batches {
        record(&database, partition, batch);
    }
    audit.succeed(&["migrate"]);
    database
}

#[test]
fn batches_from_before_the_log_are_adopted_once_and_proven() {
    let scope = Sandbox::shared().scope("adopted");
    let topic = scope.create_topic("orders.events", 1);
    let anchored = Anchored::over(Audit::of_version(&scope, 11));
    let database = migrated(&anchored.audit, 12);
    Producer::new(scope.brokers()).native_events(&topic, 0..25);
    anchored.record(&topic);
    let key = anchored.key("audit.key");
    anchored.checkpoint(&key, "before.checkpoint");
    let (exit, _, said) = anchored.evidence(&["prove", "15"]);
    assert_eq!(exit, Some(4), "{said}");
    assert!(said.contains("audit evidence adopt"), "{said}");

    // A row that is gone is not adopted away.
    tamper(
        &database,
        &["event_logs", "event_logs_000000"],
        "CREATE TABLE gone AS SELECT * FROM event_logs WHERE id = 33; DELETE FROM event_logs WHERE id = 33",
    );
    let (exit, done, said) = anchored.evidence(&["adopt"]);
    assert_eq!(exit, Some(5), "{done}{said}");
    assert_eq!(done, "adopted 11 batches with 110 rows: the next checkpoint covers them\n");
    assert!(said.contains("batch 4 is left out: 9 of its 10 rows are there"), "{said}");
    tamper(
        &database,
        &["event_logs", "event_logs_000000"],
        "INSERT INTO event_logs SELECT * FROM gone; DROP TABLE gone",
    );
    let (exit, done, said) = anchored.evidence(&["adopt"]);
    assert_eq!(exit, Some(0), "{said}");
    assert!(done.starts_with("adopted 1 batch with 10 rows"), "{done}");
    let done = anchored.audit.succeed(&["evidence", "adopt"]);
    assert!(done.contains("no batch waits to be adopted"), "{done}");
    assert_eq!(database.number("SELECT count(*) FROM evidence_adoptions"), 12);
    assert_eq!(
        database.number("SELECT count(*) FROM evidence_leaves WHERE kind = 3 AND body IS NULL"),
        12
    );

    anchored.checkpoint(&key, "after.checkpoint");
    let (vkey, proof) = (format!("{key}.vkey"), anchored.path("proof.json"));
    let (exit, _, said) = anchored.evidence(&["prove", "15", "-o", &proof]);
    assert_eq!(exit, Some(0), "{said}");
    let after = anchored.path("after.checkpoint");
    let verify = ["verify", "--checkpoint", &after, "--vkey", &vkey, "--wait", "0"];
    let output = anchored.audit.run(&verify);
    let found = String::from_utf8_lossy(&output.stdout).into_owned();
    // Only the cluster that the old batches came from can't be asked.
    assert_eq!(output.status.code(), Some(4), "{found}");
    assert!(!found.contains("altered"), "{found}");
    let said =
        anchored.audit.succeed(&["evidence", "check", &proof, "--vkey", &vkey, "-o", "json"]);
    assert!(!said.contains("\"adopted_at\":null"), "{said}");
    let recorded = database.value("SELECT max(id) FROM event_logs");
    anchored.audit.succeed(&["evidence", "prove", &recorded, "-o", &proof]);
    anchored.audit.succeed(&["evidence", "check", &proof, "--vkey", &vkey]);
}

#[test]
fn only_the_owner_adopts() {
    let scope = Sandbox::shared().scope("not_the_owner");
    let anchored = Anchored::over(Audit::migrated(&scope));
    let database = anchored.database();
    let role = format!("stranger_{}", std::process::id());
    database.execute(&format!(
        "CREATE ROLE {role} LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}"
    ));
    let url = &anchored.audit.database_url;
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let host = rest.split_once('@').map_or(rest, |(_, host)| host);
    let mut command = anchored.audit.command(&["evidence", "adopt"]);
    command.env("AUDIT_DATABASE_URL", format!("{scheme}://{role}@{host}"));
    let output = command.output().unwrap_or_else(|error| panic!("{error}"));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    database.execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("owns the log of evidence, and alone can do that"), "{said}");
}

#[test]
fn adopting_goes_on_after_kills() {
    const BATCHES: usize = 1_200;
    let scope = Sandbox::shared().scope("adopting_killed");
    let anchored = Anchored::over(Audit::of_version(&scope, 11));
    let database = migrated(&anchored.audit, 2);
    // Many batches without rows: each piece takes 250 of them.
    tamper(
        &database,
        &["ingest_batches"],
        &format!(
            "ALTER TABLE ingest_batches DROP CONSTRAINT ingester_is_older_than_the_schema;
             INSERT INTO ingest_batches (batch_no, row_count, ingester) SELECT n, 0, 'test' FROM generate_series(3, {BATCHES}) n;
             ALTER TABLE ingest_batches ADD CONSTRAINT ingester_is_older_than_the_schema CHECK (row_root IS NOT NULL) NOT VALID;
             UPDATE ledger_head SET batch_no = {BATCHES}"
        ),
    );
    let adopted = || database.number("SELECT count(*) FROM evidence_adoptions");
    let mut kills = 0;
    while adopted() < BATCHES as i64 {
        let before = adopted();
        let mut adopting = anchored.audit.start(&["evidence", "adopt"]);
        wait_until("a piece is adopted, or it ends", LIMIT, || {
            adopted() > before || adopting.ended()
        });
        adopting.kill();
        kills += 1;
        let entered = database.rows("SELECT count(*), (SELECT count(*) FROM evidence_leaves WHERE kind = 3), (SELECT log_size - 1 FROM ledger_head) FROM evidence_adoptions");
        assert_eq!(entered[0][0], entered[0][1]);
        assert_eq!(entered[0][0], entered[0][2]);
        // The server may take a moment to let the lock of the killed session go.
        wait_until("the lock is free", LIMIT, || {
            database.number("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())") == 0
        });
    }
    assert!(kills > 1, "it was done before it was killed");
    assert!(anchored.audit.succeed(&["evidence", "adopt"]).contains("no batch waits"));
    let order = "SELECT count(*) FROM (SELECT batch_no - lag(batch_no) OVER (ORDER BY leaf_index) AS step FROM evidence_leaves WHERE kind = 3) steps WHERE step <> 1";
    assert_eq!(database.number(order), 0);
    let key = anchored.key("audit.key");
    anchored.checkpoint(&key, "last.checkpoint");
}
