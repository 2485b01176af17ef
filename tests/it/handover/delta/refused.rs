//! What is refused, with which exit code, and what is left as it was.

use std::fs;
use std::path::Path;
use std::process::Output;

use sandbox::Sandbox;
use tempfile::TempDir;

use super::table::LakeTable;
use crate::support::rows::{events, record};
use crate::support::{Audit, Database};

fn folder() -> TempDir {
    tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"))
}

/// What it said, where it ended with `code` and with one line and perhaps a hint.
fn refusal(output: &Output, code: i32) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.lines().count() <= 2 && output.stdout.is_empty(), "{said}");
    said
}

fn export(audit: &Audit, folder: &Path, more: &[&str]) -> Output {
    let url = folder.to_str().unwrap_or_default();
    audit.run(&[&["export", "--delta", url], more].concat())
}

#[test]
fn a_table_of_something_else_is_wrong_usage_and_stays_as_it_is() {
    let scope = Sandbox::shared().scope("delta_refused");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(&database, &events("OrderCreated", 5, "2026-11-22"));
    let folder = folder();
    assert!(export(&audit, folder.path(), &[]).status.success());
    let before = LakeTable::read(folder.path());
    record(&database, &events("OrderCreated", 5, "2026-11-22"));
    for (more, what) in [
        (&["--type", "Order*"][..], "selectors"),
        (&["--columns", "id,payload"], "columns"),
        (&["--dedup"], "options"),
    ] {
        let said = refusal(&export(&audit, folder.path(), more), 2);
        assert!(said.contains(&format!("the {what} of the table are")), "{said}");
    }
    let other = Audit { database_url: scope.database("other"), ..audit.clone() };
    other.succeed(&["migrate"]);
    record(&Database::open(&other.database_url), &events("OrderCreated", 5, "2026-11-22"));
    let said = refusal(&export(&other, folder.path(), &[]), 2);
    assert!(said.contains("the installation of the table are"), "{said}");
    assert_eq!(LakeTable::read(folder.path()), before);
    assert!(export(&audit, folder.path(), &[]).status.success());
}

#[test]
fn a_table_that_is_ahead_of_a_restored_database_is_refused() {
    let scope = Sandbox::shared().scope("delta_restored");
    let audit = Audit::migrated(&scope);
    record(&Database::open(&audit.database_url), &events("OrderCreated", 5, "2026-11-22"));
    let name = audit.database_url.rsplit('/').next().unwrap_or_default();
    let backup = scope.database_with("backup", &format!("TEMPLATE {name}"));
    record(&Database::open(&audit.database_url), &events("OrderCreated", 5, "2026-11-22"));
    let folder = folder();
    assert!(export(&audit, folder.path(), &[]).status.success());
    let restored = Audit { database_url: backup, ..audit };
    let output = export(&restored, folder.path(), &[]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("up to batch 2, and the record ends with 1"), "{said}");
}

#[test]
fn a_folder_of_something_else_is_wrong_usage_and_a_damaged_table_is_an_error() {
    let scope = Sandbox::shared().scope("delta_folders");
    let audit = Audit::migrated(&scope);
    let with = |name: &str, text: &str| {
        let folder = folder();
        let file = folder.path().join(name);
        let made = file.parent().map(fs::create_dir_all).map(|_| fs::write(&file, text));
        assert!(made.is_some_and(|made| made.is_ok()));
        folder
    };
    let data = with("notes.txt", "no table");
    let said = refusal(&export(&audit, data.path(), &[]), 2);
    assert!(said.contains("is not a Delta table"), "{said}");

    let foreign = with(
        "_delta_log/00000000000000000000.json",
        "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":2}}\n\
         {\"metaData\":{\"id\":\"1f0f3b0e-8c11-4f64-9a5b-7b0f6a0e3d0c\",\"format\":{\"provider\":\"parquet\",\
         \"options\":{}},\"schemaString\":\"{\\\"type\\\":\\\"struct\\\",\\\"fields\\\":[{\\\"name\\\":\\\"id\\\",\
         \\\"type\\\":\\\"long\\\",\\\"nullable\\\":true,\\\"metadata\\\":{}}]}\",\"partitionColumns\":[],\
         \"configuration\":{}}}\n",
    );
    let said = refusal(&export(&audit, foreign.path(), &[]), 2);
    assert!(said.contains("not one of audit"), "{said}");

    let damaged = with("_delta_log/00000000000000000000.json", "{\"protocol\":");
    let said = refusal(&export(&audit, damaged.path(), &[]), 1);
    assert!(said.contains("cannot read the table at"), "{said}");

    let file = with("file", "");
    refusal(&export(&audit, &file.path().join("file"), &[]), 1);
}

#[test]
fn options_that_mean_nothing_are_wrong_usage() {
    let scope = Sandbox::shared().scope("delta_options");
    let audit = Audit::migrated(&scope);
    let folder = folder();
    for storage in ["AWS_REGION", "=eu", "AWS_REGION=eu"] {
        let output = export(&audit, folder.path(), &["--storage", storage]);
        assert!(refusal(&output, 2).contains("storage"), "{storage}");
    }
    let bucket = |options: &[&str]| {
        audit.run(&[&["export", "--delta", "s3://lake/events"], options].concat())
    };
    let said = refusal(&bucket(&["--storage", "AWS_SECRET=do-not-show"]), 2);
    assert!(said.contains("AWS_SECRET") && !said.contains("do-not-show"), "{said}");
    for url in
        ["gs://lake/events", "http://lake/events", "s3:///events", "s3://key:do-not-show@lake/a"]
    {
        let said = refusal(&audit.run(&["export", "--delta", url]), 2);
        assert!(!said.contains("do-not-show"), "{said}");
    }
    for options in [&["--no-header"][..], &["out.csv"], &["--rotate", "5"], &["--min-rows", "5"]] {
        assert_eq!(export(&audit, folder.path(), options).status.code(), Some(2), "{options:?}");
    }
    assert_eq!(LakeTable::find(folder.path()), None);
}

#[test]
fn a_time_without_end_is_an_error_that_names_the_row_and_leaves_no_version() {
    let scope = Sandbox::shared().scope("delta_infinity");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    let folder = folder();
    record(&database, &events("OrderCreated", 5, "2026-11-22"));
    assert!(export(&audit, folder.path(), &[]).status.success());
    record(&database, &events("OrderCreated", 2, "2026-11-22"));
    record(
        &database,
        "SELECT gen_random_uuid(), 'Endless', NULL::uuid, 'x', false, '{}'::jsonb, 'infinity'::timestamp, NULL::uuid",
    );
    let said = refusal(&export(&audit, folder.path(), &[]), 1);
    assert!(said.contains("row 8: created_at is infinity, which"), "{said}");
    let table = LakeTable::read(folder.path());
    assert_eq!((table.version, table.ids()), (1, vec![1, 2, 3, 4, 5]));
}
