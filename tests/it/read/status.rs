//! `audit status` on real servers.

use std::time::Duration;

use sandbox::{Proxy, Sandbox};

use crate::support::rows::{events, record};
use crate::support::{Audit, Database, Producer, Terminal, wait_until};

#[test]
fn status_shows_lag_duplicates_quarantine_and_live_ingesters() {
    let scope = Sandbox::shared().scope("status");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 1));
    let database = Database::open(&audit.database_url);
    let producer = Producer::new(scope.brokers());
    let event =
        br#"{"event_id":"0196f0a0-0000-7000-8000-000000000001","event_type":"T","payload":{}}"#;
    for value in [&event[..], event, b"no JSON"] {
        producer.send(&topic, None, None, Some(value), &[]);
    }
    producer.flush();
    let mut ingester = audit.start(&["ingest", "--topics", &topic]);
    let status = || -> serde_json::Value {
        serde_json::from_str(&audit.succeed(&["status", "-o", "json"])).unwrap_or_default()
    };
    wait_until("the rows are there", Duration::from_secs(60), || status()["database"]["rows"] == 3);
    let now = status();
    assert_eq!(now["database"]["duplicates"], 1);
    assert_eq!(now["database"]["quarantined"], 1);
    assert_eq!(now["ingesters"].as_array().map(Vec::len), Some(1), "{now}");
    assert_eq!(now["database"]["ingesters_alive"], 1);
    assert_eq!(now["database"]["seconds_behind"], 0);
    let newest = database.value(
        "SELECT to_char(max(created_at), 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') FROM event_logs",
    );
    assert_eq!(now["database"]["newest_event"], newest);
    ingester.stop();
    producer.native_events(&topic, 0..7);
    std::thread::sleep(Duration::from_millis(2_100));
    producer.native_events(&topic, 7..9);
    let then = status();
    assert_eq!(then["database"]["lag"], 9);
    // The oldest of those that wait counts, by Kafka's time.
    let behind = then["partitions"][0]["seconds_behind"].as_i64();
    assert!(behind.is_some_and(|seconds| (2..60).contains(&seconds)), "{then}");
    assert_eq!(then["database"]["seconds_behind"], then["partitions"][0]["seconds_behind"]);
    assert_eq!(then["ingesters"].as_array().map(Vec::len), Some(0), "{then}");
    // What has several tables has no columns to choose, and says so.
    assert_eq!(audit.run(&["status", "--columns", "lag"]).status.code(), Some(2));
    // Without Kafka the rest is still shown.
    let alone = Audit { brokers: "127.0.0.1:9".to_owned(), ..audit.clone() };
    let output = alone.run(&["status", "-o", "json"]);
    assert_eq!(output.status.code(), Some(4));
    let shown: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    assert_eq!(shown["partitions"][0]["lag"], serde_json::Value::Null);
    assert!(String::from_utf8_lossy(&output.stderr).contains("the lag is unknown"));
}

#[test]
fn whoever_watches_sees_the_database_go_and_come_back() {
    let scope = Sandbox::shared().scope("watch");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(&database, &events("A", 1, "2026-11-22"));
    let port = Sandbox::shared().postgres().port();
    let proxy = Proxy::start(port).unwrap_or_else(|error| panic!("{error}"));
    let through = audit.database_url.replace(&format!(":{port}/"), &format!(":{}/", proxy.port()));
    let through = format!("{through}?connect_timeout=1");
    let watched = Audit { database_url: through, brokers: "127.0.0.1:9".to_owned() };
    let mut watch = watched.start(&["status", "--watch", "1", "-o", "ndjson"]);
    let limit = Duration::from_secs(60);
    wait_until("one row", limit, || watch.log().contains("\"rows\":1"));
    proxy.block();
    proxy.cut();
    wait_until("it is gone", limit, || watch.log().contains("gave no answer within 1 s"));
    record(&database, &events("A", 1, "2026-11-22"));
    proxy.unblock();
    wait_until("two rows", limit, || watch.log().contains("\"rows\":2"));
    watch.stop();
}

#[test]
fn partitions_of_a_topic_that_kafka_does_not_have_are_folded_into_one_line() {
    let scope = Sandbox::shared().scope("status_away");
    let audit = Audit::migrated(&scope);
    Database::open(&audit.database_url).execute(
        "INSERT INTO kafka_partitions (cluster_id, topic, partition) SELECT 'c', 'old.events', n FROM generate_series(0, 59) n",
    );
    let output = audit.run(&["status"]);
    assert_eq!(output.status.code(), Some(4), "{output:?}");
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(shown.contains("60, all of unknown lag"), "{shown}");
    assert!(!shown.contains("old.events"), "{shown}");
    let notes = String::from_utf8_lossy(&output.stderr);
    assert!(notes.contains("of old.events the lag is unknown"), "{notes}");
}

#[test]
fn a_watched_status_fits_the_screen_and_ends_by_ctrl_c() {
    let scope = Sandbox::shared().scope("watch_screen");
    let audit = Audit::migrated(&scope);
    Database::open(&audit.database_url).execute(
        "INSERT INTO kafka_partitions (cluster_id, topic, partition) SELECT 'c', 'orders.events', n FROM generate_series(0, 59) n",
    );
    let mut terminal = Terminal::start(audit.command(&["status", "--watch", "1", "--all"]), 80);
    let limit = Duration::from_secs(60);
    wait_until("it is drawn for the third time", limit, || {
        terminal.screen().matches("\u{1b}[H").count() >= 3
    });
    terminal.press("\u{3}");
    let (status, screen) = terminal.end();
    assert_eq!(status.code(), Some(0), "{screen}");
    for drawn in screen.split("\u{1b}[H").skip(1) {
        // Up to where the rest is cleared. A terminal of 40 lines would scroll for one more.
        let drawn = drawn.split("\u{1b}[J").next().unwrap_or_default();
        assert!(drawn.lines().count() < 40, "{drawn}");
        assert!(
            drawn.contains("rows") && drawn.contains("more lines; without --watch all are shown"),
            "{drawn}"
        );
    }
}
