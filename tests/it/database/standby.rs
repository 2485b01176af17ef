//! Standbys and copies of whole servers: what reads runs on them, what writes waits for a primary
//! or says that it needs one.

use std::time::Duration;

use sandbox::{Peculiarities, Postgres, Sandbox};

use crate::support::rows::{events, record};
use crate::support::{Audit, Database, Follower, Oracle, Producer, wait_until};

const LIMIT: Duration = Duration::from_secs(90);

/// A server of the test's own, with a database that has the schema.
fn server(name: &str) -> (Postgres, Audit) {
    let sandbox = Sandbox::shared();
    let postgres = sandbox
        .another_postgres(name, Peculiarities::default())
        .unwrap_or_else(|error| panic!("{error}"));
    let created = postgres.create_database("audit_db");
    assert!(created.is_ok(), "{created:?}");
    let audit = Audit {
        database_url: postgres.url("audit_db"),
        brokers: sandbox.kafka().brokers().to_owned(),
    };
    audit.succeed(&["migrate"]);
    (postgres, audit)
}

#[test]
fn every_command_that_reads_runs_on_a_standby_and_a_promoted_one_is_recorded_to() {
    let scope = Sandbox::shared().scope("standby");
    let (primary, audit) = server("standby_primary");
    let topic = scope.create_topic("orders.events", 1);
    let dead_letters = scope.create_topic("orders.events-dlt", 1);
    let topics = format!("{topic},{dead_letters}");
    let producer = Producer::new(scope.brokers());
    producer.native_events(&topic, 0..50);
    producer.native_events(&dead_letters, 0..5);
    audit.succeed(&["ingest", "--until-end", "--topics", &topics]);

    let standby = primary.standby("standby_follower").unwrap_or_else(|error| panic!("{error}"));
    let reader = Audit { database_url: standby.url("audit_db"), brokers: audit.brokers.clone() };
    let copied = Database::open(&reader.database_url);
    let (event_id, correlation_id) = (
        copied.value("SELECT event_id FROM event_logs ORDER BY id LIMIT 1"),
        copied.value("SELECT correlation_id FROM event_logs ORDER BY id LIMIT 1"),
    );
    let reading: [&[&str]; 15] = [
        &["query", "--limit", "5"],
        &["query", "--count", "--type", "Order*"],
        &["query", "--dedup", "--where", "$.number > 3"],
        &["tail", "--no-follow"],
        &["show", &event_id],
        &["trace", &correlation_id],
        &["stats", "--by", "type,hour"],
        &["export", "-o", "csv"],
        &["status", "--duplicates"],
        &["verify"],
        &["dlt"],
        &["replay-dlt", "--status"],
        &["replay-dlt", "--dry-run"],
        &["migrate", "--status"],
        &["migrate", "--dry-run"],
    ];
    for arguments in reading {
        let output = reader.run(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {stderr}");
        let says_it = matches!(arguments[0], "status" | "verify" | "tail");
        assert_eq!(stderr.contains("is a standby"), says_it, "{arguments:?}: {stderr}");
    }
    for arguments in [&["migrate"][..], &["replay-dlt", "--yes"]] {
        let output = reader.run(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {stderr}");
        assert!(
            stderr.contains("is a standby") && stderr.contains("connect to the primary"),
            "{stderr}"
        );
    }

    let follower = Follower::start(&reader, &["-n", "1"]);
    let newest = "SELECT last_id FROM ingest_batches ORDER BY batch_no DESC LIMIT 1";
    assert_eq!(follower.id(), copied.number(newest));
    let database = Database::open(&audit.database_url);
    let recorded = record_each(&database);
    assert_eq!(follower.ids(3), recorded);
    assert!(primary.stop().is_ok() && standby.promote().is_ok());
    let database = Database::open(&reader.database_url);
    let recorded = record_each(&database);
    assert_eq!(follower.ids(3), recorded);
    producer.native_events(&topic, 50..60);
    reader.succeed(&["ingest", "--until-end", "--topics", &topics]);
    follower.ids(10);
    follower.stop();
    assert_eq!(database.event_count(), 71);
}

#[test]
fn a_snapshot_of_a_server_refuses_to_record_beside_its_original_until_it_gets_its_own_id() {
    let scope = Sandbox::shared().scope("server_copy");
    let (original, audit) = server("server_copy_original");
    let topic = scope.create_topic("orders.events", 4);
    let producer = Producer::new(scope.brokers());
    producer.native_events(&topic, 0..100);
    audit.succeed(&["ingest", "--until-end", "--topics", &topic]);
    // As a snapshot of its disk: the same identifier, the same database.
    let snapshot = original.standby("server_copy_snapshot");
    let snapshot = snapshot.unwrap_or_else(|error| panic!("{error}"));
    assert!(snapshot.promote().is_ok());
    let copy = Audit { database_url: snapshot.url("audit_db"), brokers: audit.brokers.clone() };

    let arguments = ["ingest", "--topics", &topic];
    let mut first = audit.start(&arguments);
    wait_until("the original records", LIMIT, || first.log().contains("assigned"));
    let refused = copy.run(&arguments);
    let stderr = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("are connected to another database"), "{stderr}");
    assert!(stderr.contains("--adopt-copy new-id"), "{stderr}");
    // Another ingester of the original is no stranger.
    audit.succeed(&["ingest", "--until-end", "--topics", &topic]);
    copy.succeed(&["migrate", "--adopt-copy", "new-id"]);
    producer.native_events(&topic, 100..200);
    let mut second = copy.start(&arguments);
    for audit in [&audit, &copy] {
        let database = Database::open(&audit.database_url);
        wait_until("all is recorded", LIMIT, || database.event_count() == 200);
        Oracle::read(&database, scope.brokers(), &[&topic]).approve();
    }
    std::thread::sleep(Duration::from_secs(25));
    assert_eq!(second.log().matches("are not connected").count(), 0, "{}", second.log());
    first.stop();
    second.stop();
}

/// Records three batches of one row each.
fn record_each(database: &Database) -> Vec<i64> {
    (0..3).flat_map(|_| record(database, &events("A", 1, "2026-11-22"))).collect()
}

#[test]
fn a_server_that_is_a_standby_for_ten_seconds_costs_the_ingester_and_a_reader_nothing() {
    let scope = Sandbox::shared().scope("fail_over");
    let (postgres, audit) = server("fail_over");
    let topic = scope.create_topic("orders.events", 4);
    let producer = Producer::new(scope.brokers());
    let mut ingester = audit.start(&["ingest", "--topics", &topic, "--batch-rows", "100"]);
    let follower = Follower::start(&audit, &["-n", "0"]);
    producer.native_events(&topic, 0..2_000);
    let database = Database::open(&audit.database_url);
    wait_until("it records", LIMIT, || database.event_count() == 2_000);
    // While it is just writing.
    std::thread::scope(|threads| {
        threads.spawn(|| producer.native_events(&topic, 2_000..12_000));
        assert!(postgres.demote().is_ok());
    });
    std::thread::sleep(Duration::from_secs(10));
    assert!(ingester.log().contains("is a standby"), "{}", ingester.log());
    assert!(postgres.promote().is_ok());
    producer.native_events(&topic, 12_000..14_000);
    let database = Database::open(&audit.database_url);
    wait_until("all is recorded", LIMIT, || database.event_count() == 14_000);
    ingester.stop();
    let warnings = ingester.log().matches(" WARN ").count();
    assert!(warnings < 40, "{warnings} warnings:\n{}", ingester.log());
    Oracle::read(&database, scope.brokers(), &[&topic]).approve();
    let in_commit_order = database.rows(
        "SELECT id FROM event_logs JOIN ingest_batches ON id BETWEEN first_id AND last_id ORDER BY batch_no, id",
    );
    let in_commit_order: Vec<i64> =
        in_commit_order.iter().map(|row| row[0].parse().unwrap_or_default()).collect();
    assert_eq!(follower.ids(14_000), in_commit_order);
    follower.stop();
}

#[test]
fn an_ingester_that_starts_at_a_standby_waits_for_a_primary() {
    let scope = Sandbox::shared().scope("starts_at_standby");
    let (postgres, audit) = server("starts_at_standby");
    let topic = scope.create_topic("orders.events", 1);
    Producer::new(scope.brokers()).native_events(&topic, 0..10);
    assert!(postgres.demote().is_ok());
    let mut ingester = audit.start(&["ingest", "--until-end", "--topics", &topic]);
    wait_until("it says why it waits", LIMIT, || ingester.log().contains("read-only transaction"));
    // A stop is heeded while it waits.
    ingester.signal("TERM");
    ingester.wait(Duration::from_secs(10));
    let mut ingester = audit.start(&["ingest", "--until-end", "--topics", &topic]);
    wait_until("it waits again", LIMIT, || ingester.log().contains("read-only transaction"));
    assert!(postgres.promote().is_ok());
    ingester.succeed(LIMIT);
    assert_eq!(Database::open(&audit.database_url).event_count(), 10);
}

#[test]
fn a_server_that_only_reads_for_a_while_is_waited_for_and_connected_to_anew() {
    let scope = Sandbox::shared().scope("only_reads");
    let (_postgres, audit) = server("only_reads");
    let topic = scope.create_topic("orders.events", 2);
    let producer = Producer::new(scope.brokers());
    producer.native_events(&topic, 0..100);
    let mut ingester = audit.start(&["ingest", "--topics", &topic]);
    let database = Database::open(&audit.database_url);
    wait_until("it records", LIMIT, || database.event_count() == 100);
    // As a managed server does whose disk is full; the sessions stay.
    let set = |value: &str| {
        database.execute("SET default_transaction_read_only = off");
        database.execute(&format!("ALTER SYSTEM SET default_transaction_read_only = {value}"));
        database.execute("SELECT pg_reload_conf()");
    };
    set("on");
    wait_until("new transactions only read", LIMIT, || {
        let other = Database::open(&audit.database_url);
        other.value("SHOW default_transaction_read_only") == "on"
    });
    producer.native_events(&topic, 100..200);
    wait_until("it says why it waits", LIMIT, || ingester.log().contains("SQLSTATE 25006"));
    set("off");
    wait_until("it goes on", LIMIT, || database.event_count() == 200);
    ingester.stop();
    assert!(!ingester.log().contains("joining the group again"), "{}", ingester.log());
    Oracle::read(&database, scope.brokers(), &[&topic]).approve();
}
