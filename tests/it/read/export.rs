//! `audit export` on a real PostgreSQL.

use std::io::Read;
use std::process::Stdio;

use sandbox::Sandbox;

use crate::support::rows::{events, record};
use crate::support::{Audit, Database};

/// Rows with everything that a format can stumble over.
const ODD_ROWS: &str = r#"
    SELECT gen_random_uuid(), event_type, aggregate_id, source_service, is_dlt, payload, created_at, NULL::uuid
      FROM (VALUES
        ('Plain', NULL::uuid, 'order-service', false, '{"a": 1}'::jsonb, '2026-11-22 10:00:00'::timestamp),
        ('', '00000000-0000-4000-8000-000000000000', '', true, '""', '2026-11-22 10:00:00.5'),
        (' white space ', NULL, NULL, NULL, 'null', '0044-03-15 12:00:00 BC'),
        (E'a,b"c\nd\re\tf\\.', NULL, E'\\.', false, '{"text": "a,\"b\"\n\\"}', '294276-12-31 23:59:59.999999'),
        (E'\u001b[31m\u009b\u202e', NULL, '=1+1', false, '12345678901234567890.00000000000000000000001', 'infinity'),
        ('日本 👋🏽', NULL, ',', false, '[[[[]]]]', '-infinity'),
        ('''', NULL, '"', false, 'true', '12026-01-01 00:00:00.000001')
      ) AS odd(event_type, aggregate_id, source_service, is_dlt, payload, created_at)"#;

#[test]
fn csv_is_byte_for_byte_what_copy_writes_and_copy_reads_it_back() {
    let scope = Sandbox::shared().scope("export_csv");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(&database, ODD_ROWS);
    record(&database, &events("OrderCreated", 500, "2026-11-22"));
    let exported = audit.succeed(&["export"]);
    let columns =
        "id, event_id, event_type, aggregate_id, source_service, is_dlt, payload, created_at";
    let copied = database.copy_out(&format!(
        "COPY (SELECT {columns} FROM event_logs ORDER BY id) TO STDOUT (FORMAT csv, HEADER)"
    ));
    assert_eq!(exported, copied);
    assert_eq!(
        audit.succeed(&["export", "--no-header"]),
        copied.split_once('\n').map_or("", |(_, rows)| rows)
    );

    database.execute("CREATE TABLE loaded (LIKE event_logs)");
    database.copy_in(
        &format!("COPY loaded ({columns}) FROM STDIN (FORMAT csv, HEADER)"),
        exported.as_bytes(),
    );
    let differing = database.number(&format!(
        "SELECT count(*) FROM (SELECT {columns} FROM event_logs EXCEPT SELECT {columns} FROM loaded) AS differing"
    ));
    assert_eq!((differing, database.number("SELECT count(*) FROM loaded")), (0, 507));
}

#[test]
fn ndjson_and_json_hold_the_same_objects_with_the_payload_unchanged() {
    let scope = Sandbox::shared().scope("export_json");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(&database, ODD_ROWS);
    let ndjson = audit.succeed(&["export", "-o", "ndjson"]);
    let json = audit.succeed(&["export", "-o", "json"]);
    let lines: Vec<serde_json::Value> = ndjson
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")))
        .collect();
    let array: Vec<serde_json::Value> =
        serde_json::from_str(&json).unwrap_or_else(|error| panic!("{json}: {error}"));
    assert_eq!((lines.len(), &lines), (7, &array));
    assert!(
        ndjson.contains(r#""payload":12345678901234567890.00000000000000000000001,"#),
        "{ndjson}"
    );
    assert!(ndjson.contains(r#""created_at":"2026-11-22T10:00:00.500000Z""#), "{ndjson}");
    assert_eq!(lines[2]["event_type"], " white space ");
    assert_eq!(lines[2]["is_dlt"], serde_json::Value::Null);
}

#[test]
fn a_file_takes_its_format_from_its_ending_and_appears_when_it_is_whole() {
    let scope = Sandbox::shared().scope("export_file");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(&database, &events("OrderCreated", 10, "2026-11-22"));
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let path = |name: &str| folder.path().join(name).display().to_string();
    let content = |name: &str| std::fs::read_to_string(path(name)).unwrap_or_default();
    audit.succeed(&["export", &path("all.csv"), "--columns", "id,event_type"]);
    assert!(content("all.csv").starts_with("id,event_type\n1,OrderCreated\n"));
    audit.succeed(&["export", &path("all.ndjson"), "--columns", "id"]);
    assert!(content("all.ndjson").starts_with("{\"id\":1}\n{\"id\":2}\n"));
    assert_eq!(audit.run(&["export", &path("all.xlsx")]).status.code(), Some(2));

    // What was there stays until the new file is whole, and stays where there is none.
    let before = content("all.csv");
    assert_eq!(audit.run(&["export", &path("all.csv"), "--where", "$.n /"]).status.code(), Some(2));
    assert_eq!(content("all.csv"), before);
    assert_eq!(audit.run(&["export", &path("none/all.csv")]).status.code(), Some(1));
    audit.succeed(&["export", &path("all.csv"), "--type", "Nothing"]);
    assert_eq!(
        content("all.csv"),
        "id,event_id,event_type,aggregate_id,source_service,is_dlt,payload,created_at\n"
    );
    let left: Vec<_> = std::fs::read_dir(folder.path()).into_iter().flatten().flatten().collect();
    // Each with its manifest.
    assert_eq!(left.len(), 4, "{left:?}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let scope = Sandbox::shared().scope("export_pipe");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(&database, &events("OrderCreated", 50_000, "2026-11-22"));
    let spawned = audit.command(&["export"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = spawned.unwrap_or_else(|error| panic!("{error}"));
    let mut first = [0; 100];
    let read = child.stdout.take().map(|mut stdout| stdout.read_exact(&mut first));
    assert!(matches!(read, Some(Ok(()))), "{read:?}");
    let output = child.wait_with_output().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        (output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()),
        (Some(0), "")
    );
}

#[test]
fn payloads_as_text_are_byte_for_byte_what_is_stored_and_no_number_is_a_number() {
    let scope = Sandbox::shared().scope("export_text");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(&database, ODD_ROWS);
    record(
        &database,
        r#"SELECT gen_random_uuid(), 'Big', NULL::uuid, 's', false,
                  '{"n": 1e400, "long": 1234567890123456789012345678901234567890, "text": "\"\\"}'::jsonb,
                  '2026-11-22'::timestamp, NULL::uuid"#,
    );
    let columns = ["--columns", "id,payload,attributes"];
    for format in ["ndjson", "json"] {
        let exported = audit
            .succeed(&[&["export", "-o", format, "--payload-as", "text"][..], &columns].concat());
        let rows: Vec<serde_json::Value> = match format {
            "json" => serde_json::from_str(&exported).unwrap_or_default(),
            _ => exported.lines().filter_map(|line| serde_json::from_str(line).ok()).collect(),
        };
        assert_eq!(rows.len(), 8, "{exported}");
        for row in rows {
            let stored = database
                .value(&format!("SELECT payload::text FROM event_logs WHERE id = {}", row["id"]));
            assert_eq!(row["payload"], stored.as_str(), "{row}");
            assert_eq!(row["attributes"], serde_json::Value::Null);
        }
    }
    // CSV has always text there.
    assert_eq!(audit.succeed(&["export", "--payload-as", "text"]), audit.succeed(&["export"]));
}

#[test]
fn times_in_csv_are_those_of_json_where_that_is_asked_for_and_the_other_way_round() {
    let scope = Sandbox::shared().scope("export_times");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(&database, ODD_ROWS);
    let columns = ["--columns", "created_at", "--no-header"];
    let csv =
        |form: &str| audit.succeed(&[&["export", "--timestamps", form][..], &columns].concat());
    let ndjson = |form: &str| {
        let lines = audit.succeed(
            &[&["export", "-o", "ndjson", "--timestamps", form][..], &columns[..2]].concat(),
        );
        let times = lines.lines().map(|line| {
            let row: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
            format!("{}\n", row["created_at"].as_str().unwrap_or_default())
        });
        times.collect::<String>()
    };
    insta::assert_snapshot!(csv("rfc3339"), @r"
2026-11-22T10:00:00.000000Z
2026-11-22T10:00:00.500000Z
0044-03-15T12:00:00.000000Z BC
294276-12-31T23:59:59.999999Z
infinity
-infinity
12026-01-01T00:00:00.000001Z
");
    assert_eq!(ndjson("rfc3339"), csv("rfc3339"));
    assert_eq!(ndjson("sql"), csv("sql"));
    assert_eq!(csv("sql"), audit.succeed(&[&["export"][..], &columns].concat()));
    let recorded = audit.succeed(&[
        "query",
        "-n",
        "1",
        "-o",
        "csv",
        "--columns",
        "recorded_at",
        "--timestamps",
        "rfc3339",
    ]);
    let time = recorded.lines().last().unwrap_or_default();
    assert!(time.ends_with('Z') && time.contains('T'), "{recorded}");
}
