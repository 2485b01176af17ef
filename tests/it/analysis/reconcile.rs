//! `audit reconcile LEFT RIGHT`, on records as services write them.

use std::process::Output;

use record_file::{Content, Record};
use sandbox::{Sandbox, Scope};

use crate::support::rows::record as record_rows;
use crate::support::{Audit, Database};

const SIDES: [&str; 3] = ["reconcile", "OrderConfirmed:$.total", "PaymentCaptured:$.amount"];

/// What it writes as CSV, without the header, and what it says.
fn reconciled(audit: &Audit, arguments: &[&str]) -> (Vec<String>, String) {
    let output = audit.run(&[arguments, &["-o", "csv"]].concat());
    assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
    (rows(&output), stderr(&output))
}

fn rows(output: &Output) -> Vec<String> {
    String::from_utf8_lossy(&output.stdout).lines().skip(1).map(str::to_owned).collect()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn code(audit: &Audit, arguments: &[&str]) -> Option<i32> {
    audit.run(&[&SIDES[..], arguments].concat()).status.code()
}

/// A record of the story of an order, whose ids are text.
fn event(topic: &str, n: u32, event_type: &str, order: u32, payload: &str) -> Record {
    let value = format!(
        r#"{{"event_id":"00000000-0000-4000-8000-{n:012}","event_type":"{event_type}","aggregate_id":"order-{order}",
            "correlation_id":"request-{order}","occurred_at":"2026-11-22T10:00:{:02}Z","payload":{payload}}}"#,
        n % 60
    );
    Record {
        topic: topic.to_owned(),
        partition: Some(0),
        offset: None,
        timestamp_ms: None,
        key: None,
        headers: Vec::new(),
        value: Some(Content(value.into_bytes())),
    }
}

/// Orders that went through Kafka: each has another way to be right, or wrong.
fn orders(scope: &Scope<'_>) -> Audit {
    let audit = Audit::migrated(scope);
    let orders = scope.create_topic("orders.events", 1);
    let dead = scope.create_topic("orders.events-dlt", 1);
    let at = |n, event_type, order, payload: &str| event(&orders, n, event_type, order, payload);
    let records = [
        // Agrees: decimal text against a number.
        at(1, "OrderConfirmed", 1, r#"{"total": "10.50"}"#),
        at(2, "PaymentCaptured", 1, r#"{"amount": 10.5}"#),
        // Captured in three parts, one of them given back; the second delivery of a part is none.
        at(3, "OrderConfirmed", 2, r#"{"total": "0.3"}"#),
        at(4, "PaymentCaptured", 2, r#"{"amount": 0.1}"#),
        at(4, "PaymentCaptured", 2, r#"{"amount": 0.1}"#),
        at(5, "PaymentCaptured", 2, r#"{"amount": 5.2}"#),
        at(6, "PaymentCaptured", 2, r#"{"amount": -5}"#),
        // Captured twice.
        at(7, "OrderConfirmed", 3, r#"{"total": 20}"#),
        at(8, "PaymentCaptured", 3, r#"{"amount": 20}"#),
        at(9, "PaymentCaptured", 3, r#"{"amount": "20.00"}"#),
        // Its capture is a dead letter, and nothing else.
        at(10, "OrderConfirmed", 4, r#"{"total": 30}"#),
        event(&dead, 11, "PaymentCaptured", 4, r#"{"amount": 30}"#),
        // Never confirmed.
        at(12, "PaymentCaptured", 5, r#"{"amount": 12345678901234567890.000000000000000001}"#),
        // Amounts that are none.
        at(13, "OrderConfirmed", 6, r#"{"total": "ten"}"#),
        at(14, "PaymentCaptured", 6, r#"{"amount": null}"#),
        at(15, "OrderConfirmed", 7, r#"{"total": "1e999999999"}"#),
        at(16, "PaymentCaptured", 7, r#"{"amount": 7}"#),
        // Neither side.
        at(17, "OrderCreated", 8, r#"{"total": 8}"#),
    ];
    sandbox::produce(scope.brokers(), &records).unwrap_or_else(|error| panic!("{error}"));
    audit.succeed(&["ingest", "--until-end", "--topics", &orders]);
    audit.succeed(&["ingest", "--until-end", "--topics", &dead]);
    audit
}

#[test]
fn each_event_counts_once_exactly_and_ids_are_shown_as_they_came() {
    let scope = Sandbox::shared().scope("reconcile");
    let audit = orders(&scope);
    let (rows, said) = reconciled(&audit, &SIDES);
    insta::assert_snapshot!(rows.join("\n"), @r"
    request-3,20,40,-20,differs
    request-4,30,,30,left only
    request-5,,12345678901234567890.000000000000000001,-12345678901234567890.000000000000000001,right only
    request-7,,7,-7,right only
    ");
    insta::assert_snapshot!(said, @r"
    2 stories agree, 1 differ, 1 left only, 2 right only
    sums: left 60.8, right 12345678901234567947.800000000000000001, difference -12345678901234567887.000000000000000001
    OrderConfirmed:$.total: no number in 2 of 6 events
    PaymentCaptured:$.amount: nothing there in 1 of 9 events
    ");
    let (all, _) = reconciled(&audit, &[&SIDES[..], &["--all"]].concat());
    assert_eq!(all[..4], rows);
    assert_eq!(all[4..], ["request-2,0.3,0.3,0,agrees", "request-1,10.5,10.5,0,agrees"]);
    let json = audit.succeed(&[&SIDES[..], &["-o", "ndjson", "-n", "2"]].concat());
    insta::assert_snapshot!(json, @r#"
    {"correlation":"request-3","left":20,"right":40,"difference":-20,"verdict":"differs"}
    {"correlation":"request-4","left":30,"right":null,"difference":30,"verdict":"left only"}
    "#);
    // Several types are one side, and one event may be on both.
    let (rows, _) =
        reconciled(&audit, &["reconcile", "Order*:$.total", "PaymentCaptured,!Order*:$.amount"]);
    assert_eq!(rows[2], "request-8,8,,8,left only");
    let (rows, _) =
        reconciled(&audit, &["reconcile", "OrderCreated:$.total", "OrderCreated:$.total", "--all"]);
    assert_eq!(rows, ["request-8,8,8,0,agrees"]);
    // Selectors choose stories by one of their events, a dead letter too.
    let (rows, _) = reconciled(&audit, &[&SIDES[..], &["--dlt"]].concat());
    assert_eq!(rows, ["request-4,30,,30,left only"]);
    let (rows, _) = reconciled(&audit, &[&SIDES[..], &["--aggregate", "order-3"]].concat());
    assert_eq!(rows, ["request-3,20,40,-20,differs"]);
}

/// Stories of SQL: correlation, aggregate, type, second, payload.
fn story_rows(rows: &[(u8, u8, &str, u32, &str)]) -> String {
    let id = |n: u8, kind: char| match n {
        0 => "NULL::uuid".to_owned(),
        n => format!("'{kind}0000000-0000-4000-8000-{n:012}'::uuid"),
    };
    let selects: Vec<_> = rows
        .iter()
        .map(|(correlation, aggregate, event_type, second, payload)| {
            format!(
                "SELECT gen_random_uuid(), '{event_type}', {}, 's', false, '{payload}'::jsonb,
                        '2026-11-22 10:00:00'::timestamp + {second} * interval '1 second', {}",
                id(*aggregate, 'a'),
                id(*correlation, 'c')
            )
        })
        .collect();
    selects.join(" UNION ALL ")
}

#[test]
fn stories_can_be_those_of_aggregates_and_a_period_chooses_by_the_first_step() {
    let scope = Sandbox::shared().scope("reconcile_by");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record_rows(
        &database,
        &story_rows(&[
            // One order in two requests.
            (1, 1, "OrderConfirmed", 0, r#"{"total": 10}"#),
            (2, 1, "PaymentCaptured", 10, r#"{"amount": 10}"#),
            // Begins before the period with another event, ends behind it.
            (3, 3, "OrderCreated", 19, "{}"),
            (3, 3, "OrderConfirmed", 25, r#"{"total": 5}"#),
            (4, 4, "OrderConfirmed", 20, r#"{"total": 6}"#),
            (4, 4, "PaymentCaptured", 99, r#"{"amount": 6.01}"#),
            (5, 5, "OrderConfirmed", 30, r#"{"total": 7}"#),
            // Without a correlation, and without anything.
            (0, 6, "OrderConfirmed", 21, r#"{"total": 8}"#),
            (0, 0, "OrderConfirmed", 22, r#"{"total": 9}"#),
            (7, 0, "OrderConfirmed", 23, r#"{"total": 11}"#),
        ]),
    );
    let ids = |rows: &[String]| -> Vec<String> {
        let short = |row: &String| {
            let (id, rest) = row.split_once(',').unwrap_or_default();
            format!("{}{},{rest}", &id[..1], &id[35..])
        };
        rows.iter().map(short).collect()
    };
    let (rows, said) = reconciled(&audit, &SIDES);
    insta::assert_snapshot!(ids(&rows).join("\n"), @r"
    c4,6,6.01,-0.01,differs
    c7,11,,11,left only
    c1,10,,10,left only
    a6,8,,8,left only
    c5,7,,7,left only
    c3,5,,5,left only
    c2,,10,-10,right only
    ");
    assert!(
        said.contains("1 event belongs to no story: neither correlation nor aggregate is known\n"),
        "{said}"
    );

    let (rows, said) = reconciled(&audit, &[&SIDES[..], &["--by", "aggregate", "--all"]].concat());
    insta::assert_snapshot!(ids(&rows).join("\n"), @r"
    a4,6,6.01,-0.01,differs
    a6,8,,8,left only
    a5,7,,7,left only
    a3,5,,5,left only
    a1,10,10,0,agrees
    ");
    assert!(said.contains("2 events belong to no story: no aggregate is known\n"), "{said}");

    let period = ["--since", "2026-11-22T10:00:20Z", "--until", "2026-11-22T10:00:30Z"];
    let (rows, said) = reconciled(&audit, &[&SIDES[..], &period].concat());
    assert_eq!(ids(&rows), ["c4,6,6.01,-0.01,differs", "c7,11,,11,left only", "a6,8,,8,left only"]);
    assert!(said.contains("1 event belongs to no story"), "{said}");
    let (rows, _) = reconciled(&audit, &[&SIDES[..], &period, &["--by", "aggregate"]].concat());
    assert_eq!(ids(&rows), ["a4,6,6.01,-0.01,differs", "a6,8,,8,left only"]);

    // The tolerance is inclusive.
    let only = ["--correlation", "c0000000-0000-4000-8000-000000000004"];
    for (tolerance, exit) in [("0.01", 0), ("0.0100", 0), ("0.00999", 4), ("0", 4)] {
        let arguments = [&only[..], &["--check", "--tolerance", tolerance]].concat();
        assert_eq!(code(&audit, &arguments), Some(exit), "{tolerance}");
    }
}

#[test]
fn the_exit_code_tells_what_disagrees_and_what_was_wrong() {
    let scope = Sandbox::shared().scope("reconcile_exit");
    let audit = Audit::migrated(&scope);
    assert_eq!(code(&audit, &["--check"]), Some(0));
    assert_eq!(code(&audit, &["--fail-on-empty"]), Some(3));
    let database = Database::open(&audit.database_url);
    record_rows(
        &database,
        &story_rows(&[
            (1, 1, "OrderConfirmed", 0, r#"{"total": 10}"#),
            (1, 1, "PaymentCaptured", 1, r#"{"amount": 10}"#),
        ]),
    );
    assert_eq!(code(&audit, &["--check", "--fail-on-empty"]), Some(0));
    record_rows(&database, &story_rows(&[(1, 1, "PaymentCaptured", 2, r#"{"amount": "?"}"#)]));
    // What agrees agrees, but nobody knows what the rest is.
    assert_eq!(code(&audit, &[]), Some(0));
    assert_eq!(code(&audit, &["--check"]), Some(4));
    let wrong = |arguments: &[&str]| {
        let output = audit.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        stderr(&output)
    };
    let said = wrong(&["reconcile", "OrderConfirmed:$.a..b", "PaymentCaptured:$.amount"]);
    assert!(said.starts_with("error: LEFT: '$.a..b': "), "{said}");
    let said = wrong(&["reconcile", "OrderConfirmed:$.a", "PaymentCaptured:$x"]);
    assert!(said.starts_with("error: RIGHT: '$x': "), "{said}");
    assert!(wrong(&["reconcile", "OrderConfirmed:$.a"]).contains("<RIGHT>"));
    assert!(wrong(&["reconcile", "OrderConfirmed", "B:$.a"]).contains("expected TYPE:$.path"));
    let negative = [&SIDES[..], &["--tolerance", "-1"]].concat();
    assert!(wrong(&negative).contains("expected an amount, 0 or more"));
    // A type that does not exist is no error, and what was meant is said.
    let output = audit.run(&["reconcile", "OrderConfirmd:$.total", "PaymentCaptured:$.amount"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(
        stderr(&output)
            .contains("no event type matches 'OrderConfirmd'; did you mean OrderConfirmed"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_table_shows_fifty_rows_and_says_so() {
    let scope = Sandbox::shared().scope("reconcile_table");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    let rows: Vec<_> = (1..=60).map(|n| (n, n, "OrderConfirmed", 0, r#"{"total": 10}"#)).collect();
    record_rows(&database, &story_rows(&rows));
    let output = audit.run(&SIDES);
    assert_eq!(rows_of(&output), 50);
    let said = stderr(&output);
    assert!(
        said.contains("50 rows of 60 shown; show more with --limit, or all with -o csv\n"),
        "{said}"
    );
    assert_eq!(rows_of(&audit.run(&[&SIDES[..], &["-n", "55"]].concat())), 55);
    assert_eq!(reconciled(&audit, &SIDES).0.len(), 60);
}

fn rows_of(output: &Output) -> usize {
    rows(output).len()
}
