//! `audit show`, `trace` and `stats` on a real PostgreSQL.

use sandbox::Sandbox;

use crate::support::rows::{commit, insert, record, reserve};
use crate::support::{Audit, Database};

const CREATED: &str = "019aa4c5-0000-7000-8000-000000000001";
const AUTHORIZED: &str = "019aa4c5-0000-7000-8000-000000000002";
const CONFIRMED: &str = "019aa4c5-0000-7000-8000-000000000003";

/// One order: created, its payment authorized, dead-lettered once on the way and replayed, then
/// confirmed three hours later.
fn order(audit: &Audit) -> Database {
    let database = Database::open(&audit.database_url);
    let row = |id: &str, event_type: &str, service: &str, dlt: bool, payload: &str, time: &str| {
        format!(
            "SELECT '{id}'::uuid, '{event_type}', 'aaaaaaaa-0000-4000-8000-000000000001'::uuid, '{service}', {dlt}, '{payload}'::jsonb,
                    '2026-11-22 {time}'::timestamp, 'cccccccc-0000-4000-8000-000000000001'::uuid"
        )
    };
    let rows = [
        row(
            CREATED,
            "OrderCreated",
            "order-service",
            false,
            r#"{"status": "CREATED", "total": 10.0}"#,
            "10:00:00",
        ),
        // The payment service's clock is behind.
        row(
            AUTHORIZED,
            "PaymentAuthorized",
            "payment-service",
            false,
            r#"{"status": "AUTHORIZED", "total": 10.0}"#,
            "09:59:59",
        ),
        row(
            CREATED,
            "OrderCreated",
            "order-service",
            true,
            r#"{"status": "CREATED", "total": 10.0}"#,
            "10:00:01",
        ),
        row(
            CONFIRMED,
            "OrderConfirmed",
            "order-service",
            false,
            r#"{"status": "CONFIRMED\u001b[2J"}"#,
            "13:00:01",
        ),
    ];
    record(&database, &rows.join(" UNION ALL "));
    database.execute(&format!(
        "ALTER TABLE event_logs DISABLE TRIGGER append_only;
         UPDATE event_logs SET attributes = jsonb_build_object('causation_id', CASE id WHEN 2 THEN '{CREATED}' WHEN 4 THEN '{AUTHORIZED}' END);
         INSERT INTO dead_letters (event_log_id, headers, origin_topic, consumer_group, exception_class, exception_message, attempts)
         VALUES (3, '[]', 'orders.events', 'payment-service', 'java.net.SocketTimeoutException', 'Read timed out', 3);
         INSERT INTO dlt_replays (replay_id, event_log_id, attempt, requested_by, reason, target_topic, state, new_partition, new_offset, resolved_at)
         VALUES (gen_random_uuid(), 3, 1, 'mia', 'the bank is back', 'orders.events', 'sent', 0, 7, now())"
    ));
    database
}

fn parsed(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn show_tells_all_that_is_known_of_an_event() {
    let scope = Sandbox::shared().scope("show");
    let audit = Audit::migrated(&scope);
    let _database = order(&audit);
    let text = audit.succeed(&["show", "019aa4c5…0001"]);
    for expected in [
        "type         OrderCreated\n",
        "row          1\n",
        ", batch 1\n",
        "led to       PaymentAuthorized 019aa4c5-0000-7000-8000-000000000002 (-1.000s)\n",
        "again        row 3 [DLT], ",
        "dead letter  row 3: SocketTimeoutException: Read timed out (payment-service)\n",
        "first in orders.events, attempts 3\n",
        "replay       1 of row 3 to orders.events: sent, by mia at ",
        "because: the bank is back\n",
        "payload\n  {\n    \"total\": 10.0,\n",
    ] {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
    }
    let text = audit.succeed(&["show", "4", "--diff"]);
    for expected in
        ["caused by    PaymentAuthorized", "changes since OrderCreated", "- $.total: 10.0\n"]
    {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
    }
    assert!(!text.contains('\u{1b}'));

    let object = parsed(&audit.succeed(&["show", CREATED, "-o", "json"]));
    assert_eq!(object["event"]["id"], 1);
    assert_eq!(object["other_deliveries"][0]["id"], 3);
    assert_eq!(object["effects"][0]["event_id"], AUTHORIZED);
    assert_eq!(object["causes"], serde_json::json!([]));
    assert_eq!(object["dead_letters"][0]["attempts"], 3);
    assert_eq!(object["replays"][0]["state"], "sent");

    let line = audit.succeed(&["show", CREATED, "-o", "ndjson"]);
    assert_eq!((line.lines().count(), parsed(&line)), (1, object));
    // The row that is shown comes first, then the others of its event.
    let rows = audit.succeed(&["show", CREATED, "-o", "csv", "--timestamps", "rfc3339"]);
    let lines: Vec<_> = rows.lines().collect();
    assert!(lines[0].starts_with("id,event_id,event_type,"), "{rows}");
    assert!(lines[1].starts_with("1,") && lines[1].contains("T10:00:00.000000Z"), "{rows}");
    assert!(lines[2].starts_with("3,") && lines.len() == 3, "{rows}");
    let refused = audit.run(&["show", "4", "--diff", "-o", "csv"]);
    assert_eq!((refused.status.code(), refused.stdout.as_slice()), (Some(2), &b""[..]));
    let as_text = audit.succeed(&["show", CREATED, "-o", "json", "--payload-as", "text"]);
    assert!(parsed(&as_text)["event"]["payload"].is_string(), "{as_text}");

    let unknown = audit.run(&["show", "99"]);
    assert_eq!(unknown.status.code(), Some(3));
    let ambiguous = audit.run(&["show", "019aa4c5"]);
    assert_eq!(ambiguous.status.code(), Some(2));
    let stderr = String::from_utf8_lossy(&ambiguous.stderr).into_owned();
    assert!(stderr.contains(CREATED) && stderr.contains(CONFIRMED), "{stderr}");
}

#[test]
fn trace_tells_the_whole_story_from_any_of_its_ids() {
    let scope = Sandbox::shared().scope("trace");
    let audit = Audit::migrated(&scope);
    let database = order(&audit);
    let story = |id: &str| {
        let array = parsed(&audit.succeed(&["trace", id, "-o", "json"]));
        let events = array.as_array().cloned().unwrap_or_default();
        let event = |event: &serde_json::Value| {
            format!("{} {} {}", event["id"], event["depth"], event["delta_seconds"])
        };
        events.iter().map(event).collect::<Vec<_>>()
    };
    let expected = ["1 0 0.0", "2 1 -1.0", "3 0 2.0", "4 2 10800.0"];
    for id in [
        CREATED,
        CONFIRMED,
        "3",
        "019aa4c5",
        "aaaaaaaa-0000-4000-8000-000000000001",
        "cccccccc-0000-4000-8000-000000000001",
        "cccccccc",
    ] {
        assert_eq!(story(id), expected, "{id}");
    }
    let table = audit.succeed(&["trace", CREATED]);
    assert!(table.contains("+3h00m") && table.contains("  └ OrderConfirmed"), "{table}");
    assert!(
        table.contains(
            "SocketTimeoutException: Read timed out (payment-service); replay 1 to orders.events: sent"
        ),
        "{table}"
    );
    let diagram = audit.succeed(&["trace", CREATED, "-o", "mermaid"]);
    assert!(
        diagram.contains("participant s2 as payment-service")
            && diagram.contains("s1->>s2: PaymentAuthorized"),
        "{diagram}"
    );
    assert_eq!(audit.run(&["trace", "order-17"]).status.code(), Some(3));

    // An aggregate without a correlation, under a text id.
    let aggregate = audit::event::aggregate_uuid(b"order-17");
    let row = format!(
        "SELECT gen_random_uuid(), 'T', '{aggregate}'::uuid, NULL::text, false, '{{}}'::jsonb, '2026-11-22'::timestamp, NULL::uuid"
    );
    let ids = reserve(&database, 1);
    database.execute("BEGIN");
    insert(&database, &ids, &row);
    commit(&database, &ids);
    assert_eq!(story("order-17"), ["5 0 0.0"]);
}

#[test]
fn stats_count_by_what_was_asked_for() {
    let scope = Sandbox::shared().scope("stats");
    let audit = Audit::migrated(&scope);
    let _database = order(&audit);
    let rows = |arguments: &[&str]| {
        let array = parsed(&audit.succeed(&[&["stats", "-o", "json"], arguments].concat()));
        array.as_array().cloned().unwrap_or_default()
    };
    let by_type = rows(&["--duplicates"]);
    assert_eq!(
        (by_type.len(), &by_type[0]["type"], &by_type[0]["events"]),
        (3, &"OrderCreated".into(), &2.into())
    );
    assert_eq!(
        (&by_type[0]["dlt"], &by_type[0]["duplicates"], &by_type[0]["share"]),
        (&1.into(), &0.into(), &0.5.into())
    );
    let hours: Vec<_> = rows(&["--by", "hour,service"])
        .iter()
        .map(|row| format!("{} {}", row["hour"], row["service"]))
        .collect();
    assert_eq!(
        hours,
        [
            "\"2026-11-22T09:00Z\" \"payment-service\"",
            "\"2026-11-22T10:00Z\" \"order-service\"",
            "\"2026-11-22T13:00Z\" \"order-service\"",
        ]
    );
    assert_eq!(rows(&["--by", "error", "--dlt"])[0]["error"], "java.net.SocketTimeoutException");
    assert_eq!(rows(&["--type", "Nothing"]).len(), 0);
    let drawn = audit.succeed(&[
        "stats",
        "--histogram",
        "--by",
        "topic,dlt,aggregate,correlation,minute,day",
    ]);
    assert!(drawn.contains('█'), "{drawn}");
}

#[test]
fn a_wrong_word_is_answered_with_the_nearest() {
    let scope = Sandbox::shared().scope("suggestions");
    let audit = Audit::migrated(&scope);
    let database = order(&audit);
    database.execute(
        "INSERT INTO kafka_partitions (cluster_id, topic, partition) VALUES ('c', 'orders.events', 0)",
    );
    for (arguments, expected) in [
        (
            &["query", "--topic", "order.events"][..],
            "no topic matches 'order.events'; did you mean orders.events?",
        ),
        (&["query", "--type", "OrderCraeted"], "did you mean OrderCreated"),
        (&["export", "--service", "orders-service"], "did you mean order-service?"),
        (
            &["stats", "--type", "Zebra*"],
            "no event type matches 'Zebra*'; there are OrderConfirmed, OrderCreated, PaymentAuthorized",
        ),
        (&["tail", "--no-follow", "--type", "paymentauthorised"], "did you mean PaymentAuthorized"),
        (
            &["query", "--where", "$.total > 1"],
            "--where alone reads every event, from 2026-11-22T13:00:01.000000Z to 2026-11-22T09:59:59.000000Z",
        ),
    ] {
        let stderr = String::from_utf8_lossy(&audit.run(arguments).stderr).into_owned();
        assert!(stderr.contains(expected), "{arguments:?}: {stderr}");
    }
}

#[test]
fn show_says_where_a_story_is_longer_than_what_it_searched() {
    let scope = Sandbox::shared().scope("long_story");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    let story = |count: u32, begin: &str| {
        crate::support::rows::events("A", count, begin)
            .replace("NULL::uuid", "'cccccccc-0000-4000-8000-000000000002'::uuid")
    };
    record(&database, &story(1_000, "2026-11-22"));
    let said = |id: &str| {
        let output = audit.run(&["show", id]);
        assert!(output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert_eq!(said("1"), "");
    record(&database, &story(1, "2026-11-23"));
    assert!(said("1").contains("among the first 1000 events of its story"), "{}", said("1"));
}

#[test]
fn trace_learns_what_is_usual_from_no_story_that_is_too_long_to_be_read() {
    let scope = Sandbox::shared().scope("long_stories");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    // Six stories that went on at last. There are too many events to read all of them.
    let rows = |count: u32, event_type: &str, begin: &str| {
        crate::support::rows::events(event_type, count, begin)
            .replace("NULL::uuid", "md5((n % 6)::text)::uuid")
    };
    record(&database, &rows(6 * 4_000, "Noted", "2026-11-22"));
    record(&database, &rows(6, "Picked", "2026-11-23"));
    record(&database, &rows(6, "Shipped", "2026-11-24"));
    let silent =
        rows(1, "Picked", "2026-11-25").replace("md5((n % 6)::text)::uuid", "md5('x')::uuid");
    let id = record(&database, &silent).start().to_string();
    let output = audit.run(&["trace", &id]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("since Picked\n"), "{stderr}");
}

#[test]
fn show_and_trace_take_their_format_from_the_variable_and_the_profile_as_query_does() {
    let scope = Sandbox::shared().scope("show_output");
    let audit = Audit::migrated(&scope);
    order(&audit);
    let config = tempfile::NamedTempFile::new().unwrap_or_else(|error| panic!("{error}"));
    let written =
        std::fs::write(config.path(), "default_profile = \"p\"\n[profiles.p]\noutput = \"csv\"\n");
    assert!(written.is_ok(), "{written:?}");
    for command in [&["query"][..], &["show", "1"], &["trace", "1"], &["status"]] {
        let of_variable = audit.command(command).env("AUDIT_OUTPUT", "csv").output();
        let of_profile = audit.command(command).env("AUDIT_CONFIG", config.path()).output();
        let typed = audit.command(command).args(["-o", "json"]).env("AUDIT_OUTPUT", "csv").output();
        let text = |output: std::io::Result<std::process::Output>| {
            output
                .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
                .unwrap_or_default()
        };
        let expected = audit.succeed(&[command, &["-o", "csv"]].concat());
        assert!(expected.contains("event_type,") || expected.contains("topic,"), "{expected}");
        assert_eq!(text(of_variable), expected, "{command:?}");
        assert_eq!(text(of_profile), expected, "{command:?}");
        let typed = text(typed);
        assert!(typed.starts_with('[') || typed.starts_with('{'), "{command:?}: {typed}");
    }
}
