//! What `audit ingest --metrics` answers, held against the database.

mod exposition;
mod shipped;
mod supervised;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use exposition::Exposition;
use sandbox::Sandbox;

use crate::support::{Audit, Database, Producer, Running, wait_until};

const LIMIT: Duration = Duration::from_secs(90);

/// An ingester that answers monitoring.
struct Watched {
    ingester: Running,
    address: String,
}

impl Watched {
    /// Starts it with these arguments besides, on a port that is free.
    fn start(audit: &Audit, arguments: &[&str]) -> Self {
        let ingester = audit.start(&[&["ingest", "--metrics", "0"], arguments].concat());
        let address = || {
            let log = ingester.log();
            let (_, after) = log.split_once("answering http://")?;
            after.split_once("/metrics").map(|(address, _)| address.to_owned())
        };
        wait_until("it listens", LIMIT, || address().is_some());
        let address = address().unwrap_or_default();
        Self { ingester, address }
    }

    /// Sends a request. Receives the status line, the other headers, and the body.
    fn request(&self, request: &str) -> (String, String, String) {
        let mut stream = TcpStream::connect(&self.address)
            .unwrap_or_else(|error| panic!("{}: {error}", self.address));
        let mut answer = String::new();
        let asked = write!(stream, "{request} HTTP/1.1\r\nHost: {}\r\n\r\n", self.address);
        let read = asked.and_then(|()| stream.read_to_string(&mut answer));
        assert!(read.is_ok(), "{request}: {read:?}");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        let (status, headers) = head.split_once("\r\n").expect("a status and headers");
        (status.to_owned(), headers.to_lowercase(), body.to_owned())
    }

    /// The status code and the body of a page.
    fn get(&self, path: &str) -> (u16, String) {
        let (status, _, body) = self.request(&format!("GET {path}"));
        let code = status.split(' ').nth(1).and_then(|code| code.parse().ok());
        (code.unwrap_or_else(|| panic!("{status}")), body)
    }

    fn metrics(&self) -> Exposition {
        let (code, text) = self.get("/metrics");
        assert_eq!(code, 200, "{text}");
        Exposition::read(&text)
    }

    /// Waits until the metrics are as they are wanted, and returns them.
    fn metrics_when(&self, what: &str, is_true: impl Fn(&Exposition) -> bool) -> Exposition {
        wait_until(what, LIMIT, || is_true(&self.metrics()));
        self.metrics()
    }

    fn is_ready(&self) -> bool {
        self.get("/readyz") == (200, "ready\n".to_owned())
    }

    /// What it is not ready for, as it says; `None` where it is ready.
    fn waits_for(&self) -> Option<String> {
        let (code, text) = self.get("/readyz");
        assert_eq!(self.get("/healthz"), (200, "alive\n".to_owned()));
        (code == 503).then_some(text)
    }
}

/// Of each partition its lag, or how long it is behind.
fn of_partitions(found: &Exposition, name: &str) -> Vec<f64> {
    found.by(name, "partition").into_values().collect()
}

/// The metrics are those of the rows that the database has.
fn assert_as_in(found: &Exposition, database: &Database) {
    let number = |sql| database.number(sql) as f64;
    assert_eq!(found.value("audit_ingest_rows_total"), number("SELECT count(*) FROM event_logs"));
    let batches = number("SELECT count(*) FROM ingest_batches");
    assert_eq!(found.value("audit_ingest_batches_total"), batches);
    assert_eq!(found.value("audit_ingest_batch_seconds_count"), batches);
    let reasons = database.rows(
        "SELECT payload ->> 'reason', count(*) FROM event_logs WHERE event_type = 'audit.Quarantined' GROUP BY 1",
    );
    let reasons: BTreeMap<String, f64> = reasons
        .into_iter()
        .map(|row| (row[0].clone(), row[1].parse().unwrap_or_default()))
        .collect();
    let mut counted = found.by("audit_ingest_quarantined_total", "reason");
    assert_eq!(counted.len(), 27, "each reason is there, also before its first row");
    counted.retain(|_, rows| *rows > 0.0);
    assert_eq!(counted, reasons);
}

#[test]
fn metrics_are_those_of_the_rows_and_the_lag_is_that_of_kafka() {
    let scope = Sandbox::shared().scope("metrics_of_rows");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 3));
    let (producer, database) =
        (Producer::new(scope.brokers()), Database::open(&audit.database_url));
    let arguments = ["--topics", &topic, "--batch-rows", "100", "--writers", "1"];
    let watched = Watched::start(&audit, &arguments);
    let mut bytes = 0;
    let mut send = |value: &[u8]| {
        producer.send(&topic, Some(0), Some(b"key"), Some(value), &[("name", Some(b"header"))]);
        bytes += "key".len() + value.len() + "name".len() + "header".len();
    };
    for number in 0..500 {
        send(format!(r#"{{"total":{number}}}"#).as_bytes());
    }
    for value in [&b"{"[..], b"{\"a\":1}{}", b"{", b"\xff", b"", br#"{"event_type":7}"#] {
        send(value);
    }
    producer.flush();
    wait_until("all rows", LIMIT, || database.event_count() == 506);
    let is_idle = |found: &Exposition| {
        found.value("audit_ingest_in_flight_bytes") == 0.0
            && of_partitions(found, "audit_ingest_lag_records") == [0.0; 3]
    };
    let found = watched.metrics_when("nothing is left to be recorded", is_idle);
    assert_as_in(&found, &database);
    assert_eq!(found.value("audit_ingest_bytes_total"), bytes as f64);
    assert_eq!(of_partitions(&found, "audit_ingest_behind_seconds"), [0.0; 3]);
    assert!(found.by("audit_ingest_lag_records", "topic").keys().eq([&topic]));
    assert_eq!(found.value("audit_ingest_assigned_partitions"), 3.0);
    assert_eq!(found.value("audit_ingest_lost_offsets_total"), 0.0);
    assert_eq!(found.value("audit_ingest_ready"), 1.0);

    // Batches wait for this lock, and everything else goes on.
    let holder = Database::open(&audit.database_url);
    holder.execute("BEGIN; LOCK TABLE ingest_batch_ranges IN SHARE MODE");
    producer.native_events(&topic, 0..1_000);
    let held = watched.metrics_when("the lag is measured", |found| {
        of_partitions(found, "audit_ingest_lag_records").iter().sum::<f64>() == 1_000.0
            && of_partitions(found, "audit_ingest_behind_seconds").iter().any(|time| *time > 2.0)
    });
    assert!(held.value("audit_ingest_in_flight_bytes") > 0.0);
    assert_as_in(&held, &database);
    watched.metrics_when("reading pauses", |found| {
        found.value("audit_ingest_waiting{for=\"writers\"}") == 1.0
    });
    holder.execute("COMMIT");
    wait_until("all rows", LIMIT, || database.event_count() == 1_506);
    let found = watched.metrics_when("nothing is left to be recorded", is_idle);
    assert_as_in(&found, &database);
    assert_eq!(found.value("audit_ingest_waiting{for=\"writers\"}"), 0.0);
    assert_eq!(found.value("audit_ingest_session_restarts_total"), 0.0);

    // A record that would be quarantined anyhow counts once, under the reason that its row has.
    database.execute(
        "ALTER TABLE event_logs ADD CHECK (payload ->> 'reason' IS DISTINCT FROM 'utf16') NOT VALID",
    );
    producer.send(&topic, Some(1), None, Some(b"{\0\"\0"), &[]);
    producer.flush();
    wait_until("all rows", LIMIT, || database.event_count() == 1_507);
    let found = watched
        .metrics_when("it is counted", |found| found.value("audit_ingest_rows_total") == 1_507.0);
    assert_as_in(&found, &database);
    let reasons = found.by("audit_ingest_quarantined_total", "reason");
    assert_eq!((reasons["utf16"], reasons["refused_by_database"]), (0.0, 1.0));
}

#[test]
fn leaves_and_duplicates_are_told_as_the_database_has_them() {
    let scope = Sandbox::shared().scope("metrics_of_leaves");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 1));
    let (producer, database) =
        (Producer::new(scope.brokers()), Database::open(&audit.database_url));
    producer.native_events(&topic, 0..10);
    audit.succeed(&["ingest", "--until-end", "--topics", &topic]);
    let leaf_size = database.number("SELECT event_log_leaf_size()");
    // The next rows lie in the second leaf: the first one is over, and nobody has closed it.
    database.execute(&format!("SELECT setval('event_logs_id_seq', {leaf_size} + 99)"));
    let event =
        br#"{"event_id":"00000000-0000-4000-8000-000000000001","event_type":"Paid","payload":{}}"#;
    for _ in 0..3 {
        producer.send(&topic, None, None, Some(event), &[]);
    }
    producer.flush();
    let arguments = ["--topics", &topic, "--no-maintenance"];
    let watched = Watched::start(&audit, &arguments);
    wait_until("all rows", LIMIT, || database.event_count() == 13);
    let found = watched.metrics_when("a leaf waits", |found| {
        found.by("audit_leaves", "state").get("waiting") == Some(&1.0)
    });
    let last_id = database.number("SELECT max(id) FROM event_logs");
    assert_eq!(found.value("audit_leaf_ids_left"), (2 * leaf_size - 1 - last_id) as f64);
    assert_eq!(found.value("audit_leaves_oldest_waiting_seconds"), 0.0, "nobody closed it");
    database.execute("SELECT seal_event_log_leaf(0, false, false)");
    database.execute(
        "UPDATE event_log_leaves SET closed_at = closed_at - interval '1 hour' WHERE closed_at IS NOT NULL",
    );
    watched.metrics_when("it waits since then", |found| {
        found.value("audit_leaves_oldest_waiting_seconds") >= 3600.0
    });
    assert_eq!(watched.metrics().value("audit_ingest_seal_steps_total"), 0.0);
    drop(watched);
    let watched = Watched::start(&audit, &["--topics", &topic]);
    let found = watched.metrics_when("the leaf is sealed and duplicates are counted", |found| {
        found.by("audit_leaves", "state").get("sealed") == Some(&1.0)
            && found.value("audit_duplicate_deliveries") == 2.0
            // Three indexes, and the note that there are all of them.
            && found.value("audit_ingest_seal_steps_total") >= 4.0
    });
    assert_eq!(found.by("audit_leaves", "state")["waiting"], 0.0);
    assert_eq!(found.value("audit_leaves_oldest_waiting_seconds"), 0.0);
}

#[test]
fn readyz_follows_assignment_and_servers_while_healthz_and_metrics_always_answer() {
    // Servers of its own: the other tests would notice.
    let sandbox = Sandbox::start().unwrap_or_else(|error| panic!("{error}"));
    if sandbox.postgres().is_given() || sandbox.kafka().is_given() || sandbox.kafka().is_mock() {
        eprintln!("skipped: only servers of our own can be stopped");
        return;
    }
    let scope = sandbox.scope("metrics_of_faults");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 2));
    assert!(sandbox.kafka().kill().is_ok());
    let mut watched = Watched::start(&audit, &["--topics", &topic, "--batch-rows", "100"]);
    let waits = watched.waits_for().expect("it is not ready before the first assignment");
    assert!(waits.contains("assignment") && waits.contains("kafka"), "{waits}");
    assert_eq!(watched.metrics().value("audit_ingest_waiting{for=\"assignment\"}"), 1.0);
    assert!(sandbox.kafka().start().is_ok());
    wait_until("it is ready", LIMIT, || watched.is_ready());
    let producer = Producer::new(scope.brokers());
    producer.native_events(&topic, 0..1_000);
    let database = Database::open(&audit.database_url);
    wait_until("the first rows", LIMIT, || database.event_count() == 1_000);

    drop(database);
    assert!(sandbox.postgres().stop().is_ok());
    wait_until("it notices without any record", LIMIT, || {
        watched.waits_for().is_some_and(|waits| waits == "not ready: waiting for postgresql\n")
    });
    producer.native_events(&topic, 1_000..2_000);
    let found = watched.metrics();
    assert_eq!(found.value("audit_ingest_waiting{for=\"postgresql\"}"), 1.0);
    assert_eq!(found.value("audit_ingest_ready"), 0.0);
    assert_eq!(found.value("audit_ingest_rows_total"), 1_000.0);
    assert!(sandbox.postgres().start().is_ok());
    wait_until("it is ready again", LIMIT, || watched.is_ready());
    let database = Database::open(&audit.database_url);
    wait_until("more rows", LIMIT, || database.event_count() == 2_000);

    // As if another process had claimed the partitions: the session ends, and the next one claims.
    database.execute("UPDATE kafka_partitions SET epoch = epoch + 1");
    producer.native_events(&topic, 2_000..3_000);
    wait_until("all rows", LIMIT, || database.event_count() == 3_000);
    wait_until("it is ready once more", LIMIT, || watched.is_ready());
    let found = watched.metrics_when("everything is counted", |found| {
        found.value("audit_ingest_rows_total") == 3_000.0
            && found.value("audit_ingest_in_flight_bytes") == 0.0
    });
    assert!(found.value("audit_ingest_session_restarts_total") >= 1.0);
    assert_as_in(&found, &database);

    assert!(sandbox.kafka().kill().is_ok());
    wait_until("it notices", LIMIT, || {
        watched.waits_for().is_some_and(|waits| waits.contains("kafka"))
    });
    assert_eq!(watched.metrics().value("audit_ingest_rows_total"), 3_000.0);
    assert!(sandbox.kafka().start().is_ok());
    wait_until("it is ready at the end", LIMIT, || watched.is_ready());
    watched.ingester.stop();
}

#[test]
fn offsets_that_kafka_deleted_are_counted_as_lost() {
    let scope = Sandbox::shared().scope("metrics_of_losses");
    if Sandbox::shared().kafka().is_mock() {
        eprintln!("skipped: the mock deletes no records");
        return;
    }
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 1));
    let producer = Producer::new(scope.brokers());
    producer.native_events(&topic, 0..50);
    assert!(Sandbox::shared().kafka().delete_records(&topic, 0, 20).is_ok());
    let watched = Watched::start(&audit, &["--topics", &topic]);
    let database = Database::open(&audit.database_url);
    wait_until("what is left", LIMIT, || database.event_count() == 30);
    let found = watched.metrics_when("all rows are counted", |found| {
        found.value("audit_ingest_rows_total") == 30.0
    });
    assert_eq!(found.value("audit_ingest_lost_offsets_total"), 20.0);
}

#[test]
fn a_port_that_is_taken_and_an_address_that_is_none_are_refused_by_name() {
    let scope = Sandbox::shared().scope("metrics_of_a_port");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 1));
    let mut watched = Watched::start(&audit, &["--topics", &topic]);
    let output = audit.run(&["ingest", "--topics", &topic, "--metrics", &watched.address]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    let expected =
        format!("--metrics {}: can't listen there: Address already in use", watched.address);
    assert!(stderr.contains(&expected) && stderr.contains("another ingester"), "{stderr}");
    let output = audit.run(&["ingest", "--metrics", "http://localhost:80"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("--metrics") && stderr.contains("is no host"), "{stderr}");
    watched.ingester.stop();
}

#[test]
fn only_what_is_there_is_answered_and_only_to_be_read() {
    let scope = Sandbox::shared().scope("metrics_of_http");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 1));
    let mut watched = Watched::start(&audit, &["--topics", &topic]);
    assert!(watched.address.starts_with("127.0.0.1:"), "a port alone is loopback");
    let (status, headers, _) = watched.request("GET /metrics?from=test");
    assert_eq!(status, "HTTP/1.1 200 OK");
    assert!(headers.contains("content-type: text/plain; version=0.0.4"), "{headers}");
    assert_eq!(watched.get("/").0, 404);
    let (status, headers, body) = watched.request("HEAD /healthz");
    assert_eq!((status.as_str(), body.as_str()), ("HTTP/1.1 200 OK", ""));
    assert!(headers.contains("content-length: 6"), "{headers}");
    let (status, headers, _) = watched.request("POST /metrics");
    assert_eq!(status, "HTTP/1.1 405 Method Not Allowed");
    assert!(headers.contains("allow: get, head"), "{headers}");
    // Connections that say nothing keep nobody from being answered, as long as they are few.
    let silent: Vec<_> = (0..8).map(|_| TcpStream::connect(&watched.address)).collect();
    assert!(silent.iter().all(Result::is_ok));
    assert_eq!(watched.get("/healthz").0, 200);
    watched.ingester.stop();
}
