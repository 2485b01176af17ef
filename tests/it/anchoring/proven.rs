//! What is proven, and by what.

use std::collections::BTreeSet;

use record_file::Record;
use sandbox::Sandbox;

use super::{Anchored, size_of};
use crate::support::fixtures;
use crate::support::{Audit, Producer, capture};

#[test]
fn every_row_of_the_fixtures_is_proven_dead_letters_included() {
    let scope = Sandbox::shared().scope("proven_fixtures");
    let anchored = Anchored::over(Audit::migrated(&scope));
    // Names that tell dead letters by how they begin keep their beginning.
    let topic_of = |topic: &str| {
        let starts = ["error.", "dead-letter-topic-"];
        let start = starts.into_iter().find(|start| topic.starts_with(start)).unwrap_or_default();
        scope.topic_behind(start, &topic[start.len()..])
    };
    let records: Vec<Record> = fixtures::all()
        .into_iter()
        .map(|fixture| Record { topic: topic_of(&fixture.record.topic), ..fixture.record })
        .collect();
    let topics: BTreeSet<&str> = records.iter().map(|record| record.topic.as_str()).collect();
    for topic in &topics {
        let settings =
            [("message.timestamp.after.max.ms", "9223372036854775807"), ("retention.ms", "-1")];
        let created = Sandbox::shared().kafka().create_topic(topic, 1, &settings);
        created.unwrap_or_else(|error| panic!("{error}"));
    }
    sandbox::produce(scope.brokers(), &records).unwrap_or_else(|error| panic!("{error}"));
    let topics: Vec<&str> = topics.into_iter().collect();
    anchored.record(&topics.join(","));
    let key = anchored.key("audit.key");
    anchored.checkpoint(&key, "last.checkpoint");
    let database = anchored.database();
    let (vkey, proof) = (format!("{key}.vkey"), anchored.path("proof.json"));
    let rows = database.rows(
        "SELECT id, is_dlt, EXISTS (SELECT FROM dead_letters WHERE event_log_id = id) FROM event_logs ORDER BY id",
    );
    assert_eq!(rows.len(), records.len());
    assert!(rows.iter().any(|row| row[2] == "t"), "no fixture is a dead letter");
    for row in rows {
        anchored.audit.succeed(&["evidence", "prove", &row[0], "-o", &proof]);
        let checked =
            anchored.audit.succeed(&["evidence", "check", &proof, "--vkey", &vkey, "-o", "csv"]);
        let line = checked.lines().nth(1).unwrap_or_default();
        assert!(line.starts_with(&format!("{},", row[0])), "{checked}");
        let json = anchored.read("proof.json");
        assert_eq!(json.contains("\"dead_letter\": null"), row[2] == "f", "{json}");
    }
}

#[test]
fn an_event_is_proven_by_its_first_delivery_and_only_by_a_checkpoint_that_covers_it() {
    let scope = Sandbox::shared().scope("proven_events");
    let topic = scope.create_topic("orders.events", 1);
    let anchored = Anchored::recorded(&scope, &topic, 25);
    let key = anchored.key("audit.key");
    anchored.checkpoint(&key, "first.checkpoint");
    // Delivers some of them again, and others.
    let producer = Producer::new(scope.brokers());
    for record in &capture(scope.brokers(), &topic)[20..] {
        producer.send(&topic, None, record.key.as_deref(), record.value.as_deref(), &[]);
    }
    producer.native_events(&topic, 25..30);
    anchored.record(&topic);
    let database = anchored.database();
    let event = database.value("SELECT event_id FROM event_logs WHERE id = 22");
    let rows =
        database.rows(&format!("SELECT id FROM event_logs WHERE event_id = '{event}' ORDER BY id"));
    assert_eq!(rows.len(), 2);
    let (vkey, proof) = (format!("{key}.vkey"), anchored.path("proof.json"));
    let proven = |id: &str, more: &[&str]| {
        let (exit, _, said) =
            anchored.evidence(&[&["prove", id, "-o", proof.as_str()], more].concat());
        assert_eq!(exit, Some(0), "{said}");
        let checked =
            anchored.audit.succeed(&["evidence", "check", &proof, "--vkey", &vkey, "-o", "csv"]);
        checked.lines().nth(1).unwrap_or_default().split(',').next().unwrap_or_default().to_owned()
    };
    assert_eq!(proven(&event, &[]), rows[0][0]);

    let again = rows[1][0].as_str();
    let (exit, stdout, said) = anchored.evidence(&["prove", again]);
    assert_eq!((exit, stdout.as_str()), (Some(4), ""), "{said}");
    assert!(said.contains("no checkpoint covers its batch"), "{said}");
    assert!(said.contains("audit evidence checkpoint"), "{said}");
    anchored.checkpoint(&key, "second.checkpoint");
    assert_eq!(proven(again, &[]), again);
    let (first, second) = (anchored.path("first.checkpoint"), anchored.path("second.checkpoint"));
    let (exit, _, said) = anchored.evidence(&["prove", again, "--checkpoint", &first]);
    assert_eq!(exit, Some(4), "{said}");
    assert_eq!(proven(again, &["--checkpoint", &second]), again);
    assert_eq!(proven(&rows[0][0], &["--checkpoint", &first]), rows[0][0]);
    let (exit, _, said) = anchored.evidence(&["prove", "4711"]);
    assert_eq!(exit, Some(3), "{said}");

    let consistency = anchored.path("consistency.json");
    anchored.audit.succeed(&["evidence", "consistency", &first, &second, "-o", &consistency]);
    let witness =
        ["evidence", "witness", &first, &second, "--proof", &consistency, "--vkey", &vkey];
    let said = anchored.audit.succeed(&witness);
    let (old, new) = (anchored.read("first.checkpoint"), anchored.read("second.checkpoint"));
    assert!(size_of(&old) < size_of(&new), "{said}");
    let (exit, _, said) = anchored.evidence(&["consistency", &second, &first]);
    assert_eq!(exit, Some(1), "{said}");

    // Any row of a batch may be the one that was changed.
    let change = "UPDATE event_logs SET event_type = 'Other' WHERE id = 22";
    super::tamper(&database, &["event_logs", "event_logs_000000"], change);
    let batch = database.value("SELECT batch_no FROM ingest_batches WHERE 21 BETWEEN first_id AND last_id AND 22 <= last_id");
    let (exit, stdout, said) = anchored.evidence(&["prove", "21"]);
    assert_eq!((exit, stdout.as_str()), (Some(5), ""), "{said}");
    assert!(said.contains(&format!("row 21, or another one of batch {batch}, ")), "{said}");
}

#[test]
fn a_log_of_many_tiles_is_proven_from_both_of_its_ends() {
    let scope = Sandbox::shared().scope("proven_tiles");
    let topic = scope.create_topic("orders.events", 1);
    let anchored = Anchored::recorded(&scope, &topic, 5);
    let database = anchored.database();
    // Leaves that no table stands behind: the tiles of two levels are full.
    database.execute(
        "SELECT append_evidence(4, array_agg('\\x04'::bytea || int8send(n)), NULL) FROM generate_series(1, 66000) n",
    );
    Producer::new(scope.brokers()).native_events(&topic, 5..10);
    anchored.record(&topic);
    let key = anchored.key("audit.key");
    anchored.checkpoint(&key, "last.checkpoint");
    assert!(size_of(&anchored.read("last.checkpoint")) > 66_000);
    let (vkey, proof) = (format!("{key}.vkey"), anchored.path("proof.json"));
    for row in ["1", "10"] {
        anchored.audit.succeed(&["evidence", "prove", row, "-o", &proof]);
        anchored.audit.succeed(&["evidence", "check", &proof, "--vkey", &vkey]);
    }
    // A tile that is not made of its leaves is told before anything is handed out.
    super::tamper(
        &database,
        &["evidence_tiles"],
        "UPDATE evidence_tiles SET hash = sha256('') WHERE level = 0 AND tile_no = 200",
    );
    let (exit, stdout, said) = anchored.evidence(&["prove", "1"]);
    assert_eq!((exit, stdout.as_str()), (Some(5), ""), "{said}");
}
