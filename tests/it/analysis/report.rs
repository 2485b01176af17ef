//! `audit report` on real servers: what the page says, that it is harmless whatever was recorded,
//! and that it is written whole or not at all.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use regex::{Captures, Regex};
use sandbox::{Sandbox, Scope};
use serde_json::Value;
use tempfile::TempDir;

use super::page::Page;
use crate::support::rows::record;
use crate::support::{Audit, Database, Hostile, wait_until};

/// A database, and a folder for pages.
fn shop(name: &str) -> (Scope<'static>, Audit, Database, TempDir) {
    let scope = Sandbox::shared().scope(name);
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    (scope, audit, database, folder)
}

/// An event of an order: its type, its service, whether it is a dead letter, and its time on
/// 2026-11-22.
fn event(order: u32, event_type: &str, service: &str, dlt: bool, time: &str) -> String {
    format!(
        "SELECT md5('{order} {event_type} {time}')::uuid, '{event_type}', md5('order {order}')::uuid, '{service}', {dlt},
                '{{}}'::jsonb, '2026-11-22 {time}'::timestamp, md5('{order}')::uuid"
    )
}

/// Three orders of a morning: two are shipped, one is declined after a dead letter.
fn morning(database: &Database) {
    let rows = [
        event(1, "OrderCreated", "order-service", false, "08:00:00"),
        event(1, "PaymentAuthorized", "payment-service", false, "08:00:02"),
        event(1, "OrderShipped", "order-service", false, "09:30:00"),
        event(2, "OrderCreated", "order-service", false, "10:00:00"),
        event(2, "PaymentAuthorized", "payment-service", false, "10:00:04"),
        event(2, "OrderShipped", "order-service", false, "11:00:00"),
        event(3, "OrderCreated", "order-service", false, "10:30:00"),
        event(3, "OrderCreated", "order-service", true, "10:30:31"),
        event(3, "PaymentDeclined", "payment-service", false, "10:45:00"),
    ];
    let ids = record(database, &rows.join(" UNION ALL "));
    database.execute(&format!(
        "INSERT INTO dead_letters (event_log_id, headers, origin_topic, consumer_group, exception_class, exception_message)
         VALUES ({}, '[]', 'orders.events', 'payment', 'java.net.SocketTimeoutException', 'Read timed out');
         INSERT INTO kafka_partitions (cluster_id, topic, partition, next_offset) VALUES ('c', 'orders.events', 0, 1234);
         INSERT INTO ingest_batch_ranges (batch_no, partition_id, first_offset, next_offset, row_count, kind)
         SELECT batch_no, partition_id, 100, 1100, 0, 'lost' FROM ledger_head, kafka_partitions",
        ids.start() + 7
    ));
}

const DAY: [&str; 4] = ["--since", "2026-11-22", "--until", "2026-11-23"];
const ENDS: [&str; 4] = ["--end", "OrderShipped,PaymentDeclined", "--within", "10m"];

fn report(audit: &Audit, arguments: &[&str]) -> Page {
    Page::read(&audit.succeed(&[&["report", "-"], arguments].concat()))
}

fn path(folder: &TempDir, name: &str) -> (PathBuf, String) {
    let path = folder.path().join(name);
    let text = path.display().to_string();
    (path, text)
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{error}"));
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

#[test]
fn a_page_tells_what_happened_in_the_period() {
    let (_scope, audit, database, _folder) = shop("report");
    morning(&database);
    let page = report(&audit, &[&DAY[..], &ENDS, &["--tz", "Europe/Berlin"]].concat());
    page.assert_harmless();
    assert_eq!(page.errors, [""; 0]);
    // What differs from run to run: the installation, and times that are no event's.
    let installation = Regex::new("installation [0-9a-f-]{36}").expect("a pattern");
    let time = Regex::new(r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d").expect("a pattern");
    let text = installation.replace(&page.text, "installation …");
    let text = time.replace_all(&text, |found: &Captures<'_>| match &found[0] {
        of_event if of_event.starts_with("2026-11-22 ") => of_event.to_owned(),
        _ => "…".to_owned(),
    });
    insta::assert_snapshot!(text, @r"
audit report: 22 November 2026
audit report
22 November 2026
What was recorded of the events of this period. Times are those of Europe/Berlin.
Events
Flow
Dead letters
Stuck stories
Coverage
How it was made
Missing 1,000 offsets were lost in 1 partition: Kafka had deleted them before they were read. Details
Check 1 dead letter was not sent back. Details
Events
9
Stories
3
Event types
4
Services
2
Dead letters
1
Quarantined
0
Duplicates
0
Stuck stories
0
Events
Every delivery counts, dead letters and repeated deliveries included.
Events an hour, by service
order-service 6
payment-service 3
0 2 4 6 Sun 22 Nov, 09:00: 2; order-service 1; payment-service 1
Sun 22 Nov, 10:00: 1; order-service 1
Sun 22 Nov, 11:00: 5; order-service 3; payment-service 2; 1 of them dead letters
Sun 22 Nov, 12:00: 1; order-service 1
1 Sun 22 Nov, 11:00: 5; order-service 3; payment-service 2; 1 of them dead letters
22 Nov 03:00 06:00 09:00 12:00 15:00 18:00 21:00 Dead letters an hour
The same as a table
When | order-service | payment-service | All | Dead letters
Sun 22 Nov, 09:00 | 1 | 1 | 2 | 0
Sun 22 Nov, 10:00 | 1 | 0 | 1 | 0
Sun 22 Nov, 11:00 | 3 | 2 | 5 | 1
Sun 22 Nov, 12:00 | 1 | 0 | 1 | 0
By type
Events by type
Type | Events | Share | Dead letters | Last
OrderCreated | 4 | 44.4 % | 1 | 2026-11-22 11:30:31
OrderShipped | 2 | 22.2 % | 0 | 2026-11-22 12:00:00
PaymentAuthorized | 2 | 22.2 % | 0 | 2026-11-22 11:00:04
PaymentDeclined | 1 | 11.1 % | 0 | 2026-11-22 11:45:00
By service
Events by service
Service | Events | Share | Dead letters | Last
order-service | 6 | 66.7 % | 1 | 2026-11-22 12:00:00
payment-service | 3 | 33.3 % | 0 | 2026-11-22 11:45:00
Flow
3 stories began in the period; all of their steps count, also those behind it. A story is all events of one correlation, or of one aggregate where they have none.
From beginning to end: how often each way was taken, and the median of the time between. Broken lines lead back.
Slowest steps
Slowest steps
Step | Count | Median | 95 % within
PaymentAuthorized → OrderShipped | 2 | 1h14m | 1h28m
OrderCreated → PaymentDeclined | 1 | 15m00s | 15m00s
OrderCreated → PaymentAuthorized | 2 | 3.000s | 3.900s
Variants
Variants
Sequence | Stories | Share | Median | 95 % within | Example
OrderCreated → PaymentAuthorized → OrderShipped | 2 | 66.7 % | 1h15m | 1h28m | c81e728d-9d4c-2f63-6f06-7f89cc14862c
OrderCreated → PaymentDeclined | 1 | 33.3 % | 15m00s | 15m00s | eccbc87e-4b5c-e2fe-2830-8fd9f2a7baf3
Dead letters
What a consumer gave up on, by error and the topic that it came from; how many were sent back, and how many of them came back again.
Dead letters by error
Error | From | Dead letters | Sent back | Came back | Last
SocketTimeoutException Read timed out | orders.events given up by payment | 1 | 0 | 0 | 2026-11-22 11:30:31
Stuck stories
No story of the period is stuck.
Coverage
How far each partition was recorded when the page was made, whatever the period. Lost are offsets that Kafka had deleted before they were read.
Partitions
Topic | Partition | Recorded up to offset | Lost | Last recorded
orders.events | 0 | 1,234 | 1,000 | …
Lost ranges
Lost ranges
Topic | Partition | First offset | Last offset | Offsets | Declared
orders.events | 0 | 100 | 1,099 | 1,000 | …
Evidence
What a checkpoint covers
State | Batches | Rows
under a checkpoint | 0 | 0
behind the last checkpoint | 0 | 0
in no log | 1 | 9
No checkpoint was signed.
What this page did not check
audit verify was not run: whether every offset is a row or a declared hole, and whether rows were changed since, is not known from this page.
Kafka was not asked: what it holds that is not recorded yet is not known from this page.
How it was made
Command
audit report - --since 2026-11-21T23:00:00Z --until 2026-11-22T23:00:00Z --tz Europe/Berlin --end OrderShipped --end PaymentDeclined --within 10m
Version
audit 0.1.0
Database
installation …
Recorded up to
batch 1
Made
… Europe/Berlin
");
}

#[test]
fn its_numbers_are_those_of_the_other_commands() {
    let (_scope, audit, database, _folder) = shop("report_numbers");
    morning(&database);
    // Delivered again, and an order that does not end.
    record(&database, &event(1, "OrderCreated", "order-service", false, "08:00:00"));
    record(&database, &event(4, "OrderCreated", "order-service", false, "12:00:00"));
    let rows = |arguments: &[&str]| -> Vec<Value> {
        let json = audit.succeed(&[arguments, &DAY, &["-o", "json"]].concat());
        serde_json::from_str(&json).unwrap_or_else(|error| panic!("{json}: {error}"))
    };
    let page = report(&audit, &[&DAY[..], &ENDS].concat());
    let figure = |name: &str| page.figure(name).and_then(|value| value.parse::<i64>().ok());
    let sum = |rows: &[Value], member: &str| {
        Some(rows.iter().filter_map(|row| row[member].as_i64()).sum::<i64>())
    };
    let by_type = rows(&["stats", "--by", "type", "--duplicates"]);
    assert_eq!(figure("Events"), sum(&by_type, "events"));
    assert_eq!(figure("Dead letters"), sum(&by_type, "dlt"));
    assert_eq!(figure("Duplicates"), Some(1));
    assert_eq!(figure("Event types"), Some(by_type.len() as i64));
    assert_eq!(figure("Services"), Some(rows(&["stats", "--by", "service"]).len() as i64));
    let variants = rows(&["flow", "--variants"]);
    assert_eq!(figure("Stories"), sum(&variants, "stories"));
    let stuck = rows(&[&["stuck"], &ENDS[..]].concat());
    assert_eq!((figure("Stuck stories"), stuck.len()), (Some(1), 1));
    let events = page.section("Events");
    for row in by_type {
        let begin = format!("{} | {} | ", row["type"].as_str().unwrap_or_default(), row["events"]);
        assert!(events.iter().any(|line| line.starts_with(&begin)), "{begin}: {events:#?}");
    }
    let flow = page.section("Flow");
    for row in variants {
        let types = row["variant"].as_array().cloned().unwrap_or_default();
        let types: Vec<_> = types.iter().filter_map(Value::as_str).collect();
        let begin = format!("{} | {} | ", types.join(" → "), row["stories"]);
        assert!(flow.iter().any(|line| line.starts_with(&begin)), "{begin}: {flow:#?}");
    }
}

#[test]
fn whatever_was_recorded_a_page_runs_and_loads_nothing() {
    let (scope, audit, database, _folder) = shop("report_hostile");
    let topic = scope.create_topic_with("orders.events", 1, &[("max.message.bytes", "10485760")]);
    let mut hostile = Hostile::new(11);
    let records: Vec<_> = (0..400).map(|_| hostile.record(&topic, 20_000)).collect();
    sandbox::produce(scope.brokers(), &records).unwrap_or_else(|error| panic!("{error}"));
    let mut ingester = audit.start(&["ingest", "--until-end", "--topics", &topic]);
    ingester.succeed(Duration::from_secs(120));
    let names = [
        "</style><script>alert(1)</script>",
        "\"><img src=http://example.com onerror=alert(1)>",
        "'' onmouseover=alert(1) x=''",
        "<svg/onload=alert(1)>",
        "&lt;b&gt;{{7*7}}{% raw %}",
        "javascript:alert(1)\u{202e}\u{1b}[31m",
        "]]></title></svg><base href=http://example.com>",
    ];
    for (order, name) in (10..).zip(names) {
        let types = ["OrderCreated", name, "OrderShipped"].map(|event_type| {
            event(order, event_type, name, false, &format!("10:00:{:02}", event_type.len() % 60))
        });
        let letter = event(order, name, name, true, "10:01:00");
        let ids = record(&database, &format!("{} UNION ALL {letter}", types.join(" UNION ALL ")));
        database.execute(&format!(
            "INSERT INTO dead_letters (event_log_id, headers, origin_topic, consumer_group, exception_class, exception_message)
             VALUES ({}, '[]', '{name}', '{name}', '{name}', '{name}')",
            ids.end()
        ));
    }
    let hostile = ["--until", "9999-01-01", "--end", "OrderShipped", "--within", "1s"];
    for arguments in
        [&hostile[..], &DAY, &["--since", "2026-11-22", "--type", names[0], "--tz", "Asia/Kolkata"]]
    {
        let html = audit.succeed(&[&["report", "-"], arguments].concat());
        let page = Page::read(&html);
        page.assert_harmless();
        assert_eq!(page.errors, [""; 0], "{arguments:?}");
        let dangerous = |it: char| {
            it.is_control() && it != '\n' || "\u{202e}\u{2066}\u{2028}\u{9b}".contains(it)
        };
        assert!(!html.contains(dangerous), "{arguments:?}");
        assert!(page.text.contains("</style><script>alert(1)</script>"), "{}", page.text);
    }
    let page = report(&audit, &DAY);
    assert!(page.text.contains(r"javascript:alert(1)\u{202e}\u{1b}[31m"), "{}", page.text);
}

#[test]
fn a_file_is_replaced_when_the_page_is_whole_and_not_before() {
    let (_scope, audit, database, folder) = shop("report_file");
    morning(&database);
    let (page, page_text) = path(&folder, "day.html");
    fs::write(&page, "the page of yesterday").unwrap_or_else(|error| panic!("{error}"));
    let command = [&["report", &page_text], &DAY[..]].concat();
    let output = audit.run(&command);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && output.stdout.is_empty(), "{stderr}");
    assert!(stderr.ends_with(&format!("report written to {page_text}\n")), "{stderr}");
    let written = fs::read_to_string(&page).unwrap_or_default();
    assert!(written.starts_with("<!doctype html>") && written.ends_with("</html>\n"), "{written}");
    assert_eq!(names(folder.path()), ["day.html"]);

    // While something is in its way, it is not there yet; interrupted, it never is.
    database.execute("BEGIN; LOCK TABLE event_logs IN ACCESS EXCLUSIVE MODE");
    let mut report = audit.start(&command);
    wait_until("the unfinished page", Duration::from_secs(20), || names(folder.path()).len() == 2);
    let unfinished = names(folder.path());
    assert!(unfinished[0].starts_with(".audit-") && unfinished[1] == "day.html", "{unfinished:?}");
    report.signal("INT");
    assert_eq!(report.wait(Duration::from_secs(20)).code(), Some(130), "{}", report.log());
    assert_eq!(names(folder.path()), ["day.html"]);
    assert_eq!(fs::read_to_string(&page).unwrap_or_default(), written);
}

#[test]
fn the_command_that_a_page_names_makes_it_again() {
    let (_scope, audit, database, _folder) = shop("report_again");
    morning(&database);
    let first = report(
        &audit,
        &[
            "--since",
            "-3650d",
            "--type",
            "Order*,!*Shipped",
            "--tz",
            "Europe/Berlin",
            "--within",
            "90s",
            "--end",
            "A,B",
        ],
    );
    let command = first.text.lines().find(|line| line.starts_with("audit report - "));
    let words = command.and_then(shlex::split).unwrap_or_else(|| panic!("{}", first.text));
    let words: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
    let second = Page::read(&audit.succeed(&words));
    // When it was made is another time.
    let told = |page: &Page| {
        let lines = page.text.lines().filter(|line| !line.ends_with(" Europe/Berlin"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(told(&first), told(&second));
}

#[test]
fn no_connection_and_no_password_stands_in_a_page() {
    let (_scope, audit, database, _folder) = shop("report_secrets");
    morning(&database);
    let url = audit.database_url.replacen("://postgres@", "://postgres:s3cret@", 1);
    let brokers = audit.brokers.clone();
    let html = audit.succeed(&[
        "report",
        "-",
        "--since",
        "2026-11-22",
        "--database-url",
        &url,
        "--brokers",
        &brokers,
        "-X",
        "sasl.password=s3cret",
    ]);
    assert!(!html.contains("s3cret") && !html.contains(&brokers), "{html}");
}

#[test]
fn a_period_without_events_has_a_page_that_says_so() {
    let (_scope, audit, _database, folder) = shop("report_empty");
    let (page, page_text) = path(&folder, "empty.htm");
    let output = audit.run(&["report", &page_text]);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert!(stderr.contains("no rows match"), "{stderr}");
    let text = Page::read(&fs::read_to_string(&page).unwrap_or_default()).text;
    assert!(text.contains("No event of this period is recorded."), "{text}");
    let output = audit.run(&["report", &page_text, "--fail-on-empty"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(page.exists());
}

#[test]
fn what_can_not_be_written_is_told_before_anything_is_read() {
    let (_scope, audit, _database, folder) = shop("report_wrong");
    let (_, folder_text) = path(&folder, "");
    let (_, missing) = path(&folder, "missing/page.html");
    let (directory, directory_text) = path(&folder, "folder.html");
    fs::create_dir(&directory).unwrap_or_else(|error| panic!("{error}"));
    for (arguments, exit, expected) in [
        (["report", "page.pdf"], 2, "the name page.pdf is not that of a page"),
        (["report", &folder_text], 2, "is not that of a page"),
        (["report", &missing], 1, "there is no folder"),
        (["report", &directory_text], 1, "it is a directory"),
    ] {
        let output = audit.run(&arguments);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(exit), "{arguments:?}: {stderr}");
        assert!(stderr.contains(expected), "{arguments:?}: {stderr}");
    }
    assert_eq!(names(folder.path()), ["folder.html"]);
}
