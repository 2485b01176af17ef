//! A command that could not do all that was asked never exits with 0.

use std::fs::OpenOptions;
use std::io::Read as _;
use std::process::{Output, Stdio};
use std::time::Duration;

use sandbox::Sandbox;

use crate::support::rows::{events, record};
use crate::support::{Audit, Database, Producer};

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs it with a stdout that takes nothing: a full disk.
fn on_a_full_disk(audit: &Audit, arguments: &[&str]) -> Output {
    let full = OpenOptions::new().write(true).open("/dev/full");
    let full = full.unwrap_or_else(|error| panic!("/dev/full: {error}"));
    let output = audit.command(arguments).stdout(full).output();
    output.unwrap_or_else(|error| panic!("audit {arguments:?}: {error}"))
}

#[test]
fn a_result_that_a_full_disk_does_not_take_is_a_failure_of_every_command() {
    let scope = Sandbox::shared().scope("full_disk");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    let ids = record(&database, &events("A", 3, "2026-11-22"));
    let id = ids.start().to_string();
    for arguments in [
        &["--help"][..],
        &["--version"],
        &["query", "--help"],
        &["query"],
        &["query", "-o", "json"],
        &["query", "--count"],
        &["query", "--explain"],
        &["show", &id],
        &["show", &id, "-o", "json"],
        &["trace", &id],
        &["trace", &id, "-o", "json"],
        &["trace", &id, "-o", "mermaid"],
        &["stats"],
        &["export"],
        &["export", "/dev/full", "-o", "csv"],
        &["tail", "--no-follow"],
        &["dlt", "-o", "json"],
        &["replay-dlt", "--dry-run", "-o", "json"],
        &["replay-dlt", "--status", "-o", "json"],
        &["status"],
        &["status", "--consumers", "-o", "json"],
        &["verify"],
        &["config", "show"],
        &["decode", "Cargo.toml"],
        &["migrate"],
        &["migrate", "--status"],
        &["migrate", "--dry-run"],
        &["completions", "bash"],
        &["man"],
    ] {
        let output = on_a_full_disk(&audit, arguments);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.contains("No space left on device"), "{arguments:?}: {said}");
    }
    // A person who looks at the help and leaves the pager is no failure.
    let mut command = audit.command(&["--help"]);
    let mut help = command.stdout(Stdio::piped()).spawn().unwrap_or_else(|error| panic!("{error}"));
    drop(help.stdout.take());
    assert!(help.wait().is_ok_and(|status| status.success()));
}

#[test]
fn a_slow_reader_of_tail_gets_every_row() {
    let scope = Sandbox::shared().scope("tail_patience");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    // Far more than a pipe takes.
    record(&database, &events("A", 5_000, "2026-11-22"));
    let mut command = audit.command(&["tail", "--no-follow", "-n", "5000", "-o", "json"]);
    let mut tail = command.stdout(Stdio::piped()).spawn().unwrap_or_else(|error| panic!("{error}"));
    std::thread::sleep(Duration::from_millis(2_500));
    let mut text = String::new();
    if let Some(mut stdout) = tail.stdout.take() {
        stdout.read_to_string(&mut text).unwrap_or_else(|error| panic!("{error}"));
    }
    assert!(tail.wait().is_ok_and(|status| status.success()));
    let rows: Vec<serde_json::Value> =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{} bytes: {error}", text.len()));
    assert_eq!(rows.len(), 5_000);
}

#[test]
fn tail_of_a_ledger_that_lacks_a_batch_is_incomplete() {
    let scope = Sandbox::shared().scope("tail_gap");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    for _ in 0..3 {
        record(&database, &events("A", 2, "2026-11-22"));
    }
    let tail = ["tail", "--no-follow", "--from-batch", "1", "-o", "ndjson"];
    assert_eq!(audit.run(&tail).status.code(), Some(0));
    database.execute(
        "ALTER TABLE ingest_batches DISABLE TRIGGER ALL; DELETE FROM ingest_batches WHERE batch_no = 2",
    );
    let output = audit.run(&tail);
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    assert!(stderr(&output).contains("the ledger has no batches 2 to 2"), "{}", stderr(&output));
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 4);
}

#[test]
fn a_status_that_kafka_did_not_answer_in_whole_is_incomplete() {
    let scope = Sandbox::shared().scope("status_incomplete");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 1));
    Producer::new(scope.brokers()).native_events(&topic, 0..2);
    audit.succeed(&["ingest", "--until-end", "--topics", &topic]);
    assert_eq!(audit.run(&["status"]).status.code(), Some(0));

    let away = Audit { brokers: "127.0.0.1:9".to_owned(), ..audit.clone() };
    let output = away.run(&["status", "--all"]);
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    assert!(String::from_utf8_lossy(&output.stdout).contains(&topic), "what is known is shown");
    let mut unnamed = audit.command(&["status"]);
    unnamed.env_remove("AUDIT_BROKERS").env_remove("KAFKA_BROKERS");
    assert!(unnamed.output().is_ok_and(|output| output.status.code() == Some(4)));

    Database::open(&audit.database_url).execute(&format!(
        "INSERT INTO kafka_partitions (cluster_id, topic, partition)
         SELECT cluster_id, 'gone.{topic}', 0 FROM kafka_partitions"
    ));
    let output = audit.run(&["status"]);
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    assert!(
        stderr(&output).contains(&format!("of gone.{topic} the lag is unknown")),
        "{}",
        stderr(&output)
    );
}

#[test]
fn roles_are_made_by_the_owner_of_the_tables_alone() {
    let scope = Sandbox::shared().scope("roles_by_another");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    let role = format!("half_{}", uuid::Uuid::new_v4().simple());
    // Who may hand on a part of the rights gets a warning from PostgreSQL, and no error.
    database.execute(&format!(
        "CREATE ROLE {role} LOGIN CREATEROLE PASSWORD 'x';
         GRANT USAGE ON SCHEMA public TO {role} WITH GRANT OPTION;
         GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role} WITH GRANT OPTION;
         GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {role} WITH GRANT OPTION"
    ));
    let Some((_, server)) = audit.database_url.split_once('@') else {
        panic!("a URL without a user")
    };
    let other = Audit { database_url: format!("postgres://{role}:x@{server}"), ..audit.clone() };
    let output = other.run(&["migrate", "--roles"]);
    database.execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("owns the tables"), "{}", stderr(&output));
}
