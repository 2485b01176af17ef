//! Every table at 80, 120 and 200 columns, of what people really have: ids that are text, long
//! types, emoji, text from right to left, errors of several lines.

use std::process::Command;
use std::time::Duration;

use sandbox::Sandbox;
use unicode_width::UnicodeWidthStr;
use uuid::Uuid;

use crate::support::rows::{events, record};
use crate::support::{Audit, Database, Terminal, wait_until};

const WIDTHS: [u16; 3] = [80, 120, 200];

/// The error of the dead letter, which every table of it has to show whole.
const CLASS: &str = "BankDidNotAnswerInTimeException";
const MESSAGE: &str = "the bank at https://bank.example/v1/authorisations did not answer within 30 seconds; \
                       given up after 3 attempts: הבנק לא ענה, البنك لا يجيب 🏦";

/// A story of an order whose id is text, with a dead letter, and a quarantined record.
fn story(audit: &Audit) -> Database {
    let database = Database::open(&audit.database_url);
    let id = |name: &str| Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes());
    let (order, request) = (id("aggregate:order-4711"), id("correlation:anfrage-2026/11/22"));
    let (northern, rtl) = (id("aggregate:colis/الطرد-٧"), id("aggregate:🛒-17"));
    let event = |n: u8| Uuid::from_u128(0x019a_a4c5_7d1e_7c3a_9b0e_3f6f_1d2c_4b00 + u128::from(n));
    let rows = [
        (
            event(1),
            "OrderCreated",
            order,
            "order-service",
            false,
            r#"{"total_amount": "483.38"}"#,
            "10:00:00.120",
        ),
        (
            event(2),
            "🛒CartCheckedOut",
            rtl,
            "shop",
            false,
            r#"{"note": "שלום עולם"}"#,
            "10:00:00.5",
        ),
        (
            event(3),
            "com.example.payments.AuthorisationOfThePaymentWasRequestedByTheShop.v2",
            order,
            "payment-service-of-the-north",
            false,
            r#"{"amount": 483.38}"#,
            "10:00:01.000001",
        ),
        (
            event(3),
            "com.example.payments.AuthorisationOfThePaymentWasRequestedByTheShop.v2",
            order,
            "payment-service-of-the-north",
            true,
            r#"{"amount": 483.38}"#,
            "10:00:01.000001",
        ),
        (
            event(4),
            "شحنة",
            northern,
            "service-d'expédition",
            false,
            r#"{"items": [1, 2, 3]}"#,
            "10:02:30",
        ),
        (
            event(5),
            "audit.Quarantined",
            order,
            "",
            false,
            r#"{"reason": "not_json", "detail": "line 1"}"#,
            "10:03:00",
        ),
    ];
    let values = rows.map(|(event_id, event_type, aggregate, service, is_dlt, payload, time)| {
        let service = service.replace('\'', "''");
        format!(
            "('{event_id}'::uuid, '{event_type}', '{aggregate}'::uuid, '{service}', {is_dlt}, '{payload}'::jsonb, \
             '2026-11-22 {time}'::timestamp, '{request}'::uuid)"
        )
    });
    record(&database, &format!("SELECT * FROM (VALUES {}) row", values.join(", ")));
    database.execute(&format!(
        "ALTER TABLE event_logs DISABLE TRIGGER append_only;
         UPDATE event_logs SET partition_id = 1, kafka_offset = id, attributes = jsonb_build_object(
                'key', CASE aggregate_id WHEN '{order}' THEN 'order-4711' WHEN '{rtl}' THEN '🛒-17' ELSE 'colis/الطرد-٧' END,
                'original', jsonb_build_object('correlation_id', 'anfrage-2026/11/22'));
         ALTER TABLE event_logs ENABLE TRIGGER append_only;
         INSERT INTO kafka_partitions (cluster_id, topic, partition, claimed_by)
         VALUES ('c', 'northern.warehouse.orders.events', 0, 'a-host-with-a-long-name.example:12345');
         INSERT INTO dead_letters (event_log_id, headers, exception_class, exception_message, consumer_group,
                                   origin_topic, origin_partition, origin_offset)
         VALUES (4, '[]', 'com.example.payments.gateway.{CLASS}', '{MESSAGE}', 'payment-service-of-the-north',
                 'northern.warehouse.orders.events', 0, 3);
         INSERT INTO dlt_replays (replay_id, event_log_id, attempt, requested_by, requested_at, reason, target_topic,
                                  state, error, resolved_at)
         VALUES ('{replay}', 4, 1, 'anna@host', '2026-11-22 11:00:00Z', 'the bank is back, says Jürgen 🏦',
                 'northern.warehouse.orders.events', 'failed',
                 'Kafka: message was not sent within 30 s (Local: Message timed out): {MESSAGE}', '2026-11-22 11:00:30Z')",
        replay = event(9),
    ));
    // When it was recorded would be another time in each run.
    database.execute(
        "ALTER TABLE ingest_batches DISABLE TRIGGER append_only;
         UPDATE ingest_batches SET recorded_at = '2026-11-22 10:00:07Z';
         ALTER TABLE ingest_batches ENABLE ALWAYS TRIGGER append_only",
    );
    database
}

/// What a command shows on a terminal, without colours and without what is said on stderr.
fn shown(audit: &Audit, columns: u16, arguments: &[&str]) -> String {
    let program = audit.command(arguments);
    let mut command = Command::new("sh");
    command.args(["-c", "exec \"$0\" \"$@\" 2>/dev/null"]).arg(program.get_program());
    command.args(program.get_args()).env("NO_COLOR", "1");
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let (_, screen) = Terminal::start(command, columns).end();
    screen.replace("\r\n", "\n")
}

/// The text without its line breaks and blanks: the same, wherever lines break.
fn without_blanks(text: &str) -> String {
    text.split_whitespace().collect()
}

#[test]
fn every_table_fits_80_120_and_200_columns_and_hides_no_error() {
    let scope = Sandbox::shared().scope("tables");
    let audit = Audit::migrated(&scope);
    let _database = story(&audit);
    // The error's class is shown where there is one, the message where it is asked for.
    let commands: [(&[&str], &[&str]); 15] = [
        (&["query"], &[CLASS, MESSAGE]),
        (&["query", "--dlt"], &[CLASS, MESSAGE]),
        (
            &["query", "--columns", "created_at,aggregate,error_class,error_message"],
            &[CLASS, MESSAGE],
        ),
        (&["tail", "--no-follow"], &[CLASS, MESSAGE]),
        (&["trace", "order-4711"], &[CLASS, MESSAGE]),
        (&["show", "4"], &[CLASS, MESSAGE]),
        (&["dlt"], &[CLASS, MESSAGE]),
        (&["replay-dlt", "--dry-run"], &[CLASS]),
        (&["replay-dlt", "--status"], &[MESSAGE]),
        (&["stats", "--by", "service,type"], &[]),
        (&["stats", "--by", "error", "--dlt"], &[CLASS]),
        (&["stats", "--by", "aggregate", "--sum", "$.amount", "--p95", "$.amount"], &[]),
        (&["stats", "--date", "2026-11-22", "--compare", "2026-11-21"], &[]),
        (&["stats", "--by", "week", "--heatmap", "--tz", "Asia/Tokyo"], &[]),
        (&["reconcile", "OrderCreated:$.total_amount", "🛒CartCheckedOut:$.amount"], &[]),
    ];
    for columns in WIDTHS {
        let mut screens = String::new();
        for (command, errors) in commands {
            let screen = shown(&audit, columns, command);
            for line in screen.lines() {
                assert!(
                    line.width() <= columns.into(),
                    "{command:?}, {columns} columns:\n{line}\n{screen}"
                );
            }
            for error in errors {
                let is_whole = without_blanks(&screen).contains(&without_blanks(error));
                assert!(
                    is_whole,
                    "{command:?}, {columns} columns: '{error}' is not whole\n{screen}"
                );
            }
            screens.push_str(&format!("$ audit {}\n", command.join(" ")));
            for line in screen.lines() {
                screens.push_str(&format!("{}\n", line.trim_end()));
            }
            screens.push('\n');
        }
        insta::assert_snapshot!(format!("{columns}_columns"), screens);
    }
    for columns in WIDTHS {
        for command in [
            &["status"][..],
            &["status", "--all"],
            &["verify", "--wait", "0"],
            &["config", "show"],
            &["flow"],
            &["flow", "--variants"],
        ] {
            let screen = shown(&audit, columns, command);
            for line in screen.lines() {
                assert!(
                    line.width() <= columns.into(),
                    "{command:?}, {columns} columns:\n{line}\n{screen}"
                );
            }
        }
    }
}

#[test]
fn columns_of_tail_stay_where_they_are_when_a_new_type_and_the_first_dead_letter_come() {
    let scope = Sandbox::shared().scope("tail_columns");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(&database, &events("Paid", 1, "2026-11-22"));
    let mut command = audit.command(&["tail", "-n", "1"]);
    command.env("NO_COLOR", "1");
    let mut terminal = Terminal::start(command, 120);
    let limit = Duration::from_secs(60);
    let shown = |terminal: &Terminal, count| {
        wait_until("the row is shown", limit, || {
            terminal.screen().matches("order-service").count() == count
        });
    };
    shown(&terminal, 1);
    record(&database, &events("OrderCreated", 1, "2026-11-22"));
    shown(&terminal, 2);
    let dead_letters = events("OrderCreated", 1, "2026-11-22").replace("false", "true");
    record(&database, &dead_letters);
    shown(&terminal, 3);
    terminal.press("\u{3}");
    let (_, screen) = terminal.end();
    let rows = screen.lines().filter(|line| line.contains("order-service"));
    let places: Vec<_> = rows.map(|line| line.find("order-service")).collect();
    assert_eq!(places.len(), 3, "{screen}");
    assert!(places.iter().all(|place| *place == places[0]), "{screen}");
}
