//! `--follow` stays, and appends in time.

use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use sandbox::Sandbox;
use serde_json::Value;

use super::table::{LakeTable, approve};
use crate::support::rows::{events, record};
use crate::support::{Audit, Database, Running, wait_until};

const LIMIT: Duration = Duration::from_secs(60);

fn follow(audit: &Audit, folder: &Path, more: &[&str]) -> Running {
    let url = folder.to_str().unwrap_or_default();
    audit.start(&[&["export", "--delta", url, "--follow"], more].concat())
}

fn wait_for_rows(folder: &Path, rows: usize) -> LakeTable {
    let table = || LakeTable::find(folder);
    wait_until("the table has the rows", LIMIT, || {
        table().is_some_and(|table| table.ids().len() >= rows)
    });
    LakeTable::read(folder)
}

/// The lake writers that `audit status` knows.
fn writers(audit: &Audit) -> Vec<Value> {
    let status = audit.succeed(&["status", "-o", "json"]);
    let status: Value = serde_json::from_str(&status).unwrap_or_else(|error| panic!("{error}"));
    status["lake_writers"].as_array().cloned().unwrap_or_else(|| panic!("{status}"))
}

#[test]
fn rows_are_appended_together_when_enough_are_new_and_status_shows_how_far_it_is() {
    let scope = Sandbox::shared().scope("delta_min_rows");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    record(&database, &events("OrderCreated", 5, "2026-11-22"));
    assert_eq!(writers(&audit), [] as [Value; 0]);
    let options = ["--min-rows", "100", "--max-wait", "1h"];
    let mut writer = follow(&audit, folder.path(), &options);
    wait_for_rows(folder.path(), 5);
    wait_until("status shows it", LIMIT, || {
        writers(&audit).iter().any(|one| one["batch_no"] == 1 && one["batches_behind"] == 0)
    });
    record(&database, &events("OrderCreated", 60, "2026-11-22"));
    let [behind] = &writers(&audit)[..] else { panic!("it is there") };
    assert_eq!((&behind["batch_no"], &behind["batches_behind"]), (&1.into(), &1.into()));
    assert!(behind["behind_since"].is_string() && behind["connected_at"].is_string(), "{behind}");
    // Long enough to show that it does not append too few.
    sleep(Duration::from_secs(2));
    record(&database, &events("OrderCreated", 60, "2026-11-22"));
    let table = wait_for_rows(folder.path(), 125);
    assert_eq!(table.version, 2);
    approve(&table, &database);
    writer.stop();
    assert_eq!(writers(&audit), [] as [Value; 0]);
}

#[test]
fn few_rows_are_appended_after_the_longest_wait_and_a_signal_ends_it_well() {
    let scope = Sandbox::shared().scope("delta_max_wait");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    for (round, signal) in (1..).zip(["INT", "TERM"]) {
        let mut writer = follow(&audit, folder.path(), &["--max-wait", "200ms"]);
        for rows in [3, 4] {
            // None but what came before is there at the first look.
            wait_until("it waits", LIMIT, || {
                let head = database.number("SELECT batch_no FROM ledger_head");
                writers(&audit).iter().any(|one| one["batch_no"] == head)
            });
            record(&database, &events("OrderCreated", rows, "2026-11-22"));
        }
        wait_for_rows(folder.path(), 7 * round);
        writer.signal(signal);
        writer.succeed(LIMIT);
    }
    let table = LakeTable::read(folder.path());
    assert_eq!(table.version, 4);
    approve(&table, &database);
}
