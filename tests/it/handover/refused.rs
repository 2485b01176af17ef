//! What can't be written to, and what is left where a run breaks off: nothing but what was there.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use sandbox::Sandbox;

use super::folder::{Folder, data};
use crate::support::rows::{events, record};
use crate::support::{Audit, Database, wait_until};

const LIMIT: Duration = Duration::from_secs(60);

/// Runs an export that has to fail, and returns what it says.
fn fail(audit: &Audit, exit: i32, arguments: &[&str]) -> String {
    let output = audit.run(&[&["export"], arguments].concat());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(exit), "{arguments:?}: {said}");
    assert_eq!(output.stdout, b"");
    said
}

#[test]
fn a_name_that_no_file_can_have_is_refused_before_anything_is_read() {
    let scope = Sandbox::shared().scope("handover_names");
    let audit = Audit::migrated(&scope);
    record(&Database::open(&audit.database_url), &events("OrderCreated", 3, "2026-11-22"));
    let folder = Folder::new();
    folder.make("there");
    folder.write("file", "");
    let said = fail(&audit, 2, &[&folder.path("there/"), "-o", "csv"]);
    assert!(said.contains("--partition-by or --rotate"), "{said}");
    fail(&audit, 2, &[&folder.path("new.csv/")]);
    let said = fail(&audit, 1, &[&folder.path("there"), "-o", "csv"]);
    assert!(said.contains("it is a directory"), "{said}");
    let said = fail(&audit, 1, &[&folder.path("nowhere/a.csv")]);
    assert!(said.contains("there is no folder"), "{said}");
    let said = fail(&audit, 1, &[&folder.path("file"), "-o", "csv", "--rotate", "10"]);
    assert!(said.contains("it is a file"), "{said}");
    let said = fail(&audit, 1, &[&folder.path("file/sub"), "-o", "csv", "--rotate", "10"]);
    assert!(said.contains("making"), "{said}");
    // Of the kernel's, where nobody can make a file: not even root.
    let said = fail(&audit, 1, &["/sys/kernel/events.csv"]);
    assert!(said.contains("writing /sys/kernel/events.csv: "), "{said}");
    fail(&audit, 2, &["-", "-o", "csv", "--rotate", "10"]);
    for wrong in ["0", "10XB", "1.5MB"] {
        fail(&audit, 2, &[&folder.path("new"), "-o", "csv", "--rotate", wrong]);
    }

    let odd = folder.root().join(OsStr::from_bytes(b"caf\xe9.csv"));
    let exit = |options: &[&str]| {
        let output = audit.command(&["export"]).arg(&odd).args(options).output();
        output.ok().and_then(|output| output.status.code())
    };
    assert_eq!(exit(&[]), Some(2));
    assert_eq!(exit(&["--rotate", "2", "--incremental", &folder.path("b")]), Some(2));
    // A manifest names files from its folder.
    assert_eq!(exit(&["--rotate", "2"]), Some(0));
    assert_eq!(super::folder::names_in(&odd).len(), 3);
    assert_eq!(folder.names().iter().filter(|name| !name.contains('\u{fffd}')).count(), 1);
}

#[test]
fn a_folder_that_holds_data_is_refused() {
    let scope = Sandbox::shared().scope("handover_used");
    let audit = Audit::migrated(&scope);
    record(&Database::open(&audit.database_url), &events("OrderCreated", 3, "2026-11-22"));
    let folder = Folder::new();
    folder.make("used/empty/.hidden");
    folder.write("used/empty/.keep", "");
    let (path, csv) = (folder.path("used"), ["-o", "csv", "--partition-by", "type"]);
    let export = [&[&*path][..], &csv].concat();
    audit.succeed(&[&["export"], &export[..]].concat());
    let before = folder.names();
    let said = fail(&audit, 1, &export);
    assert!(said.contains("the folder holds data already"), "{said}");
    assert_eq!(folder.names(), before);
    // Without its data, too: a manifest says that some was there.
    folder.remove(data(&before)[0]);
    fail(&audit, 1, &export);
}

#[test]
fn an_interrupted_export_leaves_what_was_there_and_nothing_else() {
    let scope = Sandbox::shared().scope("handover_interrupt");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(&database, &events("OrderCreated", 40_000, "2026-11-22"));
    record(&database, &events("OrderShipped", 40_000, "2026-11-23"));
    let folder = Folder::new();
    folder.write("events.csv", "before");
    let hidden = |folder: &Folder| {
        let unfinished = folder.names().into_iter().filter(|name| name.contains(".audit-"));
        unfinished
            .map(|name| std::fs::metadata(folder.path(&name)).map_or(0, |file| file.len()))
            .sum::<u64>()
    };
    for (signal, options) in [
        ("INT", &["events.csv"][..]),
        ("TERM", &["events.csv"]),
        ("INT", &["parts", "-o", "csv", "--partition-by", "date"]),
        ("INT", &["lake", "-o", "parquet", "--rotate", "1000"]),
        ("INT", &["more", "-o", "csv", "--rotate", "1000", "--incremental", ".b"]),
    ] {
        let mut command = audit.command(&["export"]);
        command.current_dir(folder.root()).args(options);
        let mut export = crate::support::Running::start(&mut command);
        wait_until("a part is written", LIMIT, || hidden(&folder) > 0);
        export.signal(signal);
        let status = export.wait(LIMIT);
        assert_eq!(status.code(), Some(130), "{options:?}: {}", export.log());
        assert!(export.log().contains("interrupted before the export was whole"));
        assert_eq!(data(&folder.names()), ["events.csv"], "{options:?}");
        assert_eq!(hidden(&folder), 0, "{options:?}: {:?}", folder.names());
        assert_eq!(folder.text("events.csv"), "before");
    }
    assert!(!folder.root().join(".b").exists());
}

#[test]
fn a_disk_that_is_full_leaves_nothing_under_the_name() {
    let scope = Sandbox::shared().scope("handover_full");
    let audit = Audit::migrated(&scope);
    record(&Database::open(&audit.database_url), &events("OrderCreated", 20_000, "2026-11-22"));
    let folder = Folder::new();
    folder.write("there.csv", "before");
    for options in [
        "there.csv",
        "new.csv.gz",
        "new.parquet",
        "parts -o csv --partition-by date",
        "parts.csv.zst --partition-by date",
        "there/parts -o parquet --rotate 15000",
        "parts -o csv --rotate 15000 --incremental .b",
    ] {
        // A file takes no more than 64 kB: the system says so as it says that a disk is full.
        let script = format!(
            "cd {}; trap '' XFSZ; ulimit -f 128; exec \"$0\" export {options}",
            folder.root().display()
        );
        let output = audit.shell(&script).output().unwrap_or_else(|error| panic!("{error}"));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{options}: {said}");
        assert!(said.contains("error: writing ") && said.contains("File too large"), "{said}");
        assert_eq!(data(&folder.names()), ["there.csv"], "{options}");
        let left = folder.names().into_iter().filter(|name| name.contains(".audit-"));
        assert_eq!(left.count(), 0, "{options}");
        assert_eq!(folder.text("there.csv"), "before");
    }
    assert!(!folder.root().join(".b").exists());
}
