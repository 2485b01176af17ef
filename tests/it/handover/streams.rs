//! Pipes and devices: nothing is whole there but the run itself.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use sandbox::Sandbox;

use super::folder::Folder;
use crate::support::rows::{events, record};
use crate::support::{Audit, Database, Running, wait_until};

const LIMIT: Duration = Duration::from_secs(60);

/// A pipe that has a name.
fn named_pipe(folder: &Folder, name: &str) -> String {
    let path = folder.path(name);
    assert!(Command::new("mkfifo").arg(&path).status().is_ok_and(|status| status.success()));
    path
}

#[test]
fn a_device_and_a_pipe_with_a_name_are_written_to_and_stay_what_they_are() {
    let scope = Sandbox::shared().scope("handover_devices");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(&database, &events("OrderCreated", 3, "2026-11-22"));
    let folder = Folder::new();
    let all = audit.succeed(&["export"]);

    audit.succeed(&["export", "/dev/null", "-o", "csv"]);
    assert!(!Path::new("/dev/null").is_file() && !Path::new("/dev/null.manifest.json").exists());
    assert_eq!(audit.succeed(&["export", "-", "-o", "csv"]), all);
    assert_eq!(audit.succeed(&["export", "/dev/stdout", "-o", "csv"]), all);
    let full = audit.run(&["export", "/dev/full", "-o", "csv"]);
    let said = String::from_utf8_lossy(&full.stderr).into_owned();
    assert_eq!(full.status.code(), Some(1), "{said}");
    assert!(said.contains("writing /dev/full: No space left on device"), "{said}");

    let pipe = named_pipe(&folder, "events.csv");
    let mut export = audit.start(&["export", &pipe]);
    let mut read = String::new();
    assert!(File::open(&pipe).and_then(|mut pipe| pipe.read_to_string(&mut read)).is_ok());
    export.succeed(LIMIT);
    assert_eq!(read, all);
    assert_eq!(folder.names(), ["events.csv"], "a pipe has no manifest");
}

#[test]
fn ctrl_c_ends_an_export_into_a_pipe_that_nobody_reads() {
    let scope = Sandbox::shared().scope("handover_unread");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(&database, &events("OrderCreated", 3, "2026-11-22"));
    let folder = Folder::new();
    let pipe = named_pipe(&folder, "events.csv");
    let mut export = audit.start(&["export", &pipe]);
    let reading = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'audit export'
                      AND datname = current_database() AND query LIKE '%FROM event_logs%'";
    wait_until("it reads", LIMIT, || database.number(reading) > 0);
    export.signal("INT");
    assert!(!export.wait(LIMIT).success());
}

/// Starts an export with a bookmark into a pipe, of which the test has the other end.
fn piped(audit: &Audit, bookmark: &str) -> std::process::Child {
    let mut command = audit.command(&["export", "--incremental", bookmark]);
    let spawned = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    spawned.unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_pipe_that_is_closed_or_a_run_that_is_killed_moves_no_bookmark() {
    let scope = Sandbox::shared().scope("handover_closed");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(&database, &events("OrderCreated", 1, "2026-11-22"));
    let folder = Folder::new();
    let bookmark = folder.path("cron.bookmark");
    let first = audit.succeed(&["export", "--incremental", &bookmark]);
    assert_eq!(first.lines().count(), 2);
    record(&database, &events("OrderCreated", 20_000, "2026-11-22"));
    let before = folder.text("cron.bookmark");

    // Much more than a pipe takes.
    let mut child = piped(&audit, &bookmark);
    let mut some = [0; 100];
    let read = child.stdout.take().map(|mut stdout| stdout.read_exact(&mut some));
    assert!(matches!(read, Some(Ok(()))), "{read:?}");
    let output = child.wait_with_output().unwrap_or_else(|error| panic!("{error}"));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("the reader of the output went away"), "{said}");
    assert_eq!(folder.text("cron.bookmark"), before);

    let mut child = piped(&audit, &bookmark);
    let mut stdout = child.stdout.take();
    let read = stdout.as_mut().map(|stdout| stdout.read_exact(&mut some));
    assert!(matches!(read, Some(Ok(()))), "{read:?}");
    assert!(child.kill().is_ok() && child.wait().is_ok());
    assert_eq!(folder.text("cron.bookmark"), before);
    drop(stdout);

    let second = audit.succeed(&["export", "--incremental", &bookmark]);
    assert_eq!(second.lines().count(), 20_001);
    assert_eq!(audit.succeed(&["export", "--incremental", &bookmark]).lines().count(), 1);
    assert_eq!(folder.names(), ["cron.bookmark", "cron.bookmark.lock"]);
}

#[test]
fn a_pipe_with_a_name_leaves_no_note_of_a_file_in_the_bookmark() {
    let scope = Sandbox::shared().scope("handover_named_pipe");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(&database, &events("OrderCreated", 20_000, "2026-11-22"));
    let folder = Folder::new();
    let (pipe, bookmark) = (named_pipe(&folder, "events.csv"), folder.path("b"));
    let start = || -> Running { audit.start(&["export", &pipe, "--incremental", &bookmark]) };
    let mut killed = start();
    let mut some = [0; 100];
    let mut opened = File::open(&pipe);
    assert!(opened.as_mut().is_ok_and(|pipe| pipe.read_exact(&mut some).is_ok()));
    killed.kill();
    drop(opened);
    assert!(!Path::new(&bookmark).exists());
    let mut export = start();
    let mut read = String::new();
    assert!(File::open(&pipe).and_then(|mut pipe| pipe.read_to_string(&mut read)).is_ok());
    export.succeed(LIMIT);
    assert_eq!(read.lines().count(), 20_001);
    assert!(
        folder.text("b").contains("\"batch_no\": 1")
            && folder.text("b").contains("\"pending\": null")
    );
}
