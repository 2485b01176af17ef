//! Nothing lost, nothing doubled: with processes that are killed, frozen, and many.

use std::time::Duration;

use sandbox::Sandbox;

use crate::support::{Audit, Database, Oracle, Producer, wait_until};

const LIMIT: Duration = Duration::from_secs(90);

#[test]
fn kill_dash_nine_in_the_middle_of_50000_events_loses_and_doubles_nothing() {
    let scope = Sandbox::shared().scope("kill_nine");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 4));
    Producer::new(scope.brokers()).native_events(&topic, 0..50_000);
    let database = Database::open(&audit.database_url);
    for (group, rows) in [("first", 5_000), ("second", 20_000), ("third", 40_000)] {
        // A group of its own needs not wait for the killed member's session to run out; the offsets
        // are PostgreSQL's.
        let arguments = [
            "ingest",
            "--topics",
            &topic,
            "--batch-rows",
            "300",
            "--group",
            &format!("{topic}-{group}"),
        ];
        let mut ingester = audit.start(&arguments);
        wait_until("enough rows to be in the middle", LIMIT, || database.event_count() >= rows);
        ingester.kill();
    }
    let before = database.event_count();
    assert!(before < 50_000, "it was done before it was killed");
    audit.succeed(&["ingest", "--until-end", "--topics", &topic]);
    let oracle = Oracle::read(&database, scope.brokers(), &[&topic]);
    assert_eq!(oracle.record_count, 50_000);
    oracle.approve();
}

#[test]
fn the_oracle_goes_red_for_a_row_that_is_deleted_doubled_or_changed() {
    let scope = Sandbox::shared().scope("oracle_itself");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 2));
    Producer::new(scope.brokers()).native_events(&topic, 0..1000);
    audit.succeed(&["ingest", "--until-end", "--topics", &topic]);
    let database = Database::open(&audit.database_url);
    Oracle::read(&database, scope.brokers(), &[&topic]).approve();
    let columns = "event_id, event_type, payload, partition_id, kafka_offset";
    for (statement, complaint) in [
        ("DELETE FROM event_logs WHERE id = 500".to_owned(), "records without a row: 1"),
        (
            format!(
                "INSERT INTO event_logs ({columns}) SELECT {columns} FROM event_logs WHERE id = 500"
            ),
            "records with several rows: 1",
        ),
        (
            "UPDATE event_logs SET payload = '{}' WHERE id = 500".to_owned(),
            "rows that differ from their record: 1",
        ),
    ] {
        database.execute("BEGIN; ALTER TABLE event_logs_000000 DISABLE TRIGGER append_only; ALTER TABLE event_logs DISABLE TRIGGER append_only");
        database.execute(&statement);
        let oracle = Oracle::read(&database, scope.brokers(), &[&topic]);
        let complaints = oracle.complaints();
        assert!(complaints.iter().any(|found| found == complaint), "{statement}: {complaints:?}");
        database.execute("ROLLBACK");
    }
}

#[test]
fn two_ingesters_of_one_group_share_the_work_while_a_reader_never_skips() {
    let scope = Sandbox::shared().scope("two_ingesters");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 4));
    let arguments = ["ingest", "--topics", &topic, "--batch-rows", "100", "--batch-wait", "20"];
    let mut first = audit.start(&arguments);
    let mut second = audit.start(&arguments);
    wait_until("both have partitions", LIMIT, || {
        first.log().matches("assigned").count() > 0 && second.log().matches("assigned").count() > 0
    });
    let database = Database::open(&audit.database_url);
    let mut seen = Reader::default();
    std::thread::scope(|threads| {
        threads.spawn(|| Producer::new(scope.brokers()).native_events(&topic, 0..30_000));
        wait_until("everything is recorded", LIMIT, || {
            seen.look(&database);
            seen.rows >= 30_000
        });
    });
    seen.look(&database);
    assert_eq!(seen.rows, 30_000);
    first.stop();
    second.stop();
    assert_eq!(database.number("SELECT count(DISTINCT ingester) FROM ingest_batches"), 2);
    Oracle::read(&database, scope.brokers(), &[&topic]).approve();
}

/// Follows the batches as every reader does.
#[derive(Default)]
struct Reader {
    cursor: i64,
    rows: i64,
}

impl Reader {
    fn look(&mut self, database: &Database) {
        let batches = database.rows(&format!(
            "SELECT batch_no, (SELECT count(*) FROM event_logs WHERE id BETWEEN first_id AND last_id)
               FROM ingest_batches WHERE batch_no > {} ORDER BY batch_no",
            self.cursor
        ));
        for batch in batches {
            let number = |index: usize| {
                batch.get(index).and_then(|text: &String| text.parse().ok()).unwrap_or(-1)
            };
            assert_eq!(number(0), self.cursor + 1, "a batch became visible after a later one");
            self.cursor += 1;
            self.rows += number(1);
        }
    }
}

#[test]
fn an_ingester_that_was_frozen_cannot_write_what_another_took_over() {
    let scope = Sandbox::shared().scope("zombie");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 4));
    let producer = Producer::new(scope.brokers());
    producer.native_events(&topic, 0..30_000);
    let database = Database::open(&audit.database_url);
    let arguments = ["ingest", "--topics", &topic, "--batch-rows", "200"];
    let mut zombie = audit.start(&arguments);
    wait_until("it is in the middle", LIMIT, || database.event_count() > 2_000);
    zombie.signal("STOP");
    assert!(database.event_count() < 30_000, "it was done before it was frozen");
    // The group takes the partitions from it after its session's 6 s; its database session may hold
    // a lock for longer.
    let mut heir = audit.start(&["ingest", "--until-end", "--topics", &topic]);
    heir.succeed(LIMIT);
    zombie.signal("CONT");
    // It wakes with batches in its hands, finds that they are not its own any more, and joins
    // again.
    producer.native_events(&topic, 30_000..31_000);
    wait_until("it records again", LIMIT, || database.event_count() >= 31_000);
    zombie.stop();
    let oracle = Oracle::read(&database, scope.brokers(), &[&topic]);
    assert_eq!(oracle.record_count, 31_000);
    oracle.approve();
}

#[test]
fn an_old_claim_is_fenced_even_where_the_group_still_believes_in_it() {
    let scope = Sandbox::shared().scope("fence");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 1));
    let producer = Producer::new(scope.brokers());
    let database = Database::open(&audit.database_url);
    let mut ingester = audit.start(&["ingest", "--topics", &topic]);
    producer.native_events(&topic, 0..10);
    wait_until("the first rows", LIMIT, || database.event_count() == 10);
    // Another process claims the partition and records the next offsets; here by hand.
    database.execute("UPDATE kafka_partitions SET epoch = epoch + 1");
    producer.native_events(&topic, 10..20);
    wait_until("it notices and claims again", LIMIT, || {
        ingester.log().contains("another ingester has claimed")
    });
    wait_until("it goes on", LIMIT, || database.event_count() == 20);
    assert!(database.number("SELECT epoch FROM kafka_partitions") >= 3);
    ingester.stop();
    Oracle::read(&database, scope.brokers(), &[&topic]).approve();
}

#[test]
fn sigterm_ends_with_0_after_committing_what_was_read() {
    let scope = Sandbox::shared().scope("sigterm");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 2));
    // Without the signal this batch would stay open for a minute.
    let mut ingester = audit.start(&["ingest", "--topics", &topic, "--batch-wait", "60000"]);
    wait_until("it has partitions", LIMIT, || ingester.log().contains("assigned"));
    Producer::new(scope.brokers()).native_events(&topic, 0..500);
    std::thread::sleep(Duration::from_secs(1));
    let database = Database::open(&audit.database_url);
    assert_eq!(database.event_count(), 0);
    ingester.stop();
    assert_eq!(database.event_count(), 500);
}
