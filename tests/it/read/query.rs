//! `audit query` on a real PostgreSQL.

use std::collections::BTreeSet;

use sandbox::Sandbox;

use crate::support::rows::{commit, events, insert, record, reserve};
use crate::support::{Audit, Database};

/// The ids that a query of these selectors shows.
fn ids(audit: &Audit, selectors: &[&str]) -> Vec<i64> {
    let arguments = [&["query", "-o", "csv", "--columns", "id", "-n", "1000"], selectors].concat();
    let lines = audit.succeed(&arguments);
    lines
        .lines()
        .skip(1)
        .map(|line| line.parse().unwrap_or_else(|_| panic!("'{line}' is no id")))
        .collect()
}

fn refused(audit: &Audit, arguments: &[&str]) -> String {
    let output = audit.run(arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn each_selector_finds_its_rows_alone_and_together_with_others() {
    let scope = Sandbox::shared().scope("selectors");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    database.execute(
        "INSERT INTO kafka_partitions (cluster_id, topic, partition) VALUES ('c', 'orders.events', 0), ('c', 'orders.events-dlt', 0)",
    );
    let order = "'019aa4c5-7d1e-7c3a-9b0e-3f6f1d2c4b5a'::uuid";
    let rows = format!(
        "VALUES
         ('11111111-aaaa-4000-8000-000000000001'::uuid, 'OrderCreated', {order}, 'order-service', false,
          '{{\"total\": 10}}'::jsonb, '2026-11-22 10:00:00'::timestamp, NULL::uuid),
         ('22222222-aaaa-4000-8000-000000000002', 'PaymentAuthorized', {order}, 'payment-service', false,
          '{{\"total\": 200}}', '2026-11-22 23:59:59.999999', '99999999-0000-4000-8000-000000000009'),
         ('33333333-aaaa-4000-8000-000000000003', 'PaymentDeclined', md5('x')::uuid, NULL, true,
          '{{\"items\": [{{\"sku\": \"A-1\"}}]}}', '2026-11-23 00:00:00', NULL),
         ('44444444-aaaa-4000-8000-000000000004', 'audit.Quarantined', NULL, '100%_sure', NULL,
          '{{}}', '2026-11-24 12:00:00', NULL)"
    );
    assert_eq!(record(&database, &rows), 1..=4);
    let later = "SELECT gen_random_uuid(), 'OrderConfirmed', uuid_of, 'order-service', false, 'null'::jsonb,
                        '2020-01-01'::timestamp, NULL::uuid
                   FROM (VALUES ('5e6b6bd8-ae8e-50c4-bb6f-ea4d6ec3e2d2'::uuid)) AS text_id(uuid_of)";
    record(&database, later);
    database.execute(
        "ALTER TABLE event_logs DISABLE TRIGGER append_only;
         ALTER TABLE ingest_batches DISABLE TRIGGER append_only;
         UPDATE event_logs SET partition_id = CASE id WHEN 3 THEN 2 ELSE 1 END;
         UPDATE ingest_batches SET recorded_at = '2026-11-25 00:00:00+00'::timestamptz + batch_no * interval '1 hour';
         INSERT INTO dead_letters (event_log_id, headers, exception_class, exception_message)
         VALUES (3, '[]', 'java.util.concurrent.TimeoutException', 'no answer within 30 s')",
    );

    let cases: &[(&[&str], &[i64])] = &[
        (&[], &[4, 3, 2, 1, 5]),
        (&["--order", "oldest"], &[5, 1, 2, 3, 4]),
        (&["--type", "OrderCreated"], &[1]),
        (&["--type", "Payment*"], &[3, 2]),
        (&["--type", "Payment*", "--type", "OrderCreated"], &[3, 2, 1]),
        (&["--type", "*ed", "--service", "payment-*"], &[2]),
        (&["--type", "Nothing*"], &[]),
        (&["--service", "order-service"], &[1, 5]),
        (&["--service", "100%_*"], &[4]),
        (&["--service", "100?_*"], &[4]),
        (&["--aggregate", "019aa4c5-7d1e-7c3a-9b0e-3f6f1d2c4b5a"], &[2, 1]),
        (&["--aggregate", "019AA4C5"], &[2, 1]),
        (&["--aggregate", "019aa4c5…4b5a"], &[2, 1]),
        (&["--aggregate", "019aa4c5…4b5b"], &[]),
        (&["--correlation", "99999999-0000-4000-8000-000000000009"], &[2]),
        (&["--event-id", "1111", "--event-id", "33333333-aaaa-4000-8000-000000000003"], &[3, 1]),
        (&["--dlt"], &[3]),
        (&["--no-dlt"], &[4, 2, 1, 5]),
        (&["--quarantined"], &[4]),
        (&["--date", "2026-11-22"], &[2, 1]),
        (&["--date", "2026-11-22", "--tz", "+01:00"], &[1]),
        (&["--date", "2026-11-22", "--date", "2026-11-24"], &[4, 2, 1]),
        (&["--since", "2026-11-22T10:00:00Z", "--until", "2026-11-23"], &[2, 1]),
        (&["--since", "2026-11-22 10:00:00.000001"], &[4, 3, 2]),
        (&["--recorded-since", "2026-11-25 02:00"], &[5]),
        (&["--recorded-until", "2026-11-25 02:00"], &[4, 3, 2, 1]),
        (&["--recorded-since", "2026-12-01"], &[]),
        (&["--where", "$.total > 100"], &[2]),
        (&["--where", "$.total == 10", "--where", "$.items[*].sku == \"A-1\""], &[3, 1]),
        (&["--error", "TimeoutException"], &[3]),
        (&["--error", "*no answer*"], &[3]),
        (&["--error", "Timeout"], &[]),
        (&["--topic", "orders.*-dlt"], &[3]),
        (&["--topic", "orders.events", "--type", "Order*"], &[1, 5]),
        (&["--topic", "shipping"], &[]),
    ];
    for (selectors, expected) in cases {
        assert_eq!(&ids(&audit, selectors), expected, "{selectors:?}");
        let count = audit.succeed(
            &[&["query", "--count"], *selectors]
                .concat()
                .into_iter()
                .filter(|argument| !["--order", "oldest"].contains(argument))
                .collect::<Vec<_>>(),
        );
        assert_eq!(count.trim(), expected.len().to_string(), "{selectors:?}");
    }
}

#[test]
fn an_aggregate_that_is_no_uuid_is_found_by_its_own_text() {
    let scope = Sandbox::shared().scope("text_aggregate");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    let uuid = audit::event::aggregate_uuid(b"cafe1234");
    let row = |uuid: &str| {
        format!(
            "SELECT gen_random_uuid(), 'T', '{uuid}'::uuid, NULL, false, '{{}}'::jsonb, now()::timestamp, NULL::uuid"
        )
    };
    record(&database, &row("cafe1234-0000-4000-8000-000000000000"));
    assert_eq!(
        ids(&audit, &["--aggregate", "cafe1234"]),
        [1],
        "the beginning of an id, as long as no id is exactly it"
    );
    record(&database, &row(&uuid.to_string()));
    assert_eq!(ids(&audit, &["--aggregate", "cafe1234"]), [2]);
}

/// The ids of a walk, page by page. `between` is called after each page with its number.
fn walk(audit: &Audit, order: &str, mut between: impl FnMut(usize)) -> Vec<i64> {
    let mut seen = Vec::new();
    let mut cursor: Option<String> = None;
    for page in 0.. {
        assert!(page < 100, "the walk goes on for ever");
        let mut arguments = vec!["query", "-n", "7000", "-o", "csv", "--columns", "id"];
        match &cursor {
            Some(cursor) => arguments.extend(["--after", cursor]),
            None => arguments.extend(["--order", order]),
        }
        let output = audit.run(&arguments);
        assert!(output.status.success());
        let ids = String::from_utf8_lossy(&output.stdout).into_owned();
        seen.extend(ids.lines().skip(1).map(|line| line.parse::<i64>().unwrap_or_default()));
        between(page);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        cursor = stderr.split("--after ").nth(1).map(|cursor| cursor.trim().to_owned());
        if cursor.is_none() {
            break;
        }
    }
    seen
}

#[test]
fn a_walk_through_100000_rows_shows_each_once_while_50000_more_arrive() {
    let scope = Sandbox::shared().scope("walk");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    let late = Database::open(&audit.database_url);
    // These ids lie below all others, but the batch commits in the middle of the first walk.
    let late_ids = reserve(&late, 400);
    late.execute("BEGIN");
    insert(&late, &late_ids, &events("Late", 400, "2026-11-22"));
    for batch in 0..10 {
        record(&database, &events("Early", 10_000, &format!("2026-11-22 0{batch}:30:00")));
    }
    for order in ["newest", "oldest"] {
        let expected: BTreeSet<i64> = database
            .rows("SELECT id FROM event_logs")
            .iter()
            .map(|row| row[0].parse().unwrap_or_default())
            .collect();
        assert!(expected.len() >= 100_000);
        let arriving = Database::open(&audit.database_url);
        let (begun, begins) = std::sync::mpsc::channel();
        let seen = std::thread::scope(|threads| {
            // From the first page on: rows that fall between those of the walk, before and behind
            // where it stands.
            let writer = threads.spawn(move || {
                assert!(begins.recv().is_ok());
                for batch in 0..25 {
                    record(
                        &arriving,
                        &events("New", 1_000, &format!("2026-11-22 0{}:00:00", batch % 10)),
                    );
                }
            });
            let seen = walk(&audit, order, |page| {
                if page == 0 {
                    assert!(begun.send(()).is_ok());
                }
                if page == 3 && order == "newest" {
                    commit(&late, &late_ids);
                }
            });
            writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            seen
        });
        assert_eq!(seen.len(), expected.len(), "{order}");
        assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), expected, "{order}");
    }
    assert_eq!(database.event_count(), 150_400);
}

#[test]
fn dedup_keeps_the_delivery_that_committed_first_even_where_its_id_is_higher() {
    let scope = Sandbox::shared().scope("dedup");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    let second = Database::open(&audit.database_url);
    let delivery = |event_type: &str| {
        format!(
            "SELECT '11111111-0000-4000-8000-000000000001'::uuid, '{event_type}', NULL::uuid, NULL, false, '{{}}'::jsonb,
                    '2026-11-22'::timestamp, NULL::uuid"
        )
    };
    let lower = reserve(&second, 1);
    second.execute("BEGIN");
    insert(&second, &lower, &delivery("A"));
    assert_eq!(record(&database, &delivery("A")), 2..=2);
    commit(&second, &lower);
    record(&database, &delivery("B"));
    assert_eq!(ids(&audit, &[]), [3, 2, 1]);
    assert_eq!(ids(&audit, &["--dedup"]), [2]);
    // The first of those that are selected.
    assert_eq!(ids(&audit, &["--dedup", "--type", "B"]), [3]);
    assert_eq!(audit.succeed(&["query", "--dedup", "--count"]).trim(), "1");
    assert_eq!(audit.succeed(&["export", "--dedup", "--columns", "id"]), "id\n2\n");
}

#[test]
fn a_limit_that_cuts_the_result_is_said_and_nothing_found_is_an_exit_code() {
    let scope = Sandbox::shared().scope("limits");
    let audit = Audit::migrated(&scope);
    let empty = audit.run(&["query", "--fail-on-empty"]);
    assert_eq!((empty.status.code(), empty.stdout.len()), (Some(3), 0));
    assert_eq!(audit.succeed(&["query", "-o", "json"]), "[]\n");
    let database = Database::open(&audit.database_url);
    record(&database, &events("A", 51, "2026-11-22"));
    let output = audit.run(&["query", "--date", "2026-11-22"]);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        stderr.contains("2026-11-22T00:00:00Z ≤ created_at < 2026-11-23T00:00:00Z"),
        "{stderr}"
    );
    assert!(stderr.contains("50 rows shown, more match; go on with --after n"), "{stderr}");
    // 50 rows below a header.
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 51);
    let all = audit.run(&["query", "-n", "51", "--fail-on-empty"]);
    assert_eq!((all.status.code(), all.stderr.len()), (Some(0), 0));
}

#[test]
fn times_and_lists_are_taken_as_people_write_them() {
    let scope = Sandbox::shared().scope("times_and_lists");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    database.execute(
        "INSERT INTO event_logs (event_id, event_type, payload, created_at)
         SELECT gen_random_uuid(), name, '{}', (now() AT TIME ZONE 'UTC') - distance::interval
           FROM (VALUES ('Now', '1 minute'), ('Hour', '50 minutes'), ('Week', '7 days'), ('Year', '364 days'))
                AS event (name, distance)",
    );
    let epoch = database.number("SELECT extract(epoch FROM now() - interval '1 hour')::bigint");
    let (seconds, milliseconds) = (epoch.to_string(), format!("{epoch}000"));
    let nanoseconds = format!("{epoch}000000000");
    for (since, count) in [
        ("5m", "1"),
        ("1h", "2"),
        ("1h30m", "2"),
        ("now-1h", "2"),
        ("1.5 hours ago", "2"),
        (&seconds, "2"),
        (&milliseconds, "2"),
        (&nanoseconds, "2"),
        ("1 month ago", "3"),
        ("2 years", "4"),
    ] {
        assert_eq!(audit.succeed(&["query", "--count", "--since", since]).trim(), count, "{since}");
        let recorded = ["query", "--count", "--until", since];
        let rest = audit.succeed(&recorded).trim().parse::<i64>();
        assert_eq!(rest.ok(), count.parse::<i64>().ok().map(|count| 4 - count), "{since}");
    }
    let refused = refused(&audit, &["query", "--since", "5 parsecs"]);
    assert!(refused.contains("'1h30m' or '2 months ago' (before now)"), "{refused}");
    let columns =
        audit.succeed(&["query", "-o", "csv", "--columns", "event_type, is_dlt", "-n", "1"]);
    assert_eq!(columns, "event_type,is_dlt\nNow,f\n");
    let groups = audit.succeed(&["stats", "-o", "csv", "--by", "type, service", "--since", "1h"]);
    assert!(groups.starts_with("type,service,events"), "{groups}");
}

#[test]
fn wrong_usage_is_named_with_an_example() {
    let scope = Sandbox::shared().scope("wrong_usage");
    let audit = Audit::migrated(&scope);
    let cases: &[(&[&str], &str)] = &[
        (&["--since", "soon"], "--since: 'soon' is no time; write '2026-11-22T10:00:00Z'"),
        (&["--date", "2h ago"], "--date: '2h ago' is no date"),
        (&["--tz", "Berlin"], "--tz: 'Berlin' is no time zone; write 'Europe/Berlin'"),
        (&["--since", "now", "--until", "-1h"], "--since and --until leave nothing"),
        (&["--event-id", "xyz"], "--event-id: 'xyz' is no id"),
        (&["--columns", "id,nothing"], "there is no column 'nothing'"),
        (&["--after", "12"], "'12' is no cursor"),
        (&["--after", "n1.2.3.4", "--order", "oldest"], "belongs to the other --order"),
        (&["--where", "$.total >"], "syntax error at end of jsonpath input"),
        (&["--where", "$.total"], "this is a path, not a predicate"),
        (&["--where", "$.a == 1 %% 2"], "\n            ^"),
        (&["--limit", "0"], "expected a whole number, 1 or more"),
    ];
    for (arguments, expected) in cases {
        let stderr = refused(&audit, &[&["query"], *arguments].concat());
        assert!(stderr.contains(expected), "{arguments:?}: {stderr}");
    }
    // Its database and brokers are in variables, which are no part of how a command is used.
    let stderr = refused(&audit, &["trace"]);
    assert!(stderr.contains("\nUsage: audit trace [OPTIONS] <ID>\n"), "{stderr}");
}
