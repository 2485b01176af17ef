//! The columns of events: those of dead letters, ids as they came, and paths of the payload.

use sandbox::Sandbox;

use crate::support::rows::record;
use crate::support::{Audit, Database};

/// An order with a text id, the dead letter of one, and an event without anything.
fn world(name: &str) -> Audit {
    let scope = Sandbox::shared().scope(name);
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    let order = audit::event::aggregate_uuid(b"order-17");
    let request = audit::event::correlation_uuid(b"request-7");
    record(
        &database,
        &format!(
            "VALUES
             (gen_random_uuid(), 'OrderCreated', '{order}'::uuid, 'order-service', false,
              '{{\"total\": 12345678901234567890.10, \"currency\": \"E\\\"R\", \"lines\": [1, 2], \"gift\": true, \"note\": null}}'::jsonb,
              '2026-11-22 10:00:01'::timestamp, '{request}'::uuid),
             (gen_random_uuid(), 'OrderShipped', '{order}', 'order-service', true, '{{\"total\": \"5\"}}', '2026-11-22 10:00:02', NULL),
             ('019aa4c5-7d1e-7c3a-9b0e-3f6f1d2c4b5a', 'Plain', '019aa4c5-7d1e-7c3a-9b0e-3f6f1d2c4b5a', NULL, false, '[]',
              '2026-11-22 10:00:03', NULL)"
        ),
    );
    database.execute(
        "ALTER TABLE event_logs DISABLE TRIGGER append_only;
         UPDATE event_logs SET attributes = '{\"key\": \"order-17\", \"original\": {\"correlation_id\": \"request-7\"}}' WHERE id = 1;
         UPDATE event_logs SET attributes = '{\"key\": \"x\", \"original\": {\"aggregate_id\": \"order-17\"}}' WHERE id = 2;
         INSERT INTO dead_letters (event_log_id, headers, exception_class, exception_message, consumer_group, origin_topic,
                                   origin_partition, origin_offset, attempts)
         VALUES (2, '[]', 'java.net.SocketTimeoutException', 'Read timed out', 'payment-service', 'orders.events', 3, 99, 4)",
    );
    audit
}

#[test]
fn ids_are_shown_as_they_came() {
    let audit = world("text_ids");
    let arguments =
        ["query", "--order", "oldest", "-o", "csv", "--columns", "aggregate,correlation"];
    assert_eq!(
        audit.succeed(&arguments),
        "aggregate,correlation
order-17,request-7
order-17,order-17
019aa4c5-7d1e-7c3a-9b0e-3f6f1d2c4b5a,019aa4c5-7d1e-7c3a-9b0e-3f6f1d2c4b5a
"
    );
    // What is shown is what finds it.
    assert_eq!(audit.succeed(&["query", "--count", "--aggregate", "order-17"]).trim(), "2");
    assert_eq!(audit.succeed(&["query", "--count", "--correlation", "request-7"]).trim(), "1");
}

#[test]
fn a_dead_letter_has_columns_of_its_own() {
    let audit = world("letter_columns");
    let columns = "error_class, error_message, consumer_group, origin_topic, origin_partition, origin_offset, attempts";
    assert_eq!(
        audit.succeed(&["export", "--no-header", "--columns", columns]),
        ",,,,,,
java.net.SocketTimeoutException,Read timed out,payment-service,orders.events,3,99,4
,,,,,,
"
    );
}

#[test]
fn dead_letters_show_their_error_without_being_asked() {
    let audit = world("shown_errors");
    for selector in [&["--dlt"][..], &["--error", "*Timeout*"]] {
        let table = audit.succeed(&[&["query", "-o", "table"], selector].concat());
        let (header, row) = table.split_once('\n').unwrap_or_default();
        assert!(header.contains("  error  "), "{table}");
        // The package takes room, and says nothing.
        assert!(row.contains("  SocketTimeoutException: Read timed out  "), "{table}");
    }
    let all = audit.succeed(&["query", "-o", "table"]);
    assert!(all.contains("  SocketTimeoutException: Read timed out  "), "{all}");
    let lines = audit.succeed(&["tail", "--no-follow", "-o", "table"]);
    assert!(lines.contains("  SocketTimeoutException: Read timed out  {"), "{lines}");
    assert!(lines.contains("  {\"gift\": true"), "{lines}");
    for command in [&["query", "--order", "oldest"][..], &["tail", "--no-follow"], &["export"]] {
        let text = audit.succeed(&[command, &["-o", "ndjson"]].concat());
        let rows: Vec<serde_json::Value> =
            text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        assert_eq!(rows.len(), 3);
        assert!(rows[0]["error_class"].is_null() && rows[0]["error_message"].is_null(), "{text}");
        assert_eq!(rows[1]["error_class"], "java.net.SocketTimeoutException");
        assert_eq!(rows[1]["error_message"], "Read timed out");
    }
    // The columns of CSV are a contract.
    let csv = audit.succeed(&["export", "--dlt"]);
    assert_eq!(
        csv.lines().next(),
        Some("id,event_id,event_type,aggregate_id,source_service,is_dlt,payload,created_at")
    );
}

#[test]
fn a_path_of_the_payload_is_a_column_that_keeps_its_type() {
    let audit = world("path_columns");
    let paths = "event_type,$.total,$.currency,$.lines[0\\,1],$.gift,$.lines,$.none";
    let query =
        |format| audit.succeed(&["query", "--order", "oldest", "-o", format, "--columns", paths]);
    insta::assert_snapshot!(query("ndjson"), @r#"
    {"event_type":"OrderCreated","$.total":12345678901234567890.10,"$.currency":"E\"R","$.lines[0,1]":1,"$.gift":true,"$.lines":[1, 2],"$.none":null}
    {"event_type":"OrderShipped","$.total":"5","$.currency":null,"$.lines[0,1]":null,"$.gift":null,"$.lines":null,"$.none":null}
    {"event_type":"Plain","$.total":null,"$.currency":null,"$.lines[0,1]":null,"$.gift":null,"$.lines":null,"$.none":null}
    "#);
    insta::assert_snapshot!(query("csv"), @r#"
    event_type,$.total,$.currency,"$.lines[0,1]",$.gift,$.lines,$.none
    OrderCreated,12345678901234567890.10,"E""R",1,t,"[1, 2]",
    OrderShipped,5,,,,,
    Plain,,,,,,
    "#);
    assert_eq!(
        audit.succeed(&["export", "--columns", "$.total", "--type", "OrderShipped"]),
        "$.total\n5\n"
    );
    let tail =
        ["tail", "--no-follow", "-o", "csv", "--type", "OrderCreated", "--columns", "$.currency"];
    assert_eq!(audit.succeed(&tail), "$.currency\n\"E\"\"R\"\n");
}

#[test]
fn a_column_that_is_not_there_is_named_with_what_may_have_been_meant() {
    let audit = world("wrong_columns");
    for (arguments, expected) in [
        (
            &["query", "--columns", "id,typ"][..],
            "--columns: there is no column 'typ'; did you mean event_type?",
        ),
        (
            &["tail", "--no-follow", "--columns", "errorclass"],
            "did you mean error_class or error_message?",
        ),
        (&["export", "--columns", "agregate"], "did you mean aggregate or aggregate_id?"),
        (&["dlt", "--columns", "exceptionclass"], "did you mean exception_class?"),
        (
            &["query", "--columns", "zzz"],
            "there is no column 'zzz'\nhint: the columns are id, event_id",
        ),
        (
            &["query", "--columns", "$.a["],
            "--columns: '$.a[': syntax error at end of jsonpath input",
        ),
        (&["export", "--columns", "id,$.a b"], "--columns: '$.a b': syntax error"),
        (&["tail", "--columns", "$."], "--columns: '$.': syntax error"),
        (
            &["query", "--columns", "$nobody"],
            "--columns: '$nobody': could not find jsonpath variable",
        ),
    ] {
        let output = audit.run(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(expected), "{arguments:?}: {stderr}");
    }
}
