//! `audit verify --records`: batches beside the records that Kafka still has.

use std::process::Output;

use sandbox::Sandbox;
use serde_json::Value;

use crate::support::{Audit, Database, Producer};

/// The exit code, what is said of the records, and the findings of `verify --records`.
fn verify(audit: &Audit) -> (Option<i32>, String, Vec<String>, Output) {
    let output = audit.run(&["verify", "--records", "-o", "json", "--wait", "0"]);
    let lines: Vec<Value> = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {output:?}"));
    let text = |line: &Value, member: &str| line[member].as_str().unwrap_or_default().to_owned();
    let of = |check: &'static str| lines.iter().filter(move |line| line["check"] == check);
    let said = of("records").map(|line| text(line, "detail")).collect::<String>();
    let findings =
        of("finding").map(|line| text(line, "subject") + ": " + &text(line, "detail")).collect();
    (output.status.code(), said, findings, output)
}

#[test]
fn batches_are_held_against_the_records_that_kafka_still_has() {
    let scope = Sandbox::shared().scope("records");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    // Sorts by its bytes between the partitions of the other, whose numbers have two digits.
    let wide = scope.create_topic("orders.events", 12);
    let other = scope.create_topic_with(
        "payments.events",
        2,
        &[("message.timestamp.type", "LogAppendTime")],
    );
    let producer = Producer::new(scope.brokers());
    let send = |numbers: std::ops::Range<usize>| {
        for number in numbers {
            let (key, value) = (number.to_string(), format!("{{\"n\": {number}}}"));
            let key = (number % 3 > 0).then_some(key.as_bytes());
            let value = (number % 7 > 0).then_some(value.as_bytes());
            let headers: &[(&str, Option<&[u8]>)] = match number % 4 {
                0 => &[],
                1 => &[("a", Some(b"1")), ("a", None), ("b", Some(b""))],
                _ => &[("ce", Some(b"\xff"))],
            };
            let topic = if number % 5 == 0 { &other } else { &wide };
            producer.send(topic, None, key, value, headers);
        }
        producer.flush();
    };
    let topics = format!("{wide},{other}");
    let ingest = ["ingest", "--until-end", "--batch-rows", "100", "--topics", &topics];
    for round in 0..3 {
        send(round * 500..(round + 1) * 500);
        audit.succeed(&ingest);
    }
    let batches = database.number("SELECT count(*) FROM ingest_batches");
    assert!(batches >= 3, "{batches} batches");
    let (code, said, findings, output) = verify(&audit);
    assert_eq!((code, findings), (Some(0), Vec::new()), "{output:?}");
    let all = format!("{batches} batches as Kafka has them, 0 of which");
    assert!(said.starts_with(&all), "{said}");

    // The first records of one partition are gone: what they became can't be told.
    assert!(Sandbox::shared().kafka().delete_records(&other, 0, 10).is_ok());
    let touched = database.number(&format!(
        "SELECT count(DISTINCT batch_no) FROM ingest_batch_ranges JOIN kafka_partitions USING (partition_id)
          WHERE topic = '{other}' AND partition = 0 AND first_offset < 10"
    ));
    let (code, said, findings, output) = verify(&audit);
    assert_eq!((code, findings), (Some(0), Vec::new()), "{output:?}");
    let some = format!("{} batches as Kafka has them, {touched} of which", batches - touched);
    assert!(said.starts_with(&some), "{said}");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(stderr.contains(" whose records Kafka no longer has"), "{stderr}");

    // Whoever changes what was recorded of the records is found by Kafka alone, too.
    database.execute(
        "ALTER TABLE ingest_batches DISABLE TRIGGER append_only;
         UPDATE ingest_batches SET record_root = sha256('x') WHERE batch_no = (SELECT max(batch_no) FROM ingest_batches);
         ALTER TABLE ingest_batches ENABLE ALWAYS TRIGGER append_only",
    );
    let (code, _, findings, _) = verify(&audit);
    assert_eq!(code, Some(5));
    let found = format!("batch {batches}: Kafka has other records than were recorded, at ");
    assert!(findings.iter().any(|finding| finding.starts_with(&found)), "{findings:?}");
}
