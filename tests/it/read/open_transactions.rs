//! What waits behind an open transaction: nobody who reads only what is committed sees it, and
//! the record is not complete.

use sandbox::Sandbox;

use crate::support::{Audit, Database, Producer};

fn status(audit: &Audit) -> serde_json::Value {
    serde_json::from_str(&audit.succeed(&["status", "-o", "json"])).unwrap_or_default()
}

#[test]
fn offsets_behind_an_open_transaction_are_counted_and_the_record_is_not_complete() {
    let scope = Sandbox::shared().scope("open_transaction");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 1));
    let plain = Producer::new(scope.brokers());
    plain.native_events(&topic, 0..5);
    let transaction = Producer::transactional(scope.brokers(), &topic);
    transaction.begin();
    transaction.native_events(&topic, 5..10);
    // Acknowledged, and hidden behind the transaction.
    plain.native_events(&topic, 10..30);
    let ingested = audit.run(&["ingest", "--until-end", "--topics", &topic]);
    let stderr = String::from_utf8_lossy(&ingested.stderr).into_owned();
    assert_eq!(ingested.status.code(), Some(0), "{stderr}");
    assert!(stderr.contains("an open transaction began at offset 5"), "{stderr}");
    let database = Database::open(&audit.database_url);
    assert_eq!(database.event_count(), 5);

    let now = status(&audit);
    assert_eq!(now["database"]["lag"], 0);
    assert_eq!(now["database"]["in_open_transactions"], 25);
    let open = &now["open_transactions"][0];
    assert_eq!((&open["first_offset"], &open["offsets_waiting"]), (&5.into(), &25.into()));
    assert!(open["open_since"].as_str().is_some_and(|time| time.starts_with("20")), "{open}");
    assert!(audit.succeed(&["status"]).contains("offsets_waiting"));
    // CSV has it beside the partition, and JSON, too.
    let csv = audit.succeed(&["status", "-o", "csv", "--timestamps", "rfc3339"]);
    let (header, row) = csv.split_once('\n').unwrap_or_default();
    let names: Vec<_> = header.split(',').collect();
    let cells: Vec<_> = row.trim_end().split(',').collect();
    let cell = |name: &str| names.iter().position(|other| *other == name).map(|place| cells[place]);
    assert_eq!(cell("open_transaction_first_offset"), Some("5"), "{csv}");
    assert_eq!(cell("open_transaction_offsets"), Some("25"), "{csv}");
    assert_eq!(cell("open_since"), open["open_since"].as_str(), "{csv}");
    let partition = now["partitions"][0].as_object().cloned().unwrap_or_default();
    assert_eq!(
        partition.keys().map(String::as_str).collect::<std::collections::BTreeSet<_>>(),
        names.into_iter().collect()
    );

    let output = audit.run(&["verify", "--wait", "0"]);
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(4), "{stdout}");
    assert!(
        stdout
            .contains("25 offsets wait behind an open transaction, from offset 5 on, begun at 20"),
        "{stdout}"
    );

    // Its end shows what waited, and its markers are holes that Kafka confirms.
    transaction.commit();
    audit.succeed(&["ingest", "--until-end", "--topics", &topic]);
    assert_eq!(database.event_count(), 30);
    assert_eq!(status(&audit)["open_transactions"], serde_json::json!([]));
    let output = audit.run(&["verify"]);
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{stdout}");
    assert!(stdout.contains("Kafka was asked about 1 declared hole"), "{stdout}");
}

#[test]
fn aborted_records_are_holes_that_kafka_confirms() {
    let scope = Sandbox::shared().scope("aborted");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 2));
    let transaction = Producer::transactional(scope.brokers(), &topic);
    for number in 0..20 {
        transaction.begin();
        transaction.native_events(&topic, number * 10..number * 10 + 10);
        if number % 3 == 0 { transaction.abort() } else { transaction.commit() }
    }
    audit.succeed(&["ingest", "--until-end", "--topics", &topic]);
    let output = audit.run(&["verify", "-o", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    let lines: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let holes = lines.iter().find(|line| line["check"] == "holes");
    let detail = holes.and_then(|line| line["detail"].as_str()).unwrap_or_default();
    // Seven transactions of ten records were aborted, and each transaction has its markers.
    let count: i64 = detail.split(' ').find_map(|word| word.parse().ok()).unwrap_or_default();
    assert!(count >= 70 + 20, "{detail}");
}
