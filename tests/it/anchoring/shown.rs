//! What the other commands tell of checkpoints.

use regex::Regex;
use sandbox::Sandbox;
use serde_json::Value;

use super::Anchored;
use crate::support::Producer;

#[test]
fn show_status_and_report_tell_what_a_checkpoint_covers() {
    let scope = Sandbox::shared().scope("covered");
    let topic = scope.create_topic("orders.events", 1);
    let anchored = Anchored::recorded(&scope, &topic, 25);
    let audit = &anchored.audit;
    let json = |arguments: &[&str]| -> Value {
        let text = audit.succeed(&[arguments, &["-o", "json"]].concat());
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{text}: {error}"))
    };
    // Without a checkpoint.
    let batches = json(&["status"])["database"]["batches"].clone();
    assert_eq!(json(&["show", "3"])["evidence"]["state"], "behind");
    let status = json(&["status"]);
    assert_eq!(status["database"]["checkpoint_size"], Value::Null);
    assert_eq!(status["database"]["batches_behind_checkpoint"], batches);
    assert!(audit.succeed(&["status"]).contains(" behind, since "));

    let key = anchored.key("audit.key");
    anchored.checkpoint(&key, "last.checkpoint");
    let leaves = anchored.database().number("SELECT log_size FROM ledger_head");
    let first =
        anchored.database().number("SELECT last_id FROM ingest_batches ORDER BY batch_no LIMIT 1");
    Producer::new(scope.brokers()).native_events(&topic, 25..40);
    anchored.record(&topic);
    let now = json(&["status"]);
    let behind =
        now["database"]["batches"].as_i64().zip(batches.as_i64()).map(|(now, then)| now - then);
    assert_eq!(now["database"]["checkpoint_size"], leaves);
    assert_eq!(now["database"]["batches_behind_checkpoint"].as_i64(), behind);
    let text = audit.succeed(&["status"]);
    assert!(text.contains(&format!("{leaves} leaves, signed ")), "{text}");

    let shown = json(&["show", &first.to_string()]);
    assert_eq!(shown["evidence"]["state"], "covered");
    assert_eq!(shown["evidence"]["checkpoint_size"], leaves);
    assert_eq!(shown["evidence"]["leaf_index"], 1);
    let text = audit.succeed(&["show", &first.to_string()]);
    let line = format!("leaf 1 of the log, covered by the checkpoint of {leaves} leaves from ");
    assert!(text.contains(&line), "{text}");
    let text = audit.succeed(&["show", "40"]);
    assert!(text.contains("which no checkpoint covers yet"), "{text}");

    let page = audit.succeed(&["report", "-"]);
    assert!(page.contains("under a checkpoint") && page.contains("in no log"), "{page}");
    assert!(page.contains(&format!("The last checkpoint is of {leaves} leaves")), "{page}");
    let rows = |state: &str| -> Vec<String> {
        let (_, row) = page.split_once(state).unwrap_or_default();
        let (row, _) = row.split_once("</tr>").unwrap_or_default();
        let text = Regex::new("<[^>]*>").expect("a pattern").replace_all(row, " ");
        text.split_whitespace().map(str::to_owned).collect()
    };
    let batches = batches.to_string();
    assert_eq!(rows("under a checkpoint"), [batches.as_str(), "25"]);
    assert_eq!(rows("behind the last checkpoint")[1], "15");
    assert_eq!(rows("in no log"), ["0", "0"]);
}

#[test]
fn who_may_record_may_sign_and_who_may_read_may_prove() {
    let scope = Sandbox::shared().scope("rights_of_signing");
    let topic = scope.create_topic("orders.events", 1);
    let mut anchored = Anchored::recorded(&scope, &topic, 25);
    anchored.audit.succeed(&["migrate", "--roles"]);
    let key = anchored.key("audit.key");
    let owner = anchored.database();
    let url = anchored.audit.database_url.clone();
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let host = rest.split_once('@').map_or(rest, |(_, host)| host);
    let roles = ["ingester", "reader"].map(|group| {
        let role = format!("signs_{group}_{}", std::process::id());
        owner.execute(&format!("CREATE ROLE {role} LOGIN IN ROLE audit_{group}"));
        role
    });
    let [ingester, reader] = &roles;
    anchored.audit.database_url = format!("{scheme}://{ingester}@{host}");
    anchored.checkpoint(&key, "last.checkpoint");
    Producer::new(scope.brokers()).native_events(&topic, 25..40);
    let ingest = ["ingest", "--until-end", "--topics", &topic, "--checkpoint-key", &key];
    anchored.audit.succeed(&ingest);
    let size = owner.number("SELECT log_size FROM ledger_head");
    assert_eq!(owner.number("SELECT max(log_size) FROM evidence_checkpoints"), size);
    assert_eq!(anchored.evidence(&["adopt"]).0, Some(1));
    assert_eq!(anchored.evidence(&["restart", "--reason", "a try"]).0, Some(1));

    anchored.audit.database_url = format!("{scheme}://{reader}@{host}");
    let (proof, last) = (anchored.path("proof.json"), anchored.path("last.checkpoint"));
    anchored.audit.succeed(&["evidence", "prove", "3", "--checkpoint", &last, "-o", &proof]);
    anchored.audit.succeed(&["evidence", "prove", "40", "-o", &proof]);
    anchored.audit.succeed(&["evidence", "check", &proof, "--vkey", &format!("{key}.vkey")]);
    assert_eq!(anchored.evidence(&["checkpoint", "--key", &key]).0, Some(1));
    for role in roles {
        owner.execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
    }
}
