//! A table in a bucket, through a real S3 server.

use std::process::Command;

use sandbox::Sandbox;
use tempfile::TempDir;

use super::server::{KEY, SECRET, Server};
use super::table::{LakeTable, approve};
use crate::support::rows::{events, record};
use crate::support::{Audit, Database, Running};

/// A server, and the folder in which it keeps its objects.
pub(super) struct Bucket {
    folder: TempDir,
    pub(super) server: Server,
}

impl Bucket {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
        let server = Server::start(folder.path());
        Self { folder, server }
    }

    /// `audit export` of a table there, with the keys in the environment.
    pub(super) fn export(&self, audit: &Audit, more: &[&str]) -> Command {
        let mut command = audit.command(&["export", "--delta", "s3://lake/a/table"]);
        command.args(more);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
            command.env_remove(name);
        }
        command.env("AWS_ENDPOINT_URL", self.server.endpoint()).env("AWS_ALLOW_HTTP", "true");
        command.env("AWS_REGION", "eu-central-1");
        command.env("AWS_ACCESS_KEY_ID", KEY).env("AWS_SECRET_ACCESS_KEY", SECRET);
        command
    }

    /// The table, past the server.
    pub(super) fn table(&self) -> LakeTable {
        LakeTable::read(&self.place())
    }

    pub(super) fn find(&self) -> Option<LakeTable> {
        LakeTable::find(&self.place())
    }

    fn place(&self) -> std::path::PathBuf {
        self.folder.path().join("lake/a/table")
    }
}

#[test]
fn a_table_in_a_bucket_has_each_row_of_the_record() {
    let scope = Sandbox::shared().scope("delta_bucket");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    let bucket = Bucket::new();
    for rows in [20_000, 10] {
        record(&database, &events("OrderCreated", rows, "2026-11-22"));
        let output = bucket.export(&audit, &[]).output().unwrap_or_else(|error| panic!("{error}"));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        assert!(said.contains(&format!("{rows} rows appended to s3://lake/a/table")), "{said}");
    }
    approve(&bucket.table(), &database);
    // An option wins over the variable.
    let region = "AWS_ENDPOINT_URL=http://127.0.0.1:1";
    let output = bucket.export(&audit, &["--storage", region]).output();
    assert!(output.is_ok_and(|output| output.status.code() == Some(1)));
}

#[test]
fn runs_side_by_side_append_each_row_once_to_a_bucket_and_all_end_well() {
    let scope = Sandbox::shared().scope("delta_side_by_side");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    let bucket = Bucket::new();
    for round in 0..5 {
        record(&database, &events("OrderCreated", 300, "2026-11-22"));
        let runs = [(); 3].map(|()| Running::start(&mut bucket.export(&audit, &[])));
        for mut run in runs {
            run.succeed(std::time::Duration::from_secs(90));
        }
        assert_eq!(bucket.table().version, round + 1);
    }
    approve(&bucket.table(), &database);
}

#[test]
fn a_store_that_refuses_or_is_not_there_is_one_line_without_a_secret() {
    let scope = Sandbox::shared().scope("delta_no_store");
    let audit = Audit::migrated(&scope);
    let bucket = Bucket::new();
    let secret = "AWS_SECRET_ACCESS_KEY=the-wrong-secret";
    for storage in
        [secret, "AWS_ENDPOINT_URL=http://127.0.0.1:1", "AWS_ENDPOINT_URL=http://nowhere.invalid"]
    {
        for follow in [&[][..], &["--follow"]] {
            let output = bucket.export(&audit, &["--storage", storage]).args(follow).output();
            let output = output.unwrap_or_else(|error| panic!("{error}"));
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{said}");
            assert_eq!(said.lines().count(), 1, "{said}");
            assert!(said.contains("s3://lake/a/table/"), "{said}");
            assert!(!said.contains("the-wrong-secret") && !said.contains(SECRET), "{said}");
        }
    }
    assert_eq!(bucket.find(), None);
}
