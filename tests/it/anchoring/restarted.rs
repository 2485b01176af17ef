//! Another log, after an honest restore and for a copy.

use sandbox::Sandbox;

use super::{Anchored, size_of};
use crate::support::{Audit, Database, Producer};

/// The exit code of `audit verify` with a checkpoint, and what it prints.
fn verified(anchored: &Anchored, key: &str, checkpoint: &str) -> (Option<i32>, String) {
    let (path, vkey) = (anchored.path(checkpoint), format!("{key}.vkey"));
    let arguments = ["verify", "--checkpoint", &path, "--vkey", &vkey, "--wait", "0"];
    let output = anchored.audit.run(&arguments);
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn after_a_restore_of_an_older_backup_another_log_begins_that_says_so() {
    let scope = Sandbox::shared().scope("restarted");
    let topic = scope.create_topic("orders.events", 1);
    let mut anchored = Anchored::recorded(&scope, &topic, 25);
    let key = anchored.key("audit.key");
    anchored.checkpoint(&key, "first.checkpoint");
    let name = anchored.audit.database_url.rsplit('/').next().unwrap_or_default();
    let template = format!("TEMPLATE \"{name}\"");
    let backup = scope.database_with("backup", &template);
    Producer::new(scope.brokers()).native_events(&topic, 25..75);
    anchored.record(&topic);
    anchored.checkpoint(&key, "last.checkpoint");
    let last = anchored.path("last.checkpoint");

    // Nothing is wrong: nothing is begun.
    let restart = ["restart", "--reason", "the backup of Sunday", "--checkpoint", &last];
    let (exit, plan, said) = anchored.evidence(&restart);
    assert_eq!(exit, Some(0), "{said}");
    assert!(plan.contains("nothing has to be begun anew"), "{plan}");
    let (exit, _, said) = anchored.evidence(&[&restart[..], &["--yes"]].concat());
    assert_eq!(exit, Some(1), "{said}");
    assert!(said.contains("nothing was begun"), "{said}");
    assert_eq!(anchored.database().number("SELECT log_no FROM ledger_head"), 0);

    anchored.audit = Audit { database_url: backup, brokers: anchored.audit.brokers.clone() };
    anchored.audit.succeed(&["migrate", "--adopt-copy", "moved"]);
    anchored.record(&topic);
    let database = anchored.database();
    assert_eq!(database.event_count(), 75);
    let (exit, _, said) = anchored.evidence(&["checkpoint", "--key", &key, "--out", &last]);
    assert_eq!(exit, Some(5), "{said}");
    let (exit, said) = verified(&anchored, &key, "last.checkpoint");
    assert_eq!(exit, Some(5), "{said}");
    // Without the file nobody can tell.
    let (exit, plan, said) = anchored.evidence(&["restart", "--reason", "the backup of Sunday"]);
    assert_eq!(exit, Some(0), "{said}");
    assert!(plan.contains("nothing has to be begun anew"), "{plan}");

    let installation = database.value("SELECT id FROM audit_installation");
    let (exit, plan, said) = anchored.evidence(&restart);
    assert_eq!(exit, Some(0), "{said}");
    assert!(plan.contains(&format!("new log  audit/{installation}/1\n")), "{plan}");
    assert!(said.contains("--yes"), "{said}");
    assert_eq!(database.number("SELECT log_no FROM ledger_head"), 0);
    let (exit, done, said) = anchored.evidence(&[&restart[..], &["--yes"]].concat());
    assert_eq!(exit, Some(0), "{said}");
    assert!(done.ends_with(&format!("begun: audit/{installation}/1\n")), "{done}");
    let leaf = database.rows(
        "SELECT kind, leaf_index, encode(body, 'escape') FROM evidence_leaves WHERE log_no = 1",
    );
    assert_eq!(leaf.len(), 1);
    assert_eq!(leaf[0][..2], ["7", "0"]);
    for part in ["the backup of Sunday", &format!("audit/{installation}")] {
        assert!(leaf[0][2].contains(part), "{}", leaf[0][2]);
    }
    assert!(leaf[0][2].contains(anchored.read("last.checkpoint").lines().nth(2).unwrap_or("∅")));

    // The old key is of another log, the old file of another one, too.
    let (exit, _, said) = anchored.evidence(&["checkpoint", "--key", &key]);
    assert_eq!(exit, Some(2), "{said}");
    assert!(said.contains(&format!("the log is audit/{installation}/1")), "{said}");
    let new_key = anchored.key("new.key");
    let (exit, _, said) = anchored.evidence(&["checkpoint", "--key", &new_key, "--out", &last]);
    assert_eq!(exit, Some(1), "{said}");
    Producer::new(scope.brokers()).native_events(&topic, 75..90);
    anchored.record(&topic);
    anchored.checkpoint(&new_key, "new.checkpoint");
    let note = anchored.read("new.checkpoint");
    assert!(note.starts_with(&format!("audit/{installation}/1\n")), "{note}");
    assert!(size_of(&note) > 1);

    for (key, checkpoint, expected) in [
        (&new_key, "new.checkpoint", [Some(0), Some(4)]),
        (&key, "first.checkpoint", [Some(0), Some(4)]),
        (&key, "last.checkpoint", [Some(5), Some(5)]),
    ] {
        let (exit, said) = verified(&anchored, key, checkpoint);
        assert!(expected.contains(&exit), "{checkpoint}: {said}");
    }
    // Rows of the new log are proven by it, those of the old one by a checkpoint that they fit.
    let (vkey, proof) = (format!("{new_key}.vkey"), anchored.path("proof.json"));
    let newest = database.value("SELECT max(id) FROM event_logs");
    anchored.audit.succeed(&["evidence", "prove", &newest, "-o", &proof]);
    anchored.audit.succeed(&["evidence", "check", &proof, "--vkey", &vkey]);
    let first = anchored.path("first.checkpoint");
    anchored.audit.succeed(&["evidence", "prove", "3", "--checkpoint", &first, "-o", &proof]);
    anchored.audit.succeed(&["evidence", "check", &proof, "--vkey", &format!("{key}.vkey")]);
    let (exit, _, said) = anchored.evidence(&["prove", "3", "--checkpoint", &last]);
    assert_eq!(exit, Some(5), "{said}");
}

#[test]
fn a_copy_with_an_id_of_its_own_begins_a_log_of_its_own() {
    let scope = Sandbox::shared().scope("copied_log");
    let topic = scope.create_topic("orders.events", 1);
    let anchored = Anchored::recorded(&scope, &topic, 15);
    let database: Database = anchored.database();
    let old = database.value("SELECT id FROM audit_installation");
    // The copy has the checkpoints of the original.
    let old_key = anchored.key("old.key");
    anchored.checkpoint(&old_key, "old.checkpoint");
    database.execute("UPDATE audit_installation SET database_oid = 1");
    anchored.audit.succeed(&["migrate", "--adopt-copy", "new-id"]);
    let new = database.value("SELECT id FROM audit_installation");
    assert_ne!(old, new);
    let head = database.rows("SELECT log_no, log_size FROM ledger_head");
    assert_eq!(head, [["1", "1"]]);
    let body =
        database.value("SELECT encode(body, 'escape') FROM evidence_leaves WHERE log_no = 1");
    assert!(body.contains(&format!("audit/{old}")), "{body}");
    let key = anchored.key("audit.key");
    anchored.checkpoint(&key, "last.checkpoint");
    let note = anchored.read("last.checkpoint");
    assert!(note.starts_with(&format!("audit/{new}/1\n")), "{note}");
    let (exit, said) = verified(&anchored, &key, "last.checkpoint");
    assert_eq!(exit, Some(0), "{said}");
    // A copy of the copy.
    database.execute("UPDATE audit_installation SET database_oid = 1");
    anchored.audit.succeed(&["migrate", "--adopt-copy", "new-id"]);
    let newest = database.value("SELECT id FROM audit_installation");
    let key = anchored.key("newest.key");
    anchored.checkpoint(&key, "newest.checkpoint");
    assert!(anchored.read("newest.checkpoint").starts_with(&format!("audit/{newest}/2\n")));
    let (exit, said) = verified(&anchored, &key, "newest.checkpoint");
    assert_eq!(exit, Some(0), "{said}");
    // An id that no log tells of.
    database.execute("UPDATE audit_installation SET id = gen_random_uuid()");
    let output = anchored.audit.run(&["verify", "--wait", "0"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert!(said.contains("which is not this one"), "{said}");
    // A checkpoint that says to be of the original, beside a log of the copy.
    database.execute(&format!(
        "UPDATE audit_installation SET id = '{newest}'; \
         ALTER TABLE evidence_checkpoints DISABLE TRIGGER append_only; \
         UPDATE evidence_checkpoints SET note = replace(note, '{new}', '{old}') WHERE log_no = 1; \
         ALTER TABLE evidence_checkpoints ENABLE ALWAYS TRIGGER append_only"
    ));
    let (exit, said) = verified(&anchored, &key, "newest.checkpoint");
    assert_eq!(exit, Some(5), "{said}");
}
