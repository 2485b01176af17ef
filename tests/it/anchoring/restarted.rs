//! Another log, after an honest restore and for a copy.

use sandbox::Sandbox;

use super::{Anchored, size_of, tamper};
use crate::support::{Database, Producer};

/// Sets everything back to what it was at a batch, as the restore of an older dump does.
fn restore(database: &Database, batch_no: i64) {
    let tables = [
        "event_logs",
        "event_logs_000000",
        "dead_letters",
        "ingest_batches",
        "ingest_batch_ranges",
        "evidence_leaves",
        "evidence_tiles",
        "evidence_checkpoints",
        "kafka_partitions",
        "ledger_head",
    ];
    tamper(
        database,
        &tables,
        &format!(
            "DELETE FROM evidence_checkpoints;
             UPDATE kafka_partitions SET next_offset = coalesce((SELECT max(next_offset) FROM ingest_batch_ranges ranges
                 WHERE ranges.partition_id = kafka_partitions.partition_id AND batch_no <= {batch_no}), 0);
             DELETE FROM event_logs WHERE id > (SELECT max(last_id) FROM ingest_batches WHERE batch_no <= {batch_no});
             DELETE FROM evidence_leaves WHERE batch_no > {batch_no};
             DELETE FROM ingest_batch_ranges WHERE batch_no > {batch_no};
             DELETE FROM ingest_batches WHERE batch_no > {batch_no};
             UPDATE ledger_head SET batch_no = {batch_no}, log_size = (SELECT count(*) FROM evidence_leaves),
                                    row_count = (SELECT count(*) FROM event_logs)"
        ),
    );
}

#[test]
fn after_a_restore_of_an_older_dump_another_log_begins_that_says_so() {
    let scope = Sandbox::shared().scope("restarted");
    let topic = scope.create_topic("orders.events", 1);
    let anchored = Anchored::recorded(&scope, &topic, 25);
    let key = anchored.key("audit.key");
    anchored.checkpoint(&key, "first.checkpoint");
    let database = anchored.database();
    let batch_no = database.number("SELECT batch_no FROM ledger_head");
    Producer::new(scope.brokers()).native_events(&topic, 25..75);
    anchored.record(&topic);
    anchored.checkpoint(&key, "last.checkpoint");
    let last = anchored.path("last.checkpoint");

    // Nothing is wrong: nothing is begun.
    let restart = ["restart", "--reason", "the dump of Sunday", "--checkpoint", &last];
    let (exit, plan, said) = anchored.evidence(&restart);
    assert_eq!(exit, Some(0), "{said}");
    assert!(plan.contains("nothing has to be begun anew"), "{plan}");
    let (exit, _, said) = anchored.evidence(&[&restart[..], &["--yes"]].concat());
    assert_eq!(exit, Some(1), "{said}");
    assert!(said.contains("nothing was begun"), "{said}");
    assert_eq!(database.number("SELECT log_no FROM ledger_head"), 0);

    restore(&database, batch_no);
    anchored.record(&topic);
    let (exit, _, said) = anchored.evidence(&["checkpoint", "--key", &key, "--out", &last]);
    assert_eq!(exit, Some(5), "{said}");
    // Without the file nobody can tell.
    let (exit, plan, said) = anchored.evidence(&["restart", "--reason", "the dump of Sunday"]);
    assert_eq!(exit, Some(0), "{said}");
    assert!(plan.contains("no checkpoint of it is known"), "{plan}");

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
    for part in ["the dump of Sunday", &format!("audit/{installation}")] {
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
    let database = anchored.database();
    let old = database.value("SELECT id FROM audit_installation");
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
}
