//! The whole way: records of every kind from Kafka into rows, proofs of these, and both verifiers.

use std::fs;
use std::time::Duration;

use sandbox::Sandbox;

use super::both::Cases;
use crate::support::{Audit, Database, Hostile};

/// Far times, long kept, large records.
const TOPIC_SETTINGS: [(&str, &str); 3] = [
    ("message.timestamp.after.max.ms", "9223372036854775807"),
    ("retention.ms", "-1"),
    ("max.message.bytes", "10485760"),
];

/// How many records each topic is sent, each time.
const RECORDS: usize = 40;

#[test]
fn every_row_that_was_recorded_can_be_proven_to_both_verifiers() {
    let scope = Sandbox::shared().scope("evidence_whole_way");
    let audit = Audit::migrated(&scope);
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let file = |name: &str| folder.path().join(name).display().to_string();
    let read = |name: &str| {
        fs::read_to_string(file(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    let topics = ["orders.events", "orders.events-dlt"]
        .map(|name| scope.create_topic_with(name, 1, &TOPIC_SETTINGS));
    let list = topics.join(",");
    let mut hostile = Hostile::new(16);
    let (key, vkey) =
        (file("audit.key"), audit.succeed(&["evidence", "keygen", "--out", &file("audit.key")]));

    for checkpoint in ["old", "new"] {
        for topic in &topics {
            let records: Vec<_> = (0..RECORDS).map(|_| hostile.record(topic, 100_000)).collect();
            let sent = sandbox::produce(scope.brokers(), &records);
            sent.unwrap_or_else(|error| panic!("{error}"));
        }
        let mut ingester = audit.start(&["ingest", "--until-end", "--topics", &list]);
        ingester.succeed(Duration::from_secs(120));
        audit.succeed(&["evidence", "checkpoint", "--key", &key, "--out", &file(checkpoint)]);
    }

    let database = Database::open(&audit.database_url);
    let ids = database.rows("SELECT id FROM event_logs ORDER BY id");
    assert_eq!(ids.len(), 4 * RECORDS);
    assert!(database.number("SELECT count(*) FROM dead_letters") >= 2 * RECORDS as i64);
    let mut cases = Cases::new();
    for id in ids.concat() {
        audit.succeed(&[
            "evidence",
            "prove",
            &id,
            "--checkpoint",
            &file("new"),
            "-o",
            &file("proof"),
        ]);
        cases.proof(&format!("row {id}"), read("proof"), vkey.trim_end());
    }
    let [old, new] = [file("old"), file("new")];
    audit.succeed(&["evidence", "consistency", &old, &new, "-o", &file("proof")]);
    let checkpoints = [read("old"), read("new")];
    assert_ne!(checkpoints[0], checkpoints[1]);
    let checkpoints = checkpoints.each_ref().map(String::as_str);
    cases.consistency("the log goes on", checkpoints, read("proof"), vkey.trim_end());
    cases.assert_proven();
}
