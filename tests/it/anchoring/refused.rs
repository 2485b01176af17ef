//! What is not signed: a log that is not what was signed before.

use sandbox::Sandbox;

use super::{Anchored, size_of, tamper};
use crate::support::Producer;

#[test]
fn the_same_log_is_signed_again_and_goes_on_wherever_it_is_kept() {
    let scope = Sandbox::shared().scope("signed");
    let topic = scope.create_topic("orders.events", 1);
    let checkpoints = scope.create_topic("audit.checkpoints", 1);
    let anchored = Anchored::over(crate::support::Audit::migrated(&scope));
    let key = anchored.key("audit.key");
    let (exit, _, said) = anchored.evidence(&["checkpoint", "--key", &key]);
    assert_eq!(exit, Some(3), "{said}");
    assert!(said.contains("the log of evidence is empty"), "{said}");

    Producer::new(scope.brokers()).native_events(&topic, 0..25);
    anchored.record(&topic);
    let (exit, note, said) = anchored.evidence(&["checkpoint", "--key", &key]);
    assert_eq!(exit, Some(0), "{said}");
    let (_, again, said) = anchored.evidence(&["checkpoint", "--key", &key]);
    assert_eq!(note, again);
    assert!(said.contains("signed again"), "{said}");
    let database = anchored.database();
    assert_eq!(database.number("SELECT count(*) FROM evidence_checkpoints"), 1);
    // The note is the one that the database keeps.
    assert_eq!(database.value("SELECT note FROM evidence_checkpoints"), note);

    let out = anchored.path("last.checkpoint");
    let absent = scope.topic("absent");
    let (exit, _, said) = anchored.evidence(&["checkpoint", "--key", &key, "--publish", &absent]);
    assert_eq!(exit, Some(1), "{said}");
    assert!(said.contains("there is no topic"), "{said}");
    let everywhere = ["checkpoint", "--key", &key, "--out", &out, "--publish", &checkpoints];
    let (exit, stdout, said) = anchored.evidence(&everywhere);
    assert_eq!((exit, stdout.as_str()), (Some(0), ""), "{said}");
    assert_eq!(anchored.read("last.checkpoint"), note);
    Producer::new(scope.brokers()).native_events(&topic, 25..50);
    anchored.record(&topic);
    let (exit, _, said) = anchored.evidence(&everywhere);
    assert_eq!(exit, Some(0), "{said}");
    assert!(size_of(&anchored.read("last.checkpoint")) > size_of(&note));
    let published = crate::support::capture(scope.brokers(), &checkpoints);
    let values: Vec<_> = published.iter().map(|record| record.value.clone()).collect();
    let expected = [note, anchored.read("last.checkpoint")];
    assert_eq!(values, expected.map(|note| Some(note.into_bytes())));
    let origin = database.value("SELECT 'audit/' || id FROM audit_installation");
    assert!(published.iter().all(|record| record.key.as_deref() == Some(origin.as_bytes())));

    // A file of something else is kept.
    anchored.write("letter.txt", "Dear Sir,\n");
    let letter = anchored.path("letter.txt");
    let (exit, _, said) = anchored.evidence(&["checkpoint", "--key", &key, "--out", &letter]);
    assert_eq!(exit, Some(1), "{said}");
    assert_eq!(anchored.read("letter.txt"), "Dear Sir,\n");
    let nowhere = anchored.path("nowhere/last.checkpoint");
    let (exit, _, said) = anchored.evidence(&["checkpoint", "--key", &key, "--out", &nowhere]);
    assert_eq!(exit, Some(1), "{said}");
    assert!(said.contains("last.checkpoint: No such file") && !said.contains(".audit-"), "{said}");
}

#[test]
fn a_log_is_verified_by_any_of_its_keys() {
    let scope = Sandbox::shared().scope("two_keys");
    let topic = scope.create_topic("orders.events", 1);
    let anchored = Anchored::recorded(&scope, &topic, 25);
    let notes = ["first", "second"].map(|name| {
        let (key, out) = (anchored.key(&format!("{name}.key")), anchored.path(name));
        let (exit, _, said) = anchored.evidence(&["checkpoint", "--key", &key, "--out", &out]);
        assert_eq!(exit, Some(0), "{said}");
        (out, format!("{key}.vkey"))
    });
    let [(first, first_key), (second, second_key)] = &notes;
    let verify = |keys: &[&String]| {
        let mut arguments = vec!["verify", "--wait", "0", "--checkpoint", first];
        arguments.extend(["--checkpoint", second]);
        keys.iter().for_each(|key| arguments.extend(["--vkey", key]));
        let output = anchored.audit.run(&arguments);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for keys in [[first_key, second_key], [second_key, first_key]] {
        let (exit, said) = verify(&keys);
        assert_eq!(exit, Some(0), "{said}");
    }
    let (exit, said) = verify(&[second_key]);
    assert_eq!(exit, Some(1), "{said}");
    assert!(said.contains(&format!("{first}: the note is not signed with the key")), "{said}");
}

#[test]
fn what_was_changed_since_the_last_checkpoint_is_not_signed() {
    let scope = Sandbox::shared().scope("not_signed");
    let topic = scope.create_topic("orders.events", 1);
    let anchored = Anchored::recorded(&scope, &topic, 45);
    let key = anchored.key("audit.key");
    anchored.checkpoint(&key, "kept.checkpoint");
    Producer::new(scope.brokers()).native_events(&topic, 45..95);
    anchored.record(&topic);
    let database = anchored.database();
    let last = "(SELECT max(batch_no) FROM ingest_batches)";
    let ledger =
        ["ingest_batches", "ingest_batch_ranges", "evidence_leaves", "evidence_checkpoints"];
    let refused = |change: &str, back: &str, reason: &str| {
        tamper(&database, &ledger, change);
        let (exit, stdout, said) = anchored.evidence(&["checkpoint", "--key", &key]);
        assert_eq!((exit, stdout.as_str()), (Some(5), ""), "{change}: {said}");
        assert!(said.contains(reason), "{change}: {said}");
        assert!(said.contains("audit evidence restart"), "{said}");
        tamper(&database, &ledger, back);
    };
    refused(
        &format!("UPDATE ingest_batches SET ingester = ingester || '!' WHERE batch_no = {last}"),
        &format!(
            "UPDATE ingest_batches SET ingester = rtrim(ingester, '!') WHERE batch_no = {last}"
        ),
        "what it is made of was changed since the checkpoint of",
    );
    refused(
        &format!(
            "UPDATE ingest_batch_ranges SET next_offset = next_offset + 1 WHERE batch_no = {last}"
        ),
        &format!(
            "UPDATE ingest_batch_ranges SET next_offset = next_offset - 1 WHERE batch_no = {last}"
        ),
        "what it is made of was changed since the checkpoint of",
    );
    // Below the checkpoint, with the hash that goes with it.
    refused(
        "UPDATE evidence_leaves SET hash = sha256(hash) WHERE leaf_index = 2; CREATE TABLE kept AS SELECT 1",
        "DROP TABLE kept",
        "are not those that the checkpoint in the database covers",
    );
    let (exit, _, said) = anchored.evidence(&["checkpoint", "--key", &key]);
    assert_eq!(exit, Some(5), "{said}");
}

#[test]
fn a_log_that_was_set_back_is_told_by_the_file_where_the_database_forgot_the_checkpoint() {
    let scope = Sandbox::shared().scope("set_back");
    let topic = scope.create_topic("orders.events", 1);
    let anchored = Anchored::recorded(&scope, &topic, 45);
    let key = anchored.key("audit.key");
    anchored.checkpoint(&key, "kept.checkpoint");
    let kept = anchored.read("kept.checkpoint");
    let database = anchored.database();
    tamper(
        &database,
        &["evidence_leaves", "evidence_checkpoints"],
        "DELETE FROM evidence_checkpoints;
         DELETE FROM evidence_leaves WHERE leaf_index = (SELECT max(leaf_index) FROM evidence_leaves);
         UPDATE ledger_head SET log_size = log_size - 1",
    );
    let out = anchored.path("kept.checkpoint");
    let (exit, _, said) = anchored.evidence(&["checkpoint", "--key", &key, "--out", &out]);
    assert_eq!(exit, Some(5), "{said}");
    assert!(said.contains("it was set back since"), "{said}");
    assert_eq!(anchored.read("kept.checkpoint"), kept);
    assert_eq!(database.number("SELECT count(*) FROM evidence_checkpoints"), 0);
    // Whoever does not look there is not told.
    assert_eq!(anchored.evidence(&["checkpoint", "--key", &key]).0, Some(0));
}
