//! Checkpoints that are signed beside the recording.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use sandbox::Sandbox;

use super::{Anchored, size_of, tamper};
use crate::support::{Audit, Producer, capture, wait_until};

const LIMIT: Duration = Duration::from_secs(60);

/// What monitoring is answered at an address.
fn metrics_at(address: &str) -> String {
    let mut stream =
        TcpStream::connect(address).unwrap_or_else(|error| panic!("{address}: {error}"));
    let mut answer = String::new();
    let asked = write!(stream, "GET /metrics HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let read = asked.and_then(|()| stream.read_to_string(&mut answer));
    assert!(read.is_ok(), "{address}: {read:?}");
    answer
}

#[test]
fn checkpoints_are_signed_while_records_come_and_at_the_end() {
    let scope = Sandbox::shared().scope("signed_beside");
    let topic = scope.create_topic("orders.events", 2);
    let checkpoints = scope.create_topic("audit.checkpoints", 1);
    let anchored = Anchored::over(Audit::migrated(&scope));
    let key = anchored.key("audit.key");
    let (out, other_out) = (anchored.path("last.checkpoint"), anchored.path("other.checkpoint"));
    let database = anchored.database();
    let producer = Producer::new(scope.brokers());
    let ingest = |out: &str, every: &str| {
        anchored.audit.start(&[
            "ingest",
            "--topics",
            &topic,
            "--batch-rows",
            "10",
            "--checkpoint-key",
            &key,
            "--checkpoint-every",
            every,
            "--checkpoint-out",
            out,
            "--publish",
            &checkpoints,
        ])
    };
    let mut ingesters = [ingest(&out, "1s"), ingest(&other_out, "1s")];
    let size = || database.number("SELECT log_size FROM ledger_head").unsigned_abs();
    let signed = |name: &str| match anchored.read(name) {
        note if note.is_empty() => 0,
        note => size_of(&note),
    };
    for round in 0..3 {
        producer.native_events(&topic, 40 * round..40 * (round + 1));
        let rows = 40 * (round as i64 + 1);
        wait_until("all is recorded", LIMIT, || database.event_count() == rows);
        wait_until("both signed it", LIMIT, || {
            signed("last.checkpoint") == size() && signed("other.checkpoint") == size()
        });
    }
    for ingester in &mut ingesters {
        ingester.stop();
        assert!(ingester.log().contains("signed a checkpoint"), "{}", ingester.log());
    }
    // What was published goes on from one to the next, and can be read back.
    let origin = database.value("SELECT 'audit/' || id FROM audit_installation");
    let published = capture(scope.brokers(), &checkpoints);
    assert!(published.iter().all(|record| record.key.as_deref() == Some(origin.as_bytes())));
    let notes: Vec<String> = published
        .into_iter()
        .filter_map(|record| String::from_utf8(record.value.unwrap_or_default()).ok())
        .collect();
    assert_eq!(notes.iter().map(|note| size_of(note)).max(), Some(size()));
    for (number, note) in notes.iter().enumerate() {
        anchored.write("published.checkpoint", note);
        let (published, last) = (anchored.path("published.checkpoint"), &out);
        anchored.audit.succeed(&["evidence", "consistency", &published, last]);
        assert!(number < 100, "signed without new leaves");
    }
    // Signs at the end of a run, too, and nothing where nothing came.
    producer.native_events(&topic, 120..130);
    let mut long = ingest(&out, "1h");
    wait_until("all is recorded", LIMIT, || database.event_count() == 130);
    long.stop();
    assert_eq!(signed("last.checkpoint"), size());
    let until_end = ["ingest", "--until-end", "--topics", &topic, "--checkpoint-key", &key];
    let output = anchored.audit.run(&until_end);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && !said.contains("signed a checkpoint"), "{said}");
}

#[test]
fn recording_goes_on_where_nothing_can_be_signed() {
    let scope = Sandbox::shared().scope("not_signed_beside");
    let topic = scope.create_topic("orders.events", 1);
    let anchored = Anchored::recorded(&scope, &topic, 30);
    let key = anchored.key("audit.key");
    anchored.checkpoint(&key, "last.checkpoint");
    let database = anchored.database();
    tamper(
        &database,
        &["evidence_leaves"],
        "UPDATE evidence_leaves SET hash = sha256(hash) WHERE leaf_index = 1",
    );
    let out = anchored.path("last.checkpoint");
    let kept = anchored.read("last.checkpoint");
    let arguments = ["ingest", "--topics", &topic, "--checkpoint-key", &key];
    let more = ["--checkpoint-every", "1s", "--checkpoint-out", &out, "--metrics", "0"];
    let mut ingester = anchored.audit.start(&[&arguments[..], &more[..]].concat());
    let producer = Producer::new(scope.brokers());
    for round in 1..4 {
        producer.native_events(&topic, 30 * round..30 * (round + 1));
        let rows = 30 * (round as i64 + 1);
        wait_until("all is recorded", LIMIT, || database.event_count() == rows);
        wait_until("the refusal is told", LIMIT, || ingester.log().contains("ERROR"));
        std::thread::sleep(Duration::from_millis(1_500));
    }
    let log = ingester.log();
    let told = log.matches("no checkpoint of the log of evidence is signed").count();
    assert_eq!(told, 1, "{log}");
    assert!(log.contains("audit evidence restart"), "{log}");
    let (_, after) = log.split_once("answering http://").unwrap_or_default();
    let metrics = metrics_at(after.split_once("/metrics").unwrap_or_default().0);
    let refusals = metrics
        .lines()
        .find_map(|line| line.strip_prefix("audit_ingest_checkpoint_refusals_total "));
    assert!(refusals.is_some_and(|count| count != "0"), "{metrics}");
    assert!(metrics.contains("audit_checkpoint_age_seconds "), "{metrics}");
    ingester.stop();
    assert_eq!(anchored.read("last.checkpoint"), kept);
    // A run that ends by itself tells it by its exit code, and has recorded all the same.
    producer.native_events(&topic, 120..130);
    let absent = scope.topic("no.such.topic");
    for (option, value, exit) in [("--checkpoint-out", &out, 5), ("--publish", &absent, 1)] {
        let arguments = ["--until-end", "--checkpoint-key", &key, option, value];
        let output =
            anchored.audit.run(&[&["ingest", "--topics", &topic], &arguments[..]].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(exit), "{said}");
        assert!(said.contains("error: no checkpoint of the log of evidence is signed: "), "{said}");
        assert_eq!(database.event_count(), 130);
    }
}

#[test]
fn a_key_that_can_t_sign_is_told_before_anything_is_recorded() {
    let scope = Sandbox::shared().scope("wrong_key");
    let topic = scope.create_topic("orders.events", 1);
    let anchored = Anchored::over(Audit::migrated(&scope));
    let other = anchored.path("other.key");
    let origin = "audit/5b3c9a52-0c5e-4c58-9a3c-0f5c3fb0d1a7";
    anchored.audit.succeed(&["evidence", "keygen", "--out", &other, "--origin", origin]);
    let absent = anchored.path("absent.key");
    for (key, reason) in [(&other, origin), (&absent, "absent.key")] {
        let arguments = ["ingest", "--until-end", "--topics", &topic, "--checkpoint-key", key];
        let output = anchored.audit.run(&arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("--checkpoint-key") && said.contains(reason), "{said}");
    }
}
