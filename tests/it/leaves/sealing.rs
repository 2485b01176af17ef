//! Leaves become full, are closed and sealed while others write and read.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use sandbox::Sandbox;

use super::{
    LEAF_SIZE, fill_first_leaf, go_to_leaf, late_batches, seal, step, unsealed, wrong_indexes,
};
use crate::support::rows::{events, record};
use crate::support::{Audit, Database, Follower, Oracle, Producer, wait_until};

const LIMIT: Duration = Duration::from_secs(60);

/// Whether a session of the ingester waits for a lock.
fn a_batch_waits(database: &Database) -> bool {
    database.number(
        "SELECT count(*) FROM pg_stat_activity
          WHERE datname = current_database() AND application_name LIKE 'audit ingest%' AND wait_event_type = 'Lock'",
    ) > 0
}

#[test]
fn a_leaf_that_becomes_full_under_an_ingester_is_sealed_beside_it_and_no_record_is_lost_or_doubled()
{
    let scope = Sandbox::shared().scope("full_leaf");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 4));
    let database = Database::open(&audit.database_url);
    let producer = Producer::new(scope.brokers());
    let arguments = ["ingest", "--topics", &topic, "--batch-rows", "100", "--batch-wait", "20"];
    let mut ingester = audit.start(&[&arguments[..], &["--writers", "3"]].concat());
    for leaf in 0..3 {
        let recorded = database.event_count();
        producer.native_events(&topic, leaf * 6_000..leaf * 6_000 + 1_000);
        wait_until("rows of this leaf", LIMIT, || database.event_count() == recorded + 1_000);
        let end = (leaf as i64 + 1) * LEAF_SIZE;
        database.execute(&format!("SELECT setval('event_logs_id_seq', {end} - 2000)"));
        producer.native_events(&topic, leaf * 6_000 + 1_000..(leaf + 1) * 6_000);
        wait_until("rows of the next leaf", LIMIT, || database.event_count() == recorded + 6_000);
    }
    wait_until("three leaves are sealed", LIMIT, || {
        database.number("SELECT count(*) FROM event_log_leaves WHERE sealed_at IS NOT NULL") == 3
    });
    ingester.stop();
    assert_eq!(wrong_indexes(&database), Vec::<Vec<String>>::new());
    assert_eq!(late_batches(&database), 0);
    assert!(database.number("SELECT count(*) FROM event_logs_000001") > 1_000);
    Oracle::read(&database, scope.brokers(), &[&topic]).approve();
    audit.succeed(&["verify"]);
}

#[test]
fn a_batch_whose_leaf_is_closed_before_it_enters_takes_ids_of_the_next() {
    let scope = Sandbox::shared().scope("closed_meanwhile");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 1));
    let (database, other) =
        (Database::open(&audit.database_url), Database::open(&audit.database_url));
    let producer = Producer::new(scope.brokers());
    producer.native_events(&topic, 0..10);
    let mut ingester = audit.start(&["ingest", "--topics", &topic, "--no-maintenance"]);
    wait_until("the first rows", LIMIT, || database.event_count() == 10);
    // It has its ids, and waits for its partition before it enters the leaf.
    other.execute("BEGIN; SELECT * FROM kafka_partitions FOR UPDATE");
    producer.native_events(&topic, 10..500);
    wait_until("the batch waits", LIMIT, || a_batch_waits(&database));
    assert!(database.number("SELECT last_value FROM event_logs_id_seq") > 10);
    go_to_leaf(&database, 1);
    assert_eq!(step(&database), "event_logs_000000: closed");
    other.execute("COMMIT");
    wait_until("all rows", LIMIT, || database.event_count() == 500);
    ingester.stop();
    assert_eq!(database.number("SELECT count(*) FROM event_logs_000000"), 10);
    assert_eq!(database.number("SELECT count(*) FROM event_logs_000001"), 490);
    assert_eq!(late_batches(&database), 0);
    Oracle::read(&database, scope.brokers(), &[&topic]).approve();
    audit.succeed(&["verify"]);
}

#[test]
fn a_leaf_that_a_batch_is_in_is_closed_behind_it() {
    let scope = Sandbox::shared().scope("closed_behind");
    let audit = Audit::migrated(&scope);
    let (database, other) =
        (Database::open(&audit.database_url), Database::open(&audit.database_url));
    other.execute("BEGIN");
    assert_eq!(other.value("SELECT enter_event_log_leaf('event_logs_000000')"), "t");
    go_to_leaf(&database, 1);
    let refused = database.try_execute("SELECT seal_event_log_leaf(0, false, false)");
    assert!(refused.as_ref().is_err_and(|told| told.contains("lock timeout")), "{refused:?}");
    // Whoever comes meanwhile may still enter, as long as it is not closed.
    assert_eq!(database.value("SELECT enter_event_log_leaf('event_logs_000000')"), "t");
    other.execute("COMMIT");
    assert_eq!(step(&database), "event_logs_000000: closed");
    assert_eq!(database.value("SELECT enter_event_log_leaf('event_logs_000000')"), "f");
    assert_eq!(database.value("SELECT enter_event_log_leaf('event_logs_000001')"), "t");
}

#[test]
fn batches_wait_a_moment_while_the_leaf_that_they_are_to_enter_is_sealed_early() {
    let scope = Sandbox::shared().scope("sealed_early");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 2));
    let (database, other) =
        (Database::open(&audit.database_url), Database::open(&audit.database_url));
    let producer = Producer::new(scope.brokers());
    let arguments = ["ingest", "--topics", &topic, "--no-maintenance", "--batch-wait", "20"];
    let mut ingester = audit.start(&arguments);
    producer.native_events(&topic, 0..100);
    wait_until("the first rows", LIMIT, || database.event_count() == 100);
    for built in 1..=3 {
        other.execute("BEGIN");
        assert!(other.value("SELECT seal_event_log_leaf(0, true, false)").contains("built btree"));
        let tried = database.number("SELECT last_value FROM event_logs_id_seq");
        producer.native_events(&topic, built * 100..built * 100 + 100);
        wait_until("a batch takes ids again and again", LIMIT, || {
            database.number("SELECT last_value FROM event_logs_id_seq") > tried + 200
        });
        assert_eq!(database.event_count(), built as i64 * 100);
        other.execute("COMMIT");
        wait_until("the next rows", LIMIT, || database.event_count() == built as i64 * 100 + 100);
    }
    assert!(database.value("SELECT seal_event_log_leaf(0, true, false)").ends_with("sealed"));
    producer.native_events(&topic, 400..500);
    wait_until("rows of a leaf that has all indexes", LIMIT, || database.event_count() == 500);
    ingester.stop();
    assert_eq!(wrong_indexes(&database), Vec::<Vec<String>>::new());
    Oracle::read(&database, scope.brokers(), &[&topic]).approve();
    audit.succeed(&["verify"]);
}

#[test]
fn an_index_that_a_build_left_behind_invalid_is_built_again() {
    let scope = Sandbox::shared().scope("invalid_index");
    let audit = Audit::migrated(&scope);
    let (database, other) =
        (Database::open(&audit.database_url), Database::open(&audit.database_url));
    fill_first_leaf(&database, 1_000);
    assert_eq!(step(&database), "event_logs_000000: closed");
    // A build by hand waits for a row that is being written, and is given up.
    other.execute("BEGIN; LOCK TABLE event_logs_000000 IN ROW EXCLUSIVE MODE");
    database.execute("SET statement_timeout = '300ms'");
    let concurrently = "CREATE INDEX CONCURRENTLY ON event_logs_000000 (correlation_id)";
    assert!(database.try_execute(concurrently).is_err_and(|told| told.contains("timeout")));
    database.execute("RESET statement_timeout");
    other.execute("COMMIT");
    assert_eq!(wrong_indexes(&database).len(), 1);
    let steps = seal(&database);
    assert_eq!(steps.iter().filter(|step| step.contains("built")).count(), 3, "{steps:?}");
    assert_eq!(wrong_indexes(&database), Vec::<Vec<String>>::new());
    assert_eq!(unsealed(&database), 0);
}

#[test]
fn a_reader_that_stays_in_its_transaction_keeps_nobody_from_anything() {
    let scope = Sandbox::shared().scope("long_reader");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 1));
    let (database, reader) =
        (Database::open(&audit.database_url), Database::open(&audit.database_url));
    let producer = Producer::new(scope.brokers());
    let mut ingester = audit.start(&["ingest", "--topics", &topic, "--batch-wait", "20"]);
    producer.native_events(&topic, 0..1_000);
    wait_until("the first rows", LIMIT, || database.event_count() == 1_000);
    reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ");
    assert_eq!(reader.event_count(), 1_000);
    go_to_leaf(&database, 1);
    producer.native_events(&topic, 1_000..2_000);
    wait_until("rows of the next leaf", LIMIT, || database.event_count() == 2_000);
    wait_until("the first is sealed", LIMIT, || unsealed(&database) == 0);
    let has_summaries =
        || database.value("SELECT has_summaries FROM event_log_leaves WHERE first_id = 0");
    let last_analysed = "SELECT id FROM event_logs WHERE correlation_id = (SELECT correlation_id FROM event_logs WHERE id = 5) AND id = 5";
    assert_eq!((has_summaries().as_str(), reader.value(last_analysed).as_str()), ("t", "5"));
    assert_eq!(reader.event_count(), 1_000);
    // Others read on.
    assert_eq!(audit.schema_findings().1, Vec::<String>::new());
    producer.native_events(&topic, 2_000..3_000);
    wait_until("more rows", LIMIT, || database.event_count() == 3_000);
    assert_eq!(has_summaries(), "t");
    reader.execute("COMMIT");
    wait_until("the summaries are dropped", LIMIT, || has_summaries() == "f");
    ingester.stop();
    Oracle::read(&database, scope.brokers(), &[&topic]).approve();
}

#[test]
fn leaves_are_sealed_while_others_verify_export_follow_and_insert() {
    const LEAVES: i64 = 6;
    const ROWS: u32 = 3_000;
    let scope = Sandbox::shared().scope("busy_sealing");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    let follower = Follower::start(&audit, &["-n", "0"]);
    let is_over = AtomicBool::new(false);
    let mut ids: Vec<i64> = Vec::new();
    let inserted = std::thread::scope(|threads| {
        let _ends = Ends(&is_over);
        let verifying = threads.spawn(|| {
            let mut runs = 0;
            while !is_over.load(Relaxed) {
                assert_eq!(audit.schema_findings().1, Vec::<String>::new());
                runs += 1;
            }
            runs
        });
        let exporting = threads.spawn(|| {
            let mut rows = 0;
            while !is_over.load(Relaxed) {
                let exported = audit.succeed(&["export", "-", "-o", "csv", "--columns", "id"]);
                let ids: Vec<&str> = exported.lines().skip(1).collect();
                assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
                assert!(ids.len() >= rows, "{} rows after {rows}", ids.len());
                rows = ids.len();
            }
        });
        let inserting = threads.spawn(|| {
            let database = Database::open(&audit.database_url);
            let mut rows = 0;
            while !is_over.load(Relaxed) {
                database.execute("INSERT INTO event_logs (event_id, event_type, payload) VALUES (gen_random_uuid(), 'Manual', '{}')");
                rows += 1;
            }
            rows
        });
        wait_until("somebody is at it", LIMIT, || database.event_count() > 0);
        for leaf in 1..=LEAVES {
            // Made ahead, as an ingester does it: a statement that began before knows no new leaf.
            database.execute(&format!("SELECT ensure_event_log_leaf({leaf} * {LEAF_SIZE})"));
            ids.extend(record(&database, &events("OrderCreated", ROWS, "2026-11-22")));
            go_to_leaf(&database, leaf);
            wait_until("the leaf is sealed", LIMIT, || {
                // A lock that is not to be had within 3 s ends a step, and it is taken again.
                let _ = database.try_execute("SELECT seal_event_log_leaf(0, false, false)");
                unsealed(&database) == 0
            });
        }
        is_over.store(true, Relaxed);
        let joined = (verifying.join(), exporting.join(), inserting.join());
        let (Ok(verified), Ok(()), Ok(inserted)) = joined else { panic!("one of them failed") };
        assert!(verified > 0);
        inserted
    });
    assert!(inserted > 10, "{inserted}");
    let rows = LEAVES * i64::from(ROWS);
    assert_eq!(database.event_count(), rows + inserted);
    let batches = "SELECT first_id, last_id FROM ingest_batches";
    assert_eq!(database.rows(batches).len(), LEAVES as usize);
    let followed: BTreeSet<i64> = follower.ids(ids.len()).into_iter().collect();
    assert_eq!(followed, ids.into_iter().collect());
    assert_eq!(wrong_indexes(&database), Vec::<Vec<String>>::new());
    seal(&database);
    assert_eq!(audit.schema_findings().1, Vec::<String>::new());
}

/// Says that it is over, also where a test fails.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}
