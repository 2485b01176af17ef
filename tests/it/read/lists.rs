//! Lists of selectors, names that match nothing, and predicates that compare the wrong types.

use sandbox::Sandbox;

use crate::support::rows::record;
use crate::support::{Audit, Database};

const ORDER: &str = "019aa4c5-7d1e-7c3a-9b0e-3f6f1d2c4b5a";
const PAYMENT: &str = "019bb4c5-7d1e-7c3a-9b0e-3f6f1d2c4b5a";
const STORY: &str = "99999999-0000-4000-8000-000000000009";

/// Four events, of which one has no service, and three dead letters, of which one has no error.
fn world(name: &str) -> Audit {
    let scope = Sandbox::shared().scope(name);
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    database.execute(
        "INSERT INTO kafka_partitions (cluster_id, topic, partition)
         VALUES ('c', 'orders.events', 0), ('c', 'payments.events', 0)",
    );
    let id = |number: u32| format!("'{number:08}-aaaa-4000-8000-000000000001'::uuid");
    let order = format!("'{ORDER}'::uuid");
    let odd = audit::event::aggregate_uuid(b"a,b");
    record(
        &database,
        &format!(
            "VALUES
             ({}, 'OrderCreated', {order}, 'order-service', false, '{{\"total_amount\": \"483.38\", \"lines\": [1, 2]}}'::jsonb,
              '2026-11-22 10:00:01'::timestamp, '{STORY}'::uuid),
             ({}, 'OrderCancelled', '{odd}'::uuid, 'order-service', false, '{{\"total_amount\": \"12.00\", \"lines\": 3}}',
              '2026-11-22 10:00:02', NULL),
             ({}, 'PaymentAuthorized', '{PAYMENT}', 'payment-service', false, '{{\"amount\": 12345678901234567890.5}}',
              '2026-11-23 10:00:03', NULL),
             ({}, 'Note,worthy', NULL, NULL, false, '{{}}', '2026-11-24 10:00:04', NULL),
             ({}, 'OrderCreated', {order}, 'order-service', true, '{{}}', '2026-11-25 10:00:05', NULL),
             ({}, 'OrderCreated', {order}, 'order-service', true, '{{}}', '2026-11-25 10:00:06', NULL),
             ({}, 'OrderCreated', {order}, 'order-service', true, '{{}}', '2026-11-25 10:00:07', NULL)",
            id(1), id(2), id(3), id(4), id(5), id(6), id(7)
        ),
    );
    database.execute(
        "ALTER TABLE event_logs DISABLE TRIGGER append_only;
         UPDATE event_logs SET partition_id = CASE id WHEN 4 THEN NULL WHEN 3 THEN 2 ELSE 1 END;
         INSERT INTO dead_letters (event_log_id, headers, exception_class, exception_message)
         VALUES (5, '[]', 'java.util.concurrent.TimeoutException', 'no answer within 30 s'),
                (6, '[]', 'com.example.Bank$DeclinedException', 'the bank said no'),
                (7, '[]', NULL, NULL)",
    );
    audit
}

fn ids(audit: &Audit, selectors: &[&str]) -> Vec<i64> {
    let lines = audit.succeed(&[&["query", "-o", "csv", "--columns", "id"], selectors].concat());
    lines.lines().skip(1).filter_map(|line| line.parse().ok()).collect()
}

/// What a command says on stderr.
fn said(audit: &Audit, arguments: &[&str]) -> String {
    let output = audit.run(arguments);
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_selector_takes_lists_and_excludes_what_begins_with_an_exclamation_mark() {
    let audit = world("lists");
    let both = format!("{ORDER} , {PAYMENT}");
    let cases: &[(&[&str], &[i64])] = &[
        (&["--type", "Order*,Payment*", "--no-dlt"], &[3, 2, 1]),
        (&["--type", "Order*, !*Cancelled", "--no-dlt"], &[1]),
        (&["--type", "!Order*"], &[4, 3]),
        (&["--type", "!Order*", "--type", "!Payment*"], &[4]),
        (&["--type", "!*"], &[]),
        (&["--type", "OrderCreated,!OrderCreated"], &[]),
        (&["--type", "Note\\,worthy"], &[4]),
        // What has no service is not excluded by a service.
        (&["--service", "!order-*", "--no-dlt"], &[4, 3]),
        (&["--service", "!order-service,!payment-service"], &[4]),
        (&["--service", "*,!payment-*", "--no-dlt"], &[2, 1]),
        (&["--service", "!order-*", "--type", "Pay*"], &[3]),
        (&["--service", "!nobody", "--no-dlt"], &[4, 3, 2, 1]),
        (&["--topic", "!orders.*"], &[4, 3]),
        (&["--topic", "*.events,!orders.*"], &[3]),
        (&["--topic", "!orders.*", "--service", "!nobody"], &[4, 3]),
        (&["--error", "!*Timeout*"], &[7, 6]),
        (&["--error", "!*Timeout*,!*bank*"], &[7]),
        (&["--error", "*Exception,!Declined*"], &[5]),
        (&["--error", "Timeout*,Declined*"], &[6, 5]),
        (&["--error", "DeclinedException"], &[6]),
        (&["--aggregate", &both, "--no-dlt"], &[3, 1]),
        (&["--aggregate", "a\\,b"], &[2]),
        (&["--event-id", "00000001,00000003"], &[3, 1]),
        (&["--date", "2026-11-23, 2026-11-24"], &[4, 3]),
        (&["--where", "$.lines[0,1] == 2"], &[1]),
    ];
    for (selectors, expected) in cases {
        assert_eq!(&ids(&audit, selectors), expected, "{selectors:?}");
        let count = audit.succeed(&[&["query", "--count"], *selectors].concat());
        assert_eq!(count.trim(), expected.len().to_string(), "{selectors:?}");
        // What is still to come is selected by other statements.
        let tail = ["tail", "--no-follow", "--from-batch", "1", "-o", "csv", "--columns", "id"];
        let mut followed: Vec<i64> = audit
            .succeed(&[&tail[..], selectors].concat())
            .lines()
            .skip(1)
            .filter_map(|line| line.parse().ok())
            .collect();
        followed.reverse();
        assert_eq!(&followed, expected, "tail {selectors:?}");
    }
    for (wrong, expected) in [
        (["--type", "A,,B"], "an item of the list is empty"),
        (["--type", "!"], "--type: an item of the list is empty"),
        (["--aggregate", ""], "an item of the list is empty"),
    ] {
        let output = audit.run(&[&["query"][..], &wrong].concat());
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(expected) && stderr.contains(wrong[0]), "{stderr}");
    }
}

#[test]
fn every_command_says_what_a_name_that_matches_nothing_may_have_meant() {
    let audit = world("suggestions");
    let type_meant =
        "no event type matches 'OrderCraeted'; did you mean OrderCreated or OrderCancelled?";
    for command in [
        &["query"][..],
        &["query", "--count"],
        &["export"],
        &["stats"],
        &["tail", "--no-follow"],
        &["tail", "--no-follow", "--from-batch", "1"],
        &["dlt"],
        &["replay-dlt", "--dry-run"],
        &["replay-dlt", "--status"],
    ] {
        let stderr = said(&audit, &[command, &["--type", "OrderCraeted"]].concat());
        assert!(stderr.contains(type_meant), "{command:?}: {stderr}");
    }
    let cases: &[(&[&str], &str)] = &[
        (
            &["--type", "order*"],
            "no event type matches 'order*': case counts, and there are OrderCancelled, OrderCreated\n",
        ),
        // One of a list is wrong, though the other finds something.
        (
            &["--type", "OrderCreated,Paymnet*"],
            "no event type matches 'Paymnet*'; did you mean PaymentAuthorized?\n",
        ),
        (&["--type", "!Shipped"], "no event type matches 'Shipped'; there are "),
        (
            &["--service", "ordr-service"],
            "no service matches 'ordr-service'; did you mean order-service",
        ),
        (
            &["--topic", "order.events"],
            "no topic matches 'order.events'; did you mean orders.events",
        ),
        (
            &["--error", "TimoutException"],
            "no error of a dead letter matches 'TimoutException'; did you mean TimeoutException",
        ),
        (&["--aggregate", "order-17"], "no event has the aggregate 'order-17'\n"),
        (
            &["--aggregate", STORY],
            "it is the id of a correlation: --correlation 99999999-0000-4000-8000-000000000009\n",
        ),
        (
            &["--correlation", "019aa4c5…4b5a"],
            "it is the id of an aggregate: --aggregate 019aa4c5…4b5a\n",
        ),
        (&["--event-id", "0000000a"], "no event has the id '0000000a'\n"),
    ];
    for (selectors, expected) in cases {
        let stderr = said(&audit, &[&["query", "--count"], *selectors].concat());
        assert!(stderr.contains(expected), "{selectors:?}: {stderr}");
    }
    // What is right is not talked about.
    assert_eq!(said(&audit, &["query", "--count", "--type", "OrderCreated"]), "");
    assert_eq!(said(&audit, &["query", "--type", "Order*,Pay*", "--service", "!payment-*"]), "");
}

#[test]
fn a_predicate_that_compares_text_with_a_number_says_how_to_write_it() {
    let audit = world("where_types");
    let is_text = "--where: $.total_amount is text in these events (\"12.00\"); compare with \
                   $.total_amount.double() > 100\n";
    for command in [
        &["query"][..],
        &["query", "--count"],
        &["export"],
        &["stats"],
        &["tail", "--no-follow"],
        &["tail", "--no-follow", "--from-batch", "1"],
    ] {
        let stderr = said(&audit, &[command, &["--where", "$.total_amount > 100"]].concat());
        assert!(stderr.contains(is_text), "{command:?}: {stderr}");
    }
    assert_eq!(ids(&audit, &["--where", "$.total_amount.double() > 100"]), [1]);
    let right = said(&audit, &["query", "--count", "--where", "$.total_amount.double() > 100"]);
    assert_eq!(right, "");
    let number = said(&audit, &["query", "--count", "--where", "$.amount == \"12\""]);
    assert_eq!(
        number,
        "--where: $.amount is a number in these events (12345678901234567890.5); compare with $.amount == 12\n"
    );
    // The other selectors choose which events are looked at.
    let others = ["query", "--count", "--type", "Payment*", "--where", "$.total_amount > 100"];
    assert_eq!(said(&audit, &others), "");
}

#[test]
fn a_range_of_time_is_echoed_once_and_a_wrong_time_is_named_with_its_option() {
    let audit = world("named_times");
    for option in ["--since", "--until", "--recorded-since", "--recorded-until"] {
        for time in [
            "2026-11-22T10:00:00+01:00",
            "2026-11-22",
            "today",
            "yesterday 17:00",
            "2h ago",
            "-3d",
            "5m",
            "1h30m",
            "now-1h",
            "1795343400",
            "1795343400000",
        ] {
            let stderr = said(&audit, &["query", "--count", option, time]);
            let column = if option.starts_with("--rec") { "recorded_at" } else { "created_at" };
            assert_eq!(stderr.matches(column).count(), 1, "{option} {time}: {stderr}");
            assert_eq!(stderr.lines().count(), 1, "{option} {time}: {stderr}");
        }
        let wrong = said(&audit, &["query", option, "soon"]);
        let begin = format!("error: {option}: 'soon' is no time; write '2026-11-22T10:00:00Z'");
        assert!(wrong.starts_with(&begin), "{wrong}");
        assert!(wrong.contains("'1h30m'") && wrong.contains("'-3d'"), "{wrong}");
    }
    let wrong = said(&audit, &["query", "--date", "2026-11-22,soon"]);
    assert!(wrong.starts_with("error: --date: 'soon' is no date; write '2026-11-22'"), "{wrong}");
    let future = said(&audit, &["query", "--count", "--since", "+1h"]);
    assert!(future.contains("--since lies in the future: it is "), "{future}");
    let turned =
        audit.run(&["stats", "--recorded-since", "today", "--recorded-until", "yesterday"]);
    assert_eq!(turned.status.code(), Some(2));
    let turned = String::from_utf8_lossy(&turned.stderr).into_owned();
    assert!(turned.contains("--recorded-since and --recorded-until leave nothing"), "{turned}");
}

#[test]
fn a_name_is_missed_where_there_are_more_than_are_looked_at() {
    let scope = Sandbox::shared().scope("many_names");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    let many = crate::support::rows::events("A", 1_200, "2026-11-22")
        .replace("'A'", "'Type' || lpad(n::text, 4, '0')");
    record(&database, &many);
    let none =
        "no event type matches 'Nope'; there are more than 1000: see `audit stats --by type`";
    // The last type stands behind those that are looked at.
    for (list, expected) in [
        ("Nope", &[none][..]),
        ("Type1200,Nope", &[none]),
        ("Type1200,Type0001", &[]),
        ("Type12*,Type0001", &[]),
    ] {
        let stderr = said(&audit, &["query", "--count", "--type", list]);
        assert_eq!(stderr.lines().collect::<Vec<_>>(), expected, "{list}");
    }
}
