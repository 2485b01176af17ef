//! Manifests: what was handed over, and whether it is still so.

use sandbox::Sandbox;

use super::folder::Folder;
use crate::support::rows::{events, record};
use crate::support::{Audit, Database};

/// The exit code of a check, and what it says; stdout is for data, and a check has none.
fn check(audit: &Audit, path: &str) -> (Option<i32>, String) {
    let output = audit.run(&["export", "--check", path]);
    assert_eq!(output.stdout, b"");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn manifest(folder: &Folder, name: &str) -> serde_json::Value {
    let text = folder.text(name);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn a_manifest_says_what_of_which_batches_is_in_which_file() {
    let scope = Sandbox::shared().scope("manifest_members");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(&database, &events("OrderCreated", 30, "2026-11-22"));
    record(&database, &events("OrderShipped", 20, "2026-11-23"));
    let folder = Folder::new();
    let options = ["--type", "Order*", "--since", "2026-11-22", "--columns", "id,event_type"];
    let more = ["--timestamps", "rfc3339", "--dedup"];
    audit.succeed(&[&["export", &folder.path("all.csv.gz")], &options[..], &more].concat());
    let found = manifest(&folder, "all.csv.gz.manifest.json");
    let size = std::fs::metadata(folder.path("all.csv.gz")).map_or(0, |file| file.len());
    let sum = std::process::Command::new("sha256sum").arg(folder.path("all.csv.gz")).output();
    let sum = sum.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let sum = sum.ok().and_then(|sum| sum.split_once(' ').map(|(sum, _)| sum.to_owned()));
    let members: Vec<_> = found.as_object().into_iter().flatten().map(|(name, _)| name).collect();
    assert_eq!(
        members,
        [
            "batches",
            "columns",
            "files",
            "format",
            "installation",
            "manifest",
            "options",
            "selectors",
            "written_at"
        ]
    );
    assert_eq!(found["manifest"], "audit-manifest-1");
    assert_eq!(found["format"], "csv");
    assert_eq!(
        found["installation"],
        database.value("SELECT id::text FROM audit_installation").as_str()
    );
    assert_eq!(found["selectors"], serde_json::json!(["--type 'Order*'", "--since 2026-11-22"]));
    assert_eq!(found["columns"], serde_json::json!(["id", "event_type"]));
    assert_eq!(found["options"], serde_json::json!(["--timestamps rfc3339", "--dedup"]));
    assert_eq!(found["batches"], serde_json::json!({"after": 0, "last": 2}));
    assert_eq!(
        found["files"],
        serde_json::json!([{"name": "all.csv.gz", "rows": 50, "bytes": size, "sha256": sum}])
    );

    let path = folder.path("days");
    audit.succeed(&["export", &path, "-o", "ndjson", "--partition-by", "date"]);
    let found = manifest(&folder, "days/_events.manifest.json");
    let names = found["files"].as_array().into_iter().flatten().map(|file| &file["name"]);
    assert_eq!(
        names.collect::<Vec<_>>(),
        ["date=2026-11-22/events-000000.ndjson", "date=2026-11-23/events-000000.ndjson"]
    );
    assert_eq!(found["files"][1]["rows"], 20);
}

#[test]
fn a_file_that_is_altered_missing_or_added_is_found_and_named() {
    let scope = Sandbox::shared().scope("manifest_check");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(&database, &events("OrderCreated", 30, "2026-11-22"));
    let folder = Folder::new();
    let path = folder.path("parts");
    let export = || audit.succeed(&["export", &path, "-o", "csv", "--rotate", "10"]);
    export();
    let (first, second) = ("parts/events-000000.csv", "parts/events-000001.csv");
    let manifest = "parts/_events.manifest.json";
    let (code, said) = check(&audit, &path);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("3 files as they were written, with 30 rows and "), "{said}");
    for good in [&folder.path("parts/"), &folder.path(manifest)] {
        assert_eq!(check(&audit, good).0, Some(0));
    }

    let whole = folder.text(second);
    let one_byte = whole.replacen("OrderCreated", "OrderCreatee", 1);
    folder.write(second, &one_byte);
    let (code, said) = check(&audit, &path);
    assert_eq!(code, Some(5));
    assert!(said.contains("events-000001.csv: altered: its SHA-256 is another one"), "{said}");
    folder.write(second, &whole[..100]);
    let (code, said) = check(&audit, &folder.path(manifest));
    assert_eq!(code, Some(5));
    assert!(said.contains("events-000001.csv: altered: it has 100 bytes, not "), "{said}");
    folder.remove(second);
    let (code, said) = check(&audit, &path);
    assert_eq!(code, Some(4));
    assert!(
        said.contains("events-000001.csv: missing") && said.contains("2 files as they"),
        "{said}"
    );
    // What is altered outranks what is missing.
    let other = folder.text(first);
    folder.write(first, "");
    let (code, said) = check(&audit, &path);
    assert_eq!(code, Some(5));
    assert!(said.contains("000001.csv: missing") && said.contains("000000.csv: altered"), "{said}");
    folder.write(first, other);
    folder.make(second);
    let (code, said) = check(&audit, &path);
    assert_eq!(code, Some(5));
    assert!(said.contains("events-000001.csv: altered: it is a folder"), "{said}");
    assert!(std::fs::remove_dir(folder.path(second)).is_ok());
    folder.write(second, &whole);
    assert_eq!(check(&audit, &path).0, Some(0));

    folder.write("parts/events-000003.csv", &whole);
    let (code, said) = check(&audit, &path);
    assert_eq!(code, Some(5));
    assert!(said.contains("events-000003.csv: no manifest names it"), "{said}");
    // The manifest itself speaks of its own files alone, and what is hidden is nobody's.
    assert_eq!(check(&audit, &folder.path(manifest)).0, Some(0));
    folder.remove("parts/events-000003.csv");
    folder.write("parts/.notes", "mine");
    assert_eq!(check(&audit, &path).0, Some(0));
}

#[test]
fn a_manifest_that_is_not_there_or_no_manifest_is_an_error_and_no_finding() {
    let scope = Sandbox::shared().scope("manifest_none");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(&database, &events("OrderCreated", 3, "2026-11-22"));
    let folder = Folder::new();
    audit.succeed(&["export", &folder.path("a.csv")]);
    let name = "a.csv.manifest.json";
    let good = folder.text(name);
    let outside = |path: &str| good.replace("\"a.csv\"", &format!("{path:?}"));
    folder.write("secret", "");
    folder.make("sub");
    for (wrong, problem) in [
        (outside("../a.csv"), "it names a file outside its folder: ../a.csv"),
        (outside("/etc/passwd"), "it names a file outside its folder: /etc/passwd"),
        (outside("sub/../../a.csv"), "it names a file outside its folder"),
        (outside("."), "it names a file outside its folder"),
        (outside(""), "it names a file outside its folder"),
        (good.replace("audit-manifest-1", "audit-manifest-2"), "is not known here"),
        (good.replace("\"rows\"", "\"lines\""), "this is no manifest: "),
        (good[..good.len() / 2].to_owned(), "this is no manifest: "),
        ("[]".to_owned(), "this is no manifest: "),
        (String::new(), "this is no manifest: "),
    ] {
        folder.write(name, &wrong);
        for path in ["a.csv", name, "."] {
            let (code, said) = check(&audit, &folder.path(path));
            assert_eq!(code, Some(1), "{path}: {wrong}: {said}");
            assert!(said.contains(problem) && said.contains(name), "{said}");
        }
    }
    folder.remove(name);
    for path in ["a.csv", name, ".", "sub", "nowhere"] {
        let (code, said) = check(&audit, &folder.path(path));
        assert_eq!(code, Some(1), "{path}");
        assert!(said.contains("there is no manifest"), "{said}");
    }
    // It is a command of its own.
    assert_eq!(
        audit.run(&["export", "--check", &folder.path("a.csv"), "x"]).status.code(),
        Some(2)
    );
}

#[test]
fn a_folder_is_checked_by_the_manifests_of_all_its_runs_without_a_database() {
    let scope = Sandbox::shared().scope("manifest_runs");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    let (folder, nowhere) = (
        Folder::new(),
        Audit { database_url: "postgresql://127.0.0.1:1/none".to_owned(), brokers: String::new() },
    );
    let (path, bookmark) = (folder.path("hours"), folder.path("b"));
    for round in 1..=3 {
        record(&database, &events("OrderCreated", 10 * round, "2026-11-22"));
        audit.succeed(&[
            "export",
            &path,
            "-o",
            "csv",
            "--rotate",
            "15",
            "--incremental",
            &bookmark,
        ]);
    }
    let (code, said) = check(&nowhere, &path);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("5 files as they were written, with 60 rows"), "{said}");
    let names = folder.names();
    let manifests: Vec<_> = names.iter().filter(|name| name.ends_with(".json")).collect();
    assert_eq!(
        manifests,
        [
            "hours/_events-000000000001-000000000001.manifest.json",
            "hours/_events-000000000002-000000000002.manifest.json",
            "hours/_events-000000000003-000000000003.manifest.json",
        ]
    );
    // Without one of them its files are nobody's.
    folder.remove(manifests[1]);
    let (code, said) = check(&nowhere, &path);
    assert_eq!(code, Some(5));
    assert_eq!(said.matches("no manifest names it").count(), 2, "{said}");
    // Two files of one folder have a manifest each.
    let two = Folder::new();
    audit.succeed(&["export", &two.path("a.csv")]);
    audit.succeed(&["export", &two.path("b.json")]);
    let (code, said) = check(&nowhere, &two.path(""));
    assert_eq!((code, said.contains("2 files as they were written")), (Some(0), true), "{said}");
}
