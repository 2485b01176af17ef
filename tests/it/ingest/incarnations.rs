//! Topics that were deleted and made again under their names.

use std::time::Duration;

use sandbox::Sandbox;

use crate::support::{Audit, Database, Producer, wait_until};

const LIMIT: Duration = Duration::from_secs(90);

/// Deletes the topic, and makes it again with this many records of each of its partitions.
fn make_again(topic: &str, partitions: i32, brokers: &str, numbers: std::ops::Range<usize>) {
    let kafka = Sandbox::shared().kafka();
    assert!(kafka.delete_topic(topic).is_ok());
    wait_until("the topic can be made again", LIMIT, || {
        kafka.create_topic(topic, partitions, &[]).is_ok()
    });
    Producer::new(brokers).native_events(topic, numbers);
}

fn incarnations(database: &Database) -> String {
    database.value(
        "SELECT string_agg(incarnation || ':' || next_offset, ' ' ORDER BY 1) FROM kafka_partitions",
    )
}

#[test]
fn a_topic_that_was_made_again_is_read_only_when_that_is_accepted() {
    let scope = Sandbox::shared().scope("recreated_topic");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 1));
    let producer = Producer::new(scope.brokers());
    producer.native_events(&topic, 0..100);
    audit.succeed(&["ingest", "--until-end", "--topics", &topic]);
    // More records than before: the offsets alone would not tell.
    make_again(&topic, 1, scope.brokers(), 100..300);
    let refused = audit.run(&["ingest", "--until-end", "--topics", &topic]);
    let stderr = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(4));
    assert!(
        stderr.contains("deleted and made again") && stderr.contains("--accept-recreated"),
        "{stderr}"
    );
    let database = Database::open(&audit.database_url);
    assert_eq!(database.event_count(), 100);
    audit.succeed(&["ingest", "--until-end", "--topics", &topic, "--accept-recreated", &topic]);
    assert_eq!(database.event_count(), 300);
    assert_eq!(incarnations(&database), "1:100 2:200");
    // Once accepted it is a topic like any other.
    audit.succeed(&["ingest", "--until-end", "--topics", &topic]);
    assert_eq!(database.event_count(), 300);
}

#[test]
fn fewer_records_than_were_recorded_before_are_not_taken_for_recorded() {
    let scope = Sandbox::shared().scope("recreated_shorter");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 1));
    let other = scope.create_topic("payments.events", 1);
    let producer = Producer::new(scope.brokers());
    producer.native_events(&topic, 0..100);
    audit.succeed(&["ingest", "--until-end", "--topics", &topic]);
    make_again(&topic, 1, scope.brokers(), 100..107);
    producer.native_events(&other, 0..5);
    let topics = format!("{topic},{other}");
    let database = Database::open(&audit.database_url);
    // However often it is tried; what can be read is read.
    for _ in 0..2 {
        let refused = audit.run(&["ingest", "--until-end", "--topics", &topics]);
        let stderr = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(4), "{stderr}");
        assert!(stderr.contains(&format!("{topic} [0] is not read")), "{stderr}");
        assert_eq!(database.event_count(), 105);
    }

    let output = audit.run(&["verify", "--wait", "0"]);
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(4), "{stdout}");
    assert!(
        stdout.contains("Kafka has another topic of this name, made again, with 7"),
        "{stdout}"
    );
    let output = audit.run(&["status", "-o", "json"]);
    let status: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let partitions = status["partitions"].as_array().cloned().unwrap_or_default();
    let made_again = partitions.iter().find(|partition| partition["topic"] == *topic);
    assert_eq!(made_again.map(|partition| partition["lag"].is_null()), Some(true), "{status}");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(stderr.contains(&format!("audit ingest --accept-recreated {topic}")), "{stderr}");

    audit.succeed(&["ingest", "--until-end", "--topics", &topics, "--accept-recreated", &topic]);
    assert_eq!(database.event_count(), 112);
    assert_eq!(audit.run(&["verify"]).status.code(), Some(0));
}

#[test]
fn a_topic_made_again_with_fewer_partitions_is_complete_once_it_is_accepted() {
    let scope = Sandbox::shared().scope("recreated_fewer_partitions");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 3));
    Producer::new(scope.brokers()).native_events(&topic, 0..30);
    audit.succeed(&["ingest", "--until-end", "--topics", &topic]);
    make_again(&topic, 1, scope.brokers(), 30..39);
    assert_eq!(audit.run(&["verify", "--wait", "0"]).status.code(), Some(4));
    audit.succeed(&["ingest", "--until-end", "--topics", &topic, "--accept-recreated", &topic]);
    let output = audit.run(&["verify", "--all"]);
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{stdout}");
    assert!(stdout.contains("closed: the topic was made again without this partition"), "{stdout}");
    // A name that is no topic of the run was mistyped.
    let mistyped = ["ingest", "--until-end", "--topics", &topic, "--accept-recreated", "orders"];
    assert_eq!(audit.run(&mistyped).status.code(), Some(2));
}

#[test]
fn until_end_names_a_topic_that_was_deleted_while_it_was_read() {
    let scope = Sandbox::shared().scope("deleted_meanwhile");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 1));
    Producer::new(scope.brokers()).native_events(&topic, 0..60_000);
    let database = Database::open(&audit.database_url);
    // Holds up the first batch until the topic is gone. Maintenance would wait for the lock, too.
    database.execute("BEGIN; LOCK ledger_head IN ACCESS EXCLUSIVE MODE");
    let arguments = ["ingest", "--until-end", "--topics", &topic, "--no-maintenance"];
    let mut ingester = audit.start(&[&arguments[..], &["--batch-rows", "100"]].concat());
    wait_until("a batch waits for the lock", LIMIT, || {
        database.number("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'ledger_head'::regclass") > 0
    });
    assert!(Sandbox::shared().kafka().delete_topic(&topic).is_ok());
    std::thread::sleep(Duration::from_secs(3));
    database.execute("ROLLBACK");
    assert_eq!(ingester.wait(LIMIT).code(), Some(4), "{}", ingester.log());
    assert!(ingester.log().contains("was deleted while it was read"), "{}", ingester.log());
    assert!(database.event_count() < 60_000);
}

#[test]
fn until_end_waits_for_another_member_of_the_group_but_not_for_ever() {
    let scope = Sandbox::shared().scope("recreated_elsewhere");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 1));
    Producer::new(scope.brokers()).native_events(&topic, 0..20);
    audit.succeed(&["ingest", "--until-end", "--topics", &topic]);
    make_again(&topic, 1, scope.brokers(), 20..25);
    let mut first = audit.start(&["ingest", "--topics", &topic]);
    wait_until("the first member refuses it", LIMIT, || first.log().contains("is not read"));

    // Stopped before it is done.
    let mut second = audit.start(&["ingest", "--until-end", "--topics", &topic]);
    wait_until("the second member waits", LIMIT, || second.log().contains("recording"));
    std::thread::sleep(Duration::from_secs(1));
    second.signal("TERM");
    assert_eq!(second.wait(LIMIT).code(), Some(130), "{}", second.log());
    assert!(second.log().contains("1 partition is open"), "{}", second.log());

    let mut third = audit.start(&["ingest", "--until-end", "--topics", &topic]);
    assert_eq!(third.wait(LIMIT).code(), Some(4), "{}", third.log());
    assert!(third.log().contains("the ingester that has it runs without --accept-recreated"));
    first.stop();
}

#[test]
fn a_batch_that_waits_for_a_lock_does_not_keep_a_stop_waiting_for_ever() {
    let scope = Sandbox::shared().scope("stop_behind_lock");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 1));
    Producer::new(scope.brokers()).native_events(&topic, 0..2000);
    let database = Database::open(&audit.database_url);
    database.execute("BEGIN; LOCK ledger_head IN ACCESS EXCLUSIVE MODE");
    // Maintenance would wait for the lock as well.
    let mut ingester = audit.start(&["ingest", "--topics", &topic, "--no-maintenance"]);
    wait_until("a batch waits for the lock", LIMIT, || {
        database.number("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'ledger_head'::regclass") > 0
    });
    ingester.signal("TERM");
    assert_eq!(ingester.wait(LIMIT).code(), Some(1), "{}", ingester.log());
    assert!(ingester.log().contains("the next run reads it again"), "{}", ingester.log());
    database.execute("ROLLBACK");
    audit.succeed(&["ingest", "--until-end", "--topics", &topic]);
    assert_eq!(database.event_count(), 2000);
}
