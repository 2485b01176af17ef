//! Bookmarks: each row once, in commit order, and no new beginning that nobody asked for.

use std::os::unix::fs::symlink;
use std::time::Duration;

use sandbox::Sandbox;

use super::folder::{Folder, data};
use crate::support::rows::{commit, events, insert, record, reserve};
use crate::support::{Audit, Database, wait_until};

const LIMIT: Duration = Duration::from_secs(60);

/// An export with a bookmark called `b` into a pipe.
fn next(audit: &Audit, folder: &Folder, options: &[&str]) -> Vec<String> {
    let arguments =
        ["export", "--columns", "id", "--no-header", "--incremental", &folder.path("b")];
    let exported = audit.succeed(&[&arguments, options].concat());
    exported.lines().map(str::to_owned).collect()
}

/// Runs an export that has to fail, and returns what it says.
fn fail(audit: &Audit, exit: i32, arguments: &[&str]) -> String {
    let output = audit.run(&[&["export"], arguments].concat());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(exit), "{arguments:?}: {said}");
    said
}

#[test]
fn rows_come_as_they_committed_and_each_once() {
    let scope = Sandbox::shared().scope("bookmark_order");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    let other = Database::open(&audit.database_url);
    let folder = Folder::new();
    // Lower ids that commit later, and one batch that is not there yet.
    let (low, high) = (reserve(&database, 3), reserve(&database, 2));
    other.execute("BEGIN");
    insert(&other, &low, &events("Low", 3, "2026-11-22"));
    database.execute("BEGIN");
    insert(&database, &high, &events("High", 2, "2026-11-22"));
    commit(&database, &high);
    assert_eq!(next(&audit, &folder, &[]), ["4", "5"]);
    record(&database, &events("Last", 2, "2026-11-22"));
    commit(&other, &low);
    assert_eq!(next(&audit, &folder, &[]), ["6", "7", "1", "2", "3"]);
    assert_eq!(next(&audit, &folder, &[]), [""; 0]);
    assert!(folder.text("b").contains("\"batch_no\": 3"));
    // All of it at once, from the beginning, is the same order.
    let again = Folder::new();
    assert_eq!(next(&audit, &again, &[]), ["4", "5", "6", "7", "1", "2", "3"]);
}

#[test]
fn a_bookmark_of_something_else_is_refused_and_stays_as_it_is() {
    let scope = Sandbox::shared().scope("bookmark_other");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(&database, &events("OrderCreated", 3, "2026-11-22"));
    let folder = Folder::new();
    let bookmark = folder.path("b");
    let first = ["--type", "Order*", "--since", "2026-11-01", "--incremental", &bookmark];
    audit.succeed(&[&["export"], &first[..]].concat());
    let before = folder.text("b");
    for (options, problem) in [
        (&["--type", "Order*"][..], "its selectors are"),
        (&["--type", "Order*", "--since", "2026-11-02"], "--since 2026-11-02"),
        (&["--type", "Order*", "--since", "2026-11-01", "--dlt"], "its selectors are"),
        (
            &["--type", "Order*", "--since", "2026-11-01", "--tz", "Europe/Berlin"],
            "--tz Europe/Berlin",
        ),
        (&["--type", "Order*", "--since", "2026-11-01", "--columns", "id"], "its columns are"),
        (
            &["--type", "Order*", "--since", "2026-11-01", "--payload-as", "text"],
            "--payload-as text",
        ),
        (
            &["--type", "Order*", "--since", "2026-11-01", "--timestamps", "rfc3339"],
            "its options are",
        ),
        (&["--type", "Order*", "--since", "2026-11-01", "--dedup"], "--dedup"),
        (&["--type", "Order*", "--since", "2026-11-01", "--no-header"], "--no-header"),
    ] {
        let said = fail(&audit, 2, &[options, &["--incremental", &bookmark]].concat());
        assert!(
            said.contains(problem) && said.contains("repeat the options of the first run"),
            "{said}"
        );
        assert_eq!(folder.text("b"), before);
    }
    database.execute("UPDATE audit_installation SET id = gen_random_uuid()");
    let said = fail(&audit, 2, &first);
    assert!(said.contains("it is of the installation"), "{said}");
    // Neither is one whose times are others at each run, whatever else it asks for.
    for moving in
        [["--since", "-1d"], ["--until", "now"], ["--date", "today"], ["--recorded-since", "10:00"]]
    {
        let said =
            fail(&audit, 2, &[&moving[..], &["--incremental", &folder.path("new")]].concat());
        assert!(said.contains("moves from run to run"), "{said}");
    }
    assert_eq!(
        fail(&audit, 2, &["--limit", "3", "--incremental", &bookmark]).lines().count().min(1),
        1
    );
    assert_eq!(folder.names(), ["b", "b.lock"]);
}

#[test]
fn what_is_no_bookmark_is_an_error_and_never_a_new_beginning() {
    let scope = Sandbox::shared().scope("bookmark_broken");
    let audit = Audit::migrated(&scope);
    record(&Database::open(&audit.database_url), &events("OrderCreated", 3, "2026-11-22"));
    let folder = Folder::new();
    let bookmark = folder.path("b");
    audit.succeed(&["export", "--incremental", &bookmark]);
    let good = folder.text("b");
    for (wrong, problem) in [
        (String::new(), "this is no bookmark of audit"),
        ("\n".to_owned(), "this is no bookmark of audit"),
        ("7".to_owned(), "this is no bookmark of audit"),
        ("{}".to_owned(), "this is no bookmark of audit"),
        (good[..good.len() - 20].to_owned(), "this is no bookmark of audit"),
        (good.replace("\"batch_no\": 1", "\"batch_no\": \"1\""), "this is no bookmark of audit"),
        (good.replace("audit-bookmark-1", "audit-bookmark-9"), "is not known here"),
        // Ahead of the record: that was restored from a backup.
        (good.replace("\"batch_no\": 1", "\"batch_no\": 2"), "the database was restored"),
    ] {
        folder.write("b", &wrong);
        let output = audit.run(&["export", "--incremental", &bookmark]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{wrong}: {said}");
        assert!(said.contains(problem), "{said}");
        assert_eq!((folder.text("b"), output.stdout.len()), (wrong, 0));
    }
    folder.remove("b");
    folder.make("b");
    fail(&audit, 1, &["--incremental", &bookmark]);
    let said = fail(&audit, 1, &["--incremental", &folder.path("nowhere/b")]);
    assert!(said.contains("locking "), "{said}");
    fail(&audit, 1, &["--incremental", "/sys/kernel/b"]);
}

#[test]
fn a_bookmark_has_one_run_at_a_time_by_whatever_name() {
    let scope = Sandbox::shared().scope("bookmark_locked");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(&database, &events("OrderCreated", 3, "2026-11-22"));
    let folder = Folder::new();
    folder.make("sub");
    assert!(symlink("../b", folder.path("sub/link")).is_ok());
    // Waits for the table, with the bookmark in its hand.
    database.execute("BEGIN; LOCK TABLE ingest_batches");
    // A transaction sees no activity that begins later.
    let watcher = Database::open(&audit.database_url);
    let mut first = audit.start(&["export", "--incremental", &folder.path("b")]);
    wait_until("the first has it", LIMIT, || {
        watcher.number(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'audit export'
                AND datname = current_database() AND wait_event_type = 'Lock'",
        ) > 0
    });
    for name in ["b", "sub/link", "sub/../b"] {
        let said = fail(&audit, 1, &["--incremental", &folder.path(name)]);
        assert!(said.contains("another run has this bookmark"), "{said}");
    }
    database.execute("COMMIT");
    first.succeed(LIMIT);
    // The link stays one, and the lock that stays holds nobody up.
    assert_eq!(
        audit.succeed(&["export", "--incremental", &folder.path("sub/link")]).lines().count(),
        1
    );
    assert_eq!(folder.names(), ["b", "b.lock", "sub/link"]);
}

#[test]
fn a_file_that_was_handed_over_is_not_replaced() {
    let scope = Sandbox::shared().scope("bookmark_existing");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(&database, &events("OrderCreated", 3, "2026-11-22"));
    let folder = Folder::new();
    let at = |hour: &str| {
        let mut command = audit.command(&["export", &format!("{hour}.csv"), "--columns", "id"]);
        // By names from a folder, as in a crontab.
        command.current_dir(folder.root()).args(["--incremental", "b"]);
        let output = command.output().unwrap_or_else(|error| panic!("{error}"));
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert_eq!(at("13").0, Some(0));
    record(&database, &events("OrderCreated", 2, "2026-11-22"));
    let before = folder.text("b");
    let (code, said) = at("13");
    assert_eq!(code, Some(1));
    assert!(said.contains("the file is there already"), "{said}");
    assert_eq!((folder.text("13.csv"), folder.text("b")), ("id\n1\n2\n3\n".to_owned(), before));
    assert_eq!(at("14").0, Some(0));
    assert_eq!(folder.text("14.csv"), "id\n4\n5\n");
    // Nothing new is a file with a header, so that whoever waits for it finds it.
    assert_eq!(at("15").0, Some(0));
    assert_eq!(folder.text("15.csv"), "id\n");
    assert_eq!(audit.run(&["export", "--check", &folder.path("")]).status.code(), Some(5));
    let checked = ["13", "14", "15"].map(|hour| {
        audit.run(&["export", "--check", &folder.path(&format!("{hour}.csv"))]).status.code()
    });
    assert_eq!(checked, [Some(0); 3]);
}

#[test]
fn what_a_folder_holds_is_not_written_again_by_a_bookmark_that_begins_anew() {
    let scope = Sandbox::shared().scope("bookmark_folder");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(&database, &events("OrderCreated", 3, "2026-11-22"));
    let folder = Folder::new();
    let path = folder.path("hours");
    let export = |bookmark: &str| -> Vec<String> {
        ["export", &path, "-o", "csv", "--rotate", "2", "--incremental", &folder.path(bookmark)]
            .map(str::to_owned)
            .to_vec()
    };
    let run = |bookmark: &str| {
        let arguments = export(bookmark);
        audit.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    };
    assert!(run("b").status.success());
    record(&database, &events("OrderCreated", 1, "2026-11-22"));
    assert!(run("b").status.success());
    let before = folder.names();
    assert_eq!(
        data(&before),
        [
            "b",
            "b.lock",
            "hours/events-000000000001-000000000001-000000.csv",
            "hours/events-000000000001-000000000001-000001.csv",
            "hours/events-000000000002-000000000002-000000.csv",
        ]
    );
    let refused = |bookmark: &str, problem: &str| {
        let output = run(bookmark);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(problem), "{said}");
        assert!(!folder.root().join(bookmark).exists());
    };
    refused("lost", "the folder holds data already, and the bookmark");
    let manifests = before.iter().filter(|name| name.ends_with(".manifest.json"));
    manifests.for_each(|name| folder.remove(name));
    refused("lost", "the folder holds data already, and the bookmark");
    // Two that began before there was a file do not replace each other's.
    let two = Folder::new();
    let (path, left, right) = (two.path("both"), two.path("left"), two.path("right"));
    let run = |bookmark: &str, kind: &str| {
        audit.run(&[
            "export",
            &path,
            "-o",
            "csv",
            "--rotate",
            "2",
            "--type",
            kind,
            "--incremental",
            bookmark,
        ])
    };
    assert!(run(&left, "Left").status.success() && run(&right, "Right").status.success());
    record(&database, "SELECT gen_random_uuid(), t, NULL::uuid, 's', false, '{}'::jsonb, now()::timestamp, NULL::uuid
                         FROM (VALUES ('Left'), ('Right')) AS two(t)");
    assert!(run(&left, "Left").status.success());
    let output = run(&right, "Right");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("another run has written this file"), "{said}");
    assert!(two.text("right").contains("\"pending\": null"));

    // A bookmark among the files would be one of them.
    let output = audit.run(&[
        "export",
        &two.path("in"),
        "-o",
        "csv",
        "--rotate",
        "2",
        "--incremental",
        &two.path("in/b"),
    ]);
    assert_eq!(output.status.code(), Some(1));
    two.make("in");
    let inside = |name: &str| {
        audit.run(&[
            "export",
            &two.path("in"),
            "-o",
            "csv",
            "--rotate",
            "2",
            "--incremental",
            &two.path(name),
        ])
    };
    let said = String::from_utf8_lossy(&inside("in/b").stderr).into_owned();
    assert!(said.contains("the bookmark lies among the files"), "{said}");
    two.remove("in/b.lock");
    assert!(inside("in/.b").status.success() && inside("in/.b").status.success());
    assert_eq!(audit.run(&["export", "--check", &two.path("in")]).status.code(), Some(0));
}

#[test]
fn nothing_new_is_no_error_and_batches_of_other_events_move_the_bookmark() {
    let scope = Sandbox::shared().scope("bookmark_nothing");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    let folder = Folder::new();
    let path = folder.path("hours");
    let arguments = [
        "export",
        &path,
        "-o",
        "parquet",
        "--partition-by",
        "type",
        "--type",
        "Wanted",
        "--incremental",
        &folder.path("b"),
    ];
    let run = |more: &[&str]| audit.run(&[&arguments[..], more].concat()).status.code();
    let batch_no = || {
        let bookmark: serde_json::Value =
            serde_json::from_str(&folder.text("b")).unwrap_or_default();
        (bookmark["batch_no"].clone(), bookmark["pending"].clone())
    };
    assert_eq!(run(&[]), Some(0));
    assert_eq!(folder.names(), ["b.lock"]);
    record(&database, &events("Other", 3, "2026-11-22"));
    assert_eq!(run(&["--fail-on-empty"]), Some(3));
    assert_eq!(batch_no(), (1.into(), serde_json::Value::Null));
    record(&database, &events("Wanted", 3, "2026-11-22"));
    record(&database, &events("Other", 3, "2026-11-22"));
    assert_eq!(run(&["--fail-on-empty"]), Some(0));
    assert_eq!(run(&["--fail-on-empty"]), Some(3));
    assert_eq!(batch_no(), (3.into(), serde_json::Value::Null));
    assert_eq!(
        folder.names(),
        [
            "b",
            "b.lock",
            "hours/_events-000000000002-000000000003.manifest.json",
            "hours/type=Wanted/events-000000000002-000000000003-000000.parquet",
        ]
    );
    audit.succeed(&["export", "--check", &path]);
}
