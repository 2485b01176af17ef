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
        ("DELETE FROM event_logs_000000 WHERE id = 500".to_owned(), 4, "1 row is missing"),
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
            "1 row is doubled",
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
        (
            // The last row of a batch, with everything in the ledger that told of it.
            "WITH batch AS (SELECT * FROM ingest_batches WHERE batch_no = 2),
                  gone AS (DELETE FROM event_logs_000000 USING batch WHERE id = last_id
                           RETURNING partition_id, kafka_offset),
                  range AS (UPDATE ingest_batch_ranges r SET row_count = r.row_count - 1 FROM gone
                             WHERE batch_no = 2 AND r.partition_id = gone.partition_id),
                  head AS (UPDATE ledger_head SET row_count = row_count - 1)
             UPDATE ingest_batches SET last_id = last_id - 1, row_count = row_count - 1 WHERE batch_no = 2"
                .to_owned(),
            5,
            "which is declared a hole",
        ),
        (
            // The last batch, whose ranges stay so that the offsets still join up.
            "WITH batch AS (SELECT * FROM ingest_batches ORDER BY batch_no DESC LIMIT 1),
                  gone AS (DELETE FROM event_logs_000000 USING batch WHERE id BETWEEN first_id AND last_id),
                  head AS (UPDATE ledger_head SET batch_no = ledger_head.batch_no - 1,
                                                  row_count = ledger_head.row_count - batch.row_count FROM batch),
                  moved AS (UPDATE ingest_batch_ranges SET batch_no = 999999 FROM batch
                             WHERE ingest_batch_ranges.batch_no = batch.batch_no)
             DELETE FROM ingest_batches USING batch WHERE ingest_batches.batch_no = batch.batch_no"
                .to_owned(),
            5,
            "1 range of offsets is in no batch",
        ),
        ("INSERT INTO ingest_batches (batch_no, row_count, ingester, row_root) VALUES (0, 0, 'x', sha256(''))".to_owned(), 5, "a number below 1"),
        (
            // Neither the ids nor the offsets tell it, but its type was counted.
            "UPDATE event_logs_000000 SET event_type = 'Other' WHERE id = 500".to_owned(),
            5,
            "counts 0 events, where the batches have 1",
        ),
        (
            "UPDATE event_counts SET events = events + 1, last_at = last_at + interval '1 s'
              WHERE ctid = (SELECT min(ctid) FROM event_counts WHERE event_type = 'OrderShipped')"
                .to_owned(),
            5,
            "OrderShipped of order-service in ",
        ),
        ("TRUNCATE event_counts".to_owned(), 5, "counts 0 events"),
        ("INSERT INTO duplicate_deliveries VALUES (500)".to_owned(), 5, "has 1 row, event_count_state counts 0"),
        (
            "INSERT INTO duplicate_deliveries VALUES (500); UPDATE event_count_state SET duplicates = 1".to_owned(),
            5,
            "1 listed row delivers an event for the first time",
        ),
        (
            "INSERT INTO duplicate_deliveries VALUES (999999999); UPDATE event_count_state SET duplicates = 1".to_owned(),
            5,
            "1 listed row is in no batch",
        ),
        ("UPDATE event_count_state SET duplicates_through = 99999".to_owned(), 5, "batches that are not in the ledger"),
        ("DELETE FROM event_count_state".to_owned(), 5, "has no row"),
        ("DELETE FROM ledger_head".to_owned(), 5, "ledger_head has no row"),
        ("DELETE FROM audit_installation".to_owned(), 5, "audit_installation has 0 rows"),
        ("UPDATE ledger_head SET batch_no = batch_no + 1".to_owned(), 5, "1 batch number is missing"),
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
        copy.execute(&format!("SET session_replication_role = replica; {damage}"));
        for table in ["event_logs", "event_logs_000000", "ingest_batches", "ingest_batch_ranges"] {
            copy.execute(&format!("ALTER TABLE {table} ENABLE ALWAYS TRIGGER append_only"));
        }
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
    let output = audit.run(&["verify", "--wait", "0", "--topics", "no.such.topic"]);
    assert_eq!(output.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&output.stdout).contains("Kafka has no such topic"));
    let alone = Audit { brokers: "127.0.0.1:9".to_owned(), ..audit };
    let (code, findings) = verify(&alone);
    assert_eq!(code, Some(4));
    assert!(findings.iter().any(|text| text.contains("could not be asked")), "{findings:?}");
}

#[test]
fn where_nothing_is_recorded_the_record_is_not_complete() {
    let scope = Sandbox::shared().scope("verify_nothing");
    let audit = Audit::migrated(&scope);
    assert_eq!(verify(&audit), (Some(4), vec!["nothing is recorded".to_owned()]));
    let output = audit.run(&["verify"]);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        stderr.contains("incomplete")
            && stderr.contains("not checked: whether the rows hold what Kafka held"),
        "{stderr}"
    );
}

#[test]
fn a_partition_of_another_cluster_was_not_checked_and_is_said_to_be() {
    let scope = Sandbox::shared().scope("verify_other_cluster");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 1));
    Producer::new(scope.brokers()).native_events(&topic, 0..10);
    audit.succeed(&["ingest", "--until-end", "--topics", &topic]);
    Database::open(&audit.database_url)
        .execute("UPDATE kafka_partitions SET cluster_id = 'the-old-cluster'");
    let (code, findings) = verify(&audit);
    // The log tells which cluster it was.
    assert_eq!(code, Some(5));
    assert!(
        findings[0].contains("belongs to the Kafka cluster the-old-cluster, which was not asked"),
        "{findings:?}"
    );
    let status: serde_json::Value =
        serde_json::from_slice(&audit.run(&["status", "-o", "json"]).stdout).unwrap_or_default();
    // The other cluster's offsets are not those of the one that was asked.
    let partitions = status["partitions"].as_array().cloned().unwrap_or_default();
    assert_eq!(partitions.len(), 2, "{status}");
    let lag_of = |recorded: bool| {
        let of_cluster =
            partitions.iter().find(|partition| partition["recorded_at"].is_string() == recorded);
        of_cluster.map(|partition| partition["lag"].clone()).unwrap_or_default()
    };
    assert_eq!((lag_of(true), lag_of(false)), (serde_json::Value::Null, 10.into()));
}

#[test]
fn verify_beside_busy_producers_and_ingesters_takes_nothing_for_cut_off_or_missing() {
    let scope = Sandbox::shared().scope("verify_busy");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 4));
    let producer = Producer::new(scope.brokers());
    producer.native_events(&topic, 0..1000);
    let mut ingester = audit.start(&["ingest", "--topics", &topic, "--batch-wait", "20"]);
    let database = Database::open(&audit.database_url);
    wait_until("it records", Duration::from_secs(60), || database.event_count() > 0);
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|threads| {
        threads.spawn(|| {
            let mut number = 1000;
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                producer.native_events(&topic, number..number + 50);
                number += 50;
            }
        });
        for _ in 0..10 {
            let output = audit.run(&["verify"]);
            let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
            let status: serde_json::Value =
                serde_json::from_slice(&audit.run(&["status", "-o", "json"]).stdout)
                    .unwrap_or_default();
            let lag_is_known = status["database"]["lag"].is_number();
            if output.status.code() != Some(0) || !lag_is_known {
                done.store(true, std::sync::atomic::Ordering::Relaxed);
            }
            assert_eq!(output.status.code(), Some(0), "{stdout}");
            assert!(lag_is_known, "{status}");
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    ingester.stop();
}

#[test]
fn a_raw_dead_letter_that_is_gone_is_missed() {
    let scope = Sandbox::shared().scope("verify_dead_letters");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events-dlt", 1));
    Producer::new(scope.brokers()).native_events(&topic, 0..3);
    audit.succeed(&["ingest", "--until-end", "--topics", &topic]);
    assert_eq!(verify(&audit), (Some(0), Vec::new()));
    let database = Database::open(&audit.database_url);
    database.execute("SET session_replication_role = replica; ALTER TABLE dead_letters DISABLE TRIGGER append_only;
                      DELETE FROM dead_letters WHERE event_log_id = (SELECT min(event_log_id) FROM dead_letters);
                      ALTER TABLE dead_letters ENABLE ALWAYS TRIGGER append_only");
    let (code, findings) = verify(&audit);
    // Of rows that are all there, the root tells that something is not as it was.
    assert_eq!(code, Some(5), "{findings:?}");
    assert!(findings[0].contains("1 dead letter lacks its raw record"), "{findings:?}");
}

#[test]
fn a_topic_that_until_end_found_empty_is_known_to_verify_from_then_on() {
    let scope = Sandbox::shared().scope("verify_empty_topic");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 1));
    let producer = Producer::new(scope.brokers());
    producer.native_events(&topic, 0..5);
    audit.succeed(&["ingest", "--until-end", "--topics", &topic]);
    let empty = scope.create_topic("payments.events", 1);
    // Ends at once: there is nothing to read.
    audit.succeed(&["ingest", "--until-end", "--topics", &format!("{topic},{empty}")]);
    producer.native_events(&empty, 0..3);
    assert_eq!(
        verify(&audit),
        (Some(4), vec!["3 offsets up to 3 are not recorded yet".to_owned()])
    );
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
