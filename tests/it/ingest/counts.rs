//! The counts of events: whoever reads them at any moment has those of the rows.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sandbox::Sandbox;
use serde_json::Value;

use crate::support::counts::assert_counted;
use crate::support::{Audit, Database, Oracle, Producer, rows, wait_until};

const LIMIT: Duration = Duration::from_secs(60);

/// A member of the object `database` of `audit status`.
fn status(audit: &Audit, member: &str) -> Value {
    // Without a Kafka it exits 4, and shows what the database has.
    let shown: Value =
        serde_json::from_slice(&audit.run(&["status", "-o", "json"]).stdout).unwrap_or_default();
    shown["database"][member].clone()
}

/// Sends events of one type that happened at `time`, SQL's text, each with an id of its own.
fn send(producer: &Producer, topic: &str, event_type: &str, times: impl Iterator<Item = String>) {
    for time in times {
        let value = format!(
            r#"{{"event_id":"{}","event_type":"{event_type}","source_service":"shop","occurred_at":"{time}","payload":{{}}}}"#,
            uuid::Uuid::new_v4()
        );
        producer.send(topic, Some(0), None, Some(value.as_bytes()), &[]);
    }
    producer.flush();
}

#[test]
fn a_batch_of_8000_hours_is_filled_in_later_and_is_right_all_the_while() {
    let scope = Sandbox::shared().scope("scattered");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 1));
    let database = Database::open(&audit.database_url);
    let producer = Producer::new(scope.brokers());
    // From 1969 on, so that PostgreSQL's and Unix' zero lie between them.
    let begin = chrono::DateTime::from_timestamp(-3_600 * 4_000, 0).unwrap_or_default();
    let hours = (0..8_000_i64).map(|hour| {
        let time = begin + chrono::TimeDelta::minutes(60 * hour * 40 + 17);
        time.format("%Y-%m-%dT%H:%M:%S.123456Z").to_string()
    });
    send(&producer, &topic, "Scattered", hours);
    send(
        &producer,
        &topic,
        "Together",
        (0..100).map(|n| format!("2026-11-22T10:00:{:02}Z", n % 60)),
    );
    let mut ingester = audit.start(&["ingest", "--topics", &topic, "--batch-wait", "2000"]);
    wait_until("the rows are there", LIMIT, || {
        assert_counted(&database);
        database.event_count() == 8_100
    });
    assert!(database.number("SELECT count(*) FROM ingest_batches WHERE NOT counted") >= 1);
    wait_until("they are filled in", LIMIT, || {
        assert_counted(&database);
        database.number("SELECT coalesce(sum(events), 0)::bigint FROM event_counts") == 8_100
    });
    send(
        &producer,
        &topic,
        "Together",
        (0..100).map(|n| format!("2026-11-22T10:00:{:02}Z", n % 60)),
    );
    wait_until("the next rows are there", LIMIT, || database.event_count() == 8_200);
    ingester.stop();
    let query = "SELECT counted FROM ingest_batches ORDER BY batch_no DESC LIMIT 1";
    assert_eq!(database.value(query), "t", "few hours are counted at once");
    Oracle::read(&database, scope.brokers(), &[&topic]).approve();
    audit.succeed(&["verify"]);
}

#[test]
fn a_row_that_postgresql_refuses_is_counted_as_what_it_became() {
    let scope = Sandbox::shared().scope("counted_refusals");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 1));
    let dead = scope.create_topic("orders.events-dlt", 1);
    let database = Database::open(&audit.database_url);
    database.execute("ALTER TABLE event_logs_000000 ADD CHECK (event_type <> 'Refused')");
    let producer = Producer::new(scope.brokers());
    for topic in [&topic, &dead] {
        for event_type in ["Good", "Refused", "Good", "Refused", "Refused"] {
            send(&producer, topic, event_type, std::iter::once("2020-02-29T23:59:59Z".to_owned()));
        }
    }
    audit.succeed(&["ingest", "--until-end", "--topics", &format!("{topic},{dead}")]);
    assert_counted(&database);
    let sums =
        "SELECT event_type, is_dlt, sum(events) FROM event_counts GROUP BY 1, 2 ORDER BY 1, 2";
    assert_eq!(
        database.rows(sums),
        [
            ["Good", "f", "2"],
            ["Good", "t", "2"],
            ["audit.Quarantined", "f", "3"],
            ["audit.Quarantined", "t", "3"]
        ]
    );
    assert_eq!(status(&audit, "quarantined"), 6);
    assert_eq!(status(&audit, "dead_letters"), 5);
}

/// The rights that version 8 gave to the group roles, as far as they matter here.
const ROLES_OF_VERSION_8: &str = "
    GRANT USAGE ON SCHEMA public TO audit_ingester, audit_reader, audit_replayer;
    GRANT INSERT ON event_logs, event_logs_000000, dead_letters TO audit_ingester;
    GRANT SELECT, INSERT ON ingest_batches, ingest_batch_ranges TO audit_ingester;
    GRANT SELECT, INSERT, UPDATE ON kafka_partitions TO audit_ingester;
    GRANT SELECT, UPDATE ON ledger_head TO audit_ingester;
    GRANT SELECT ON audit_installation, refinery_schema_history TO audit_ingester;
    GRANT EXECUTE ON FUNCTION ensure_event_log_leaf(bigint), reserve_event_log_ids(integer) TO audit_ingester;
    GRANT SELECT ON event_logs, event_logs_000000, dead_letters, dlt_replays, dlt_replay_outcomes, ingest_batches,
                    ingest_batch_ranges, kafka_partitions, ledger_head, audit_installation, refinery_schema_history
       TO audit_reader, audit_replayer";

/// The rows of a batch: the number of the event, its type, whether it is a dead letter, and when it
/// happened.
type Row<'a> = (i64, &'a str, bool, &'a str);

/// Reserves ids for so many rows, and returns the first.
fn reserve(database: &Database, rows: usize) -> i64 {
    database.execute(
        "INSERT INTO kafka_partitions (cluster_id, topic, partition) VALUES ('c', 'old.events', 0)
             ON CONFLICT DO NOTHING",
    );
    *rows::reserve(database, rows as i64).start()
}

/// Writes rows as an ingester of version 8 does.
fn insert(database: &Database, first: i64, rows: &[Row<'_>]) {
    for ((event, event_type, is_dlt, created_at), id) in rows.iter().zip(first..) {
        database.execute(&format!(
            "INSERT INTO event_logs (id, event_id, event_type, source_service, is_dlt, payload, created_at, partition_id,
                                     kafka_offset)
             SELECT {id}, lpad('{event}', 32, '0')::uuid, '{event_type}', 'shop', {is_dlt}, '{{}}', '{created_at}',
                    partition_id, {id} FROM kafka_partitions"
        ));
    }
}

/// Writes the batch of these rows into the ledger, as an ingester of version 8 does, but for the
/// root, without which later versions take no batch.
fn enter(database: &Database, first: i64, rows: usize) {
    let last = first + rows as i64 - 1;
    database.execute(&format!(
        "UPDATE ledger_head SET batch_no = batch_no + 1, row_count = row_count + {rows};
         INSERT INTO ingest_batches (batch_no, first_id, last_id, row_count, ingester, row_root)
         SELECT batch_no, {first}, {last}, {rows}, 'old', sha256('') FROM ledger_head;
         INSERT INTO ingest_batch_ranges SELECT batch_no, partition_id, {first}, {last} + 1, {rows}, 'stored'
           FROM ledger_head, kafka_partitions;
         UPDATE kafka_partitions SET next_offset = greatest(next_offset, {last} + 1)"
    ));
}

fn record(database: &Database, rows: &[Row<'_>]) {
    let first = reserve(database, rows.len());
    database.execute("BEGIN");
    insert(database, first, rows);
    enter(database, first, rows.len());
    database.execute("COMMIT");
}

const DAY: &str = "2026-11-22 10:30";

#[test]
fn a_database_of_version_8_is_filled_while_batches_come_that_do_not_count_themselves() {
    let scope = Sandbox::shared().scope("from_version_8");
    let audit = Audit { brokers: "127.0.0.1:9".to_owned(), ..Audit::of_version(&scope, 8) };
    let database = Database::open(&audit.database_url);
    record(
        &database,
        &[(1, "A", false, DAY), (2, "audit.Quarantined", false, DAY), (1, "A", false, DAY)],
    );
    record(
        &database,
        &[(1, "A", true, "2026-11-22 11:00"), (3, "B", false, "1969-12-31 23:59:59.9")],
    );
    let old = Database::open(&audit.database_url);
    assert!(audit.succeed(&["migrate"]).contains("applied V9__event_counts"));
    assert_counted(&database);
    assert_eq!(database.number("SELECT sum(events)::bigint FROM event_counts"), 5);
    record(&old, &[(3, "B", false, DAY), (4, "audit.Quarantined", false, DAY)]);
    assert_counted(&database);
    assert_eq!(database.number("SELECT count(*) FROM ingest_batches WHERE counted"), 0);
    let told = audit.succeed(&["migrate", "--status"]);
    assert!(told.contains("2 rows still to be counted, 2 rows still to be searched"), "{told}");
    let member = |member: &str| status(&audit, member);
    let facts = || [member("quarantined"), member("dead_letters"), member("duplicates")];
    assert_eq!(facts(), [2, 1, 2]);
    audit.succeed(&["migrate"]);
    assert_counted(&database);
    assert_eq!(facts(), [2, 1, 2]);
    assert_eq!(database.number("SELECT sum(events)::bigint FROM event_counts"), 7);
    assert_eq!(database.number("SELECT count(*) FROM event_counts WHERE NOT merged"), 0);
    let told = audit.succeed(&["migrate", "--status"]);
    assert!(!told.contains("still to be"), "{told}");
}

#[test]
fn of_several_deliveries_all_but_the_one_that_committed_first_are_duplicates() {
    let scope = Sandbox::shared().scope("counted_duplicates");
    let audit = Audit { brokers: "127.0.0.1:9".to_owned(), ..Audit::migrated(&scope) };
    let database = Database::open(&audit.database_url);
    let (other, third) = (Database::open(&audit.database_url), Database::open(&audit.database_url));
    let hand_written = |event: i64| {
        database.execute(&format!(
            "INSERT INTO event_logs (event_id, event_type, payload) VALUES (lpad('{event}', 32, '0')::uuid, 'H', '{{}}')"
        ));
    };
    let duplicates = || status(&audit, "duplicates");
    // Rows that nobody recorded come last, whichever id they have.
    hand_written(1);
    hand_written(9);
    assert_eq!(duplicates(), 0);
    // Within a batch; a dead letter is none.
    record(
        &database,
        &[(1, "A", false, DAY), (2, "A", false, DAY), (2, "A", true, DAY), (2, "A", false, DAY)],
    );
    assert_eq!(duplicates(), 2, "the second delivery of 2, and the row by hand of 1");
    audit.succeed(&["migrate"]);
    assert_eq!(duplicates(), 2);
    // Two ingesters overlap: the one with the higher ids commits first.
    let (low, high) = (reserve(&other, 2), reserve(&third, 2));
    other.execute("BEGIN");
    insert(&other, low, &[(3, "A", false, DAY), (1, "A", false, DAY)]);
    third.execute("BEGIN");
    insert(&third, high, &[(3, "A", false, DAY), (4, "A", false, DAY)]);
    enter(&third, high, 2);
    third.execute("COMMIT");
    assert_eq!(duplicates(), 2);
    audit.succeed(&["migrate"]);
    enter(&other, low, 2);
    other.execute("COMMIT");
    assert_eq!(duplicates(), 4);
    audit.succeed(&["migrate"]);
    assert_eq!(duplicates(), 4);
    assert_counted(&database);
    let listed = format!(
        "SELECT string_agg((event_log_id - {low})::text, ' ' ORDER BY event_log_id) FROM duplicate_deliveries
                           WHERE event_log_id >= {low}"
    );
    assert_eq!(database.value(&listed), "0 1", "the higher ids committed first");
    hand_written(9);
    hand_written(4);
    assert_eq!(duplicates(), 6);
    assert_eq!(audit.run(&["status", "--duplicates"]).status.code(), Some(4));
}

#[test]
fn readers_see_the_same_sums_while_batches_add_and_others_merge() {
    let scope = Sandbox::shared().scope("merging");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    let add = "INSERT INTO event_counts (hour, event_type, source_service, partition_id, is_dlt, events, first_at, last_at)
               SELECT '2026-11-22 10:00', 'T' || n % 3, CASE n % 4 WHEN 0 THEN '' WHEN 1 THEN 's' END, n % 2, n % 5 = 0, 1,
                      '2026-11-22 10:00'::timestamp + n * interval '1 s', '2026-11-22 10:00'::timestamp + n * interval '1 s'
                 FROM generate_series(1, 60) n";
    let is_over = AtomicBool::new(false);
    std::thread::scope(|threads| {
        for _ in 0..2 {
            threads.spawn(|| {
                let mergers = Database::open(&audit.database_url);
                while !is_over.load(Ordering::Relaxed) {
                    // Null where the other one is at it.
                    mergers.execute("SELECT merge_event_counts(7)");
                }
            });
        }
        let mut before = 0;
        for _ in 0..100 {
            database.execute(add);
            let sum = database.number("SELECT sum(events)::bigint FROM event_counts");
            assert_eq!(sum, before + 60);
            before = sum;
        }
        is_over.store(true, Ordering::Relaxed);
    });
    while database.number("SELECT merge_event_counts(1000)") > 0 {}
    // What has no service is another key than one whose name is empty.
    // Three types, four services and partitions that go together, dead letters or not.
    assert_eq!(database.number("SELECT count(*) FROM event_counts"), 24);
    let once =
        "SELECT count(*) FROM event_counts WHERE is_dlt AND events = 100 AND first_at = last_at";
    assert_eq!(database.number(once), 12);
}

#[test]
fn an_installation_whose_roles_are_older_goes_on_with_the_rights_that_it_has() {
    let scope = Sandbox::shared().scope("older_roles");
    let (audit, topic) = (Audit::of_version(&scope, 8), scope.create_topic("orders.events", 1));
    // Roles belong to the whole server.
    let elsewhere = Sandbox::shared().scope("roles_of_the_server");
    Audit::migrated(&elsewhere).succeed(&["migrate", "--roles"]);
    let database = Database::open(&audit.database_url);
    let name = format!("ingester_{}", uuid::Uuid::new_v4().simple());
    database.execute(&format!("CREATE ROLE {name} LOGIN IN ROLE audit_ingester"));
    database.execute(ROLES_OF_VERSION_8);
    audit.succeed(&["migrate"]);
    for view in ["audit_events", "audit_stories"] {
        let may = format!("SELECT has_table_privilege('audit_reader', '{view}', 'SELECT')::int");
        assert_eq!(database.number(&may), 1, "{view}");
    }
    Producer::new(scope.brokers()).native_events(&topic, 0..100);
    let ingester = Audit {
        database_url: audit.database_url.replace("//postgres@", &format!("//{name}@")),
        ..audit.clone()
    };
    assert_ne!(ingester.database_url, audit.database_url);
    let mut running = ingester.start(&["ingest", "--topics", &topic]);
    wait_until("what it records is searched, too", LIMIT, || {
        database.number("SELECT duplicates_through FROM event_count_state") >= 1
    });
    running.stop();
    assert_counted(&database);
    assert_eq!(database.event_count(), 100);
    // Who took the rights away is told what to do.
    database.execute("REVOKE INSERT ON event_counts FROM audit_ingester");
    Producer::new(scope.brokers()).native_events(&topic, 100..101);
    let output = ingester.run(&["ingest", "--until-end", "--topics", &topic]);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(
        stderr.contains("event_counts") && stderr.contains("audit migrate --roles"),
        "{stderr}"
    );
    database.execute(&format!("DROP ROLE {name}"));
}
