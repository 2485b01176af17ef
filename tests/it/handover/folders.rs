//! Folders of files: rotated, and divided by day, type or service.

use std::collections::BTreeMap;

use sandbox::Sandbox;

use super::folder::{Folder, data};
use crate::support::rows::{events, record};
use crate::support::{Audit, Database};

const HEADER: &str = "id,event_type";

/// Exports id and type into a folder.
fn export(audit: &Audit, folder: &Folder, name: &str, options: &[&str]) -> Vec<String> {
    let path = folder.path(name);
    audit.succeed(&[&["export", &path, "--columns", "id,event_type"], options].concat());
    audit.succeed(&["export", "--check", &path]);
    data(&folder.names())
        .into_iter()
        .filter_map(|file| file.strip_prefix(&format!("{name}/")))
        .map(str::to_owned)
        .collect()
}

/// The ids in a CSV file with a header.
fn ids(text: &str) -> Vec<i64> {
    assert_eq!(text.lines().next(), Some(HEADER));
    let first = |line: &str| line.split(',').next().unwrap_or_default().parse();
    text.lines().skip(1).map(|line| first(line).unwrap_or_else(|_| panic!("{line}"))).collect()
}

#[test]
fn files_end_with_their_rows_or_about_their_size_and_their_names_sort_as_the_rows_do() {
    let scope = Sandbox::shared().scope("handover_rotate");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(&database, &events("OrderCreated", 1_000, "2026-11-22"));
    let folder = Folder::new();
    let files = export(&audit, &folder, "a/b/rows", &["-o", "csv", "--rotate", "90"]);
    assert_eq!((files.len(), &*files[11]), (12, "events-000011.csv"));
    let found: Vec<Vec<i64>> =
        files.iter().map(|name| ids(&folder.text(&format!("a/b/rows/{name}")))).collect();
    assert!(found[..11].iter().all(|ids| ids.len() == 90));
    assert_eq!(found.concat(), (1..=1_000).collect::<Vec<i64>>());

    // 20 bytes a row, more or less.
    let files = export(&audit, &folder, "size", &["-o", "ndjson", "--rotate", "10KB"]);
    let sizes: Vec<usize> =
        files.iter().map(|name| folder.text(&format!("size/{name}")).len()).collect();
    let (last, full) = sizes.split_last().unwrap_or((&0, &[]));
    assert!(full.len() >= 2 && *last <= 10_100, "{sizes:?}");
    assert!(full.iter().all(|size| (10_000..10_100).contains(size)), "{sizes:?}");

    for (format, ending) in [("json", "json"), ("ndjson", "ndjson")] {
        let files = export(&audit, &folder, format, &["-o", format, "--rotate", "400"]);
        let lengths = files.iter().map(|name| {
            assert!(name.ends_with(ending));
            let text = folder.text(&format!("{format}/{name}"));
            let rows: Vec<serde_json::Value> = match format {
                "json" => serde_json::from_str(&text).unwrap_or_default(),
                _ => text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect(),
            };
            rows.len()
        });
        assert_eq!(lengths.collect::<Vec<_>>(), [400, 400, 200]);
    }

    // Of the very last row no file begins.
    assert_eq!(export(&audit, &folder, "even.csv.gz", &["--rotate", "500"]).len(), 2);
    assert_eq!(ids(&folder.text("even.csv.gz/events-000001.csv.gz")).len(), 500);
    let files = export(&audit, &folder, "lake", &["-o", "parquet", "--rotate", "400"]);
    assert_eq!(files, [0, 1, 2].map(|number| format!("events-{number:06}.parquet")));
}

#[test]
fn folders_are_called_by_day_type_or_service_and_each_row_is_in_its_own() {
    let scope = Sandbox::shared().scope("handover_hive");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(
        &database,
        "SELECT gen_random_uuid(), event_type, NULL::uuid, source_service, false, '{}'::jsonb, created_at, NULL::uuid
           FROM (VALUES
             ('Order', 'shop', '2026-11-22 23:59:59.999999'::timestamp),
             ('order', NULL, '2026-11-23'),
             ('a/b=c %', '', '0001-01-01'),
             ('', '..', '9999-12-31 23:59:59.999999'),
             ('__HIVE_DEFAULT_PARTITION__', '日本', '10000-01-01'),
             ('Order', '.', '-infinity'),
             (repeat('/', 100), E'new\\nline', '0001-12-31 BC')
           ) AS odd(event_type, source_service, created_at)",
    );
    let folder = Folder::new();
    let found = |by: &str| -> Vec<(String, Vec<i64>)> {
        let files = export(&audit, &folder, by, &["-o", "csv", "--partition-by", by]);
        let rows = |name: &String| {
            let partition = name.trim_end_matches("/events-000000.csv").to_owned();
            (partition, ids(&folder.text(&format!("{by}/{name}"))))
        };
        let mut found: Vec<_> = files.iter().map(rows).collect();
        found.sort();
        found
    };
    let expected = |rows: &[(&str, &[i64])]| -> Vec<(String, Vec<i64>)> {
        rows.iter().map(|(name, ids)| ((*name).to_owned(), ids.to_vec())).collect()
    };
    assert_eq!(
        found("date"),
        expected(&[
            ("date=0001-01-01", &[3]),
            ("date=2026-11-22", &[1]),
            ("date=2026-11-23", &[2]),
            ("date=9999-12-31", &[4]),
            ("date=__HIVE_DEFAULT_PARTITION__", &[5, 6, 7]),
        ])
    );
    assert_eq!(
        found("service"),
        expected(&[
            ("service=.", &[6]),
            ("service=..", &[4]),
            ("service=__HIVE_DEFAULT_PARTITION__", &[2, 3]),
            ("service=new%0Aline", &[7]),
            ("service=shop", &[1]),
            ("service=日本", &[5]),
        ])
    );
    let mut by_type = found("type");
    let long = by_type.remove(0);
    assert_eq!(
        by_type,
        expected(&[
            ("type=%5F_HIVE_DEFAULT_PARTITION__", &[5]),
            ("type=Order", &[1, 6]),
            ("type=__HIVE_DEFAULT_PARTITION__", &[4]),
            ("type=a%2Fb%3Dc%20%25", &[3]),
            ("type=order", &[2]),
        ])
    );
    assert!(long.0.len() <= 255 && long.1 == [7], "{long:?}");
}

#[test]
fn types_that_alternate_by_the_hundred_have_one_file_each_and_few_are_open_at_once() {
    let scope = Sandbox::shared().scope("handover_many");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(
        &database,
        "SELECT gen_random_uuid(), 'Type' || n % 400, NULL::uuid, 'shop', false,
                jsonb_build_object('n', n, 'text', repeat('x', 200)), '2026-11-22'::timestamp, NULL::uuid
           FROM generate_series(0, 11999) n",
    );
    let folder = Folder::new();
    let types = |rows: &BTreeMap<String, usize>| {
        assert_eq!(rows.len(), 400);
        assert!(rows.values().all(|rows| *rows == 30), "{rows:?}");
    };
    // More than one chunk of rows, so that files are written to again. 150 can be open at once.
    for (name, format) in [("plain", "csv"), ("packed.csv.gz", "csv"), ("small.csv.zst", "csv")] {
        let script = format!(
            "ulimit -n 150; exec \"$0\" export {} -o {format} --partition-by type",
            folder.path(name)
        );
        let output = audit.shell(&script).output();
        let output = output.unwrap_or_else(|error| panic!("{error}"));
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        let names = folder.names();
        let own = data(&names).into_iter().filter(|file| file.starts_with(&format!("{name}/")));
        types(&own.map(|file| (file.to_owned(), folder.text(file).lines().count() - 1)).collect());
        audit.succeed(&["export", "--check", &folder.path(name)]);
    }
    let script = format!(
        "ulimit -n 150; exec \"$0\" export {} -o parquet --partition-by type",
        folder.path("lake")
    );
    assert!(audit.shell(&script).status().is_ok_and(|status| status.success()));
    audit.succeed(&["export", "--check", &folder.path("lake")]);
    let manifest: serde_json::Value =
        serde_json::from_str(&folder.text("lake/_events.manifest.json")).unwrap_or_default();
    let file = |file: &serde_json::Value| {
        let rows = file["rows"].as_u64().unwrap_or_default();
        (file["name"].to_string(), usize::try_from(rows).unwrap_or_default())
    };
    types(&manifest["files"].as_array().into_iter().flatten().map(file).collect());
}

#[test]
fn without_rows_a_file_has_a_header_and_a_folder_no_file() {
    let scope = Sandbox::shared().scope("handover_empty");
    let audit = Audit::migrated(&scope);
    let folder = Folder::new();
    for (name, text) in [("none.csv", "id\n"), ("none.ndjson", ""), ("none.json", "[]\n")] {
        audit.succeed(&["export", &folder.path(name), "--columns", "id"]);
        assert_eq!(folder.text(name), text);
        audit.succeed(&["export", "--check", &folder.path(name)]);
    }
    audit.succeed(&["export", &folder.path("none.parquet")]);
    audit.succeed(&["export", "--check", &folder.path("none.parquet")]);
    let none = ["export", &folder.path("folder"), "-o", "csv", "--rotate", "10"];
    audit.succeed(&none);
    assert_eq!(audit.run(&[&none[..], &["--fail-on-empty"]].concat()).status.code(), Some(3));
    assert!(!folder.names().iter().any(|name| name.starts_with("folder/")));
}
