//! `audit verify` and `audit status`: what they say of a whole record, and of each kind of damage.

use std::time::Duration;

use sandbox::Sandbox;

use crate::support::{Audit, Database, Producer, wait_until};

/// The exit code, and what stands in the column `detail` of the lines that are not ok.
fn verify(audit: &Audit) -> (Option<i32>, Vec<String>) {
    let output = audit.run(&["verify", "-o", "json", "--wait", "0"]);
    let lines: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let findings = lines.iter().filter(|line| line["check"] == "finding");
    let text = |line: &serde_json::Value| line["detail"].as_str().unwrap_or_default().to_owned();
    (output.status.code(), findings.map(text).collect())
}

#[test]
fn each_kind_of_damage_is_found_and_has_its_exit_code() {
    let scope = Sandbox::shared().scope("verify_damage");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 2));
    Producer::new(scope.brokers()).native_events(&topic, 0..1000);
    audit.succeed(&["ingest", "--until-end", "--topics", &topic, "--batch-rows", "100"]);
    assert_eq!(verify(&audit), (Some(0), Vec::new()));
    let columns = "event_id, event_type, payload, partition_id, kafka_offset";
    let postgres = Sandbox::shared().postgres();
    let server = Database::open(&postgres.url("postgres"));
    let original = Database::open(&audit.database_url).value("SELECT current_database()");
    for (damage, exit, finding) in [
        ("DELETE FROM event_logs_000000 WHERE id = 500".to_owned(), 4, "1 rows are missing"),
        (
            format!("INSERT INTO event_logs ({columns}) SELECT {columns} FROM event_logs WHERE id = 500"),
            5,
            "is in no batch",
        ),
        (
            // The offset of the record before it, which is in the same batch.
            "UPDATE event_logs_000000 SET kafka_offset = kafka_offset - 1
              WHERE id = (SELECT row.id FROM ingest_batches
                            JOIN event_logs row ON row.id BETWEEN first_id AND last_id
                            JOIN event_logs before ON before.id BETWEEN first_id AND last_id
                             AND before.partition_id = row.partition_id
                             AND before.kafka_offset = row.kafka_offset - 1 LIMIT 1)"
                .to_owned(),
            5,
            "rows are doubled",
        ),
        (
            "UPDATE event_logs_000000 SET partition_id = 999 WHERE id = 500".to_owned(),
            5,
            "does not account for",
        ),
        (
            "UPDATE event_logs_000000 SET created_at = created_at - interval '1 year' WHERE id = 500"
                .to_owned(),
            5,
            "row 500 has a created_at that no event of the batch had",
        ),
        ("DELETE FROM ingest_batch_ranges WHERE batch_no = 3".to_owned(), 5, "are in no batch"),
        ("UPDATE kafka_partitions SET next_offset = next_offset + 7".to_owned(), 4, "are in no batch"),
        ("UPDATE ledger_head SET batch_no = batch_no + 1".to_owned(), 4, "batch numbers are missing"),
    ] {
        // In a copy of the database: the damage stays there.
        let name = format!("damaged_{}", uuid::Uuid::new_v4().simple());
        wait_until("the original has no connection", Duration::from_secs(30), || {
            server.try_execute(&format!("CREATE DATABASE {name} TEMPLATE {original}")).is_ok()
        });
        let damaged = Audit { database_url: postgres.url(&name), ..audit.clone() };
        let copy = Database::open(&damaged.database_url);
        for table in ["event_logs", "event_logs_000000", "ingest_batches", "ingest_batch_ranges"] {
            copy.execute(&format!("ALTER TABLE {table} DISABLE TRIGGER append_only"));
        }
        copy.execute(&damage);
        let (code, findings) = verify(&damaged);
        assert_eq!(code, Some(exit), "{damage}: {findings:?}");
        assert!(findings.iter().any(|text| text.contains(finding)), "{damage}: {findings:?}");
        drop(copy);
        server.execute(&format!("DROP DATABASE {name} WITH (FORCE)"));
    }
}

#[test]
fn what_kafka_has_and_the_database_does_not_is_incomplete() {
    let scope = Sandbox::shared().scope("verify_kafka");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 1));
    let producer = Producer::new(scope.brokers());
    producer.native_events(&topic, 0..10);
    audit.succeed(&["ingest", "--until-end", "--topics", &topic]);
    producer.native_events(&topic, 10..15);
    assert_eq!(
        verify(&audit),
        (Some(4), vec!["5 offsets up to 15 are not recorded yet".to_owned()])
    );
    let unknown = scope.create_topic("payments.events", 1);
    producer.native_events(&unknown, 0..1);
    let output = audit.run(&["verify", "--wait", "0", "--topics", &unknown]);
    assert!(
        String::from_utf8_lossy(&output.stdout)
            .contains("Kafka has this partition, the ledger does not")
    );
    let alone = Audit { brokers: "127.0.0.1:9".to_owned(), ..audit };
    let (code, findings) = verify(&alone);
    assert_eq!(code, Some(4));
    assert!(findings.iter().any(|text| text.contains("could not be asked")), "{findings:?}");
}

#[test]
fn verify_waits_for_an_ingester_that_is_at_work() {
    let scope = Sandbox::shared().scope("verify_waits");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 2));
    let mut ingester = audit.start(&["ingest", "--topics", &topic, "--batch-wait", "2000"]);
    wait_until("it has partitions", Duration::from_secs(60), || {
        ingester.log().contains("assigned")
    });
    Producer::new(scope.brokers()).native_events(&topic, 0..100);
    // The batch stays open for two seconds, and is not missed.
    assert_eq!(audit.run(&["verify"]).status.code(), Some(0));
    ingester.stop();
}

#[test]
fn a_declared_loss_stays_visible_in_status_and_verify() {
    let scope = Sandbox::shared().scope("verify_loss");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 1));
    let producer = Producer::new(scope.brokers());
    producer.native_events(&topic, 0..20);
    assert!(Sandbox::shared().kafka().delete_records(&topic, 0, 5).is_ok());
    audit.succeed(&["ingest", "--until-end", "--topics", &topic]);
    assert_eq!(verify(&audit), (Some(4), vec!["offsets 0–4 are declared lost".to_owned()]));
    let status: serde_json::Value =
        serde_json::from_str(&audit.succeed(&["status", "-o", "json"])).unwrap_or_default();
    assert_eq!(status["database"]["lost"], 5);
    assert_eq!(status["database"]["rows"], 15);
    assert_eq!(status["partitions"][0]["next_offset"], 20);
    assert_eq!(status["partitions"][0]["lag"], 0);
    let lost = &status["lost_ranges"][0];
    assert_eq!(
        (&lost["first_offset"], &lost["next_offset"], &lost["offsets_lost"]),
        (&0.into(), &5.into(), &5.into())
    );
    let table = audit.succeed(&["status"]);
    assert!(table.contains("offsets_lost"), "{table}");
}
