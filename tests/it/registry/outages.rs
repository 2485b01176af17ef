//! A registry that does not answer is waited for: nothing is quarantined, nothing is lost.

use std::fs;
use std::thread;
use std::time::Duration;

use sandbox::{Proxy, Sandbox};

use super::fake::{Answer, FakeRegistry};
use super::{LIMIT, ORDER, order, outcomes, page, start, wire, zigzag};
use crate::support::{Audit, Database, Oracle, Producer, wait_until};

/// An order with a note, which may be long.
const NOTED: &str = r#"{"type":"record","name":"OrderPlaced","namespace":"com.acme","fields":[
    {"name":"id","type":"string"},{"name":"total","type":"long"},
    {"name":"note","type":"string"}]}"#;

/// The memory in MiB that an ingester never needs. What is sent during the wait, 188 MiB, does not
/// fit into it beside the program itself.
const ENOUGH_MEMORY: u64 = 256;

/// An order as [`NOTED`] describes it.
fn noted(number: u32, note: &str) -> Vec<u8> {
    let length = i64::try_from(note.len()).unwrap_or_default();
    [order(number), zigzag(length), note.as_bytes().to_vec()].concat()
}

/// The most memory in MiB that the program with this argument has had so far. Only Linux tells.
fn peak_memory(argument: &str) -> Option<u64> {
    fs::read_dir("/proc").ok()?.flatten().find_map(|process| {
        let read = |name: &str| fs::read_to_string(process.path().join(name)).ok();
        read("cmdline").filter(|line| line.split('\0').any(|own| own == argument))?;
        let status = read("status")?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kib: u64 = peak.trim().strip_suffix(" kB")?.parse().ok()?;
        Some(kib / 1024)
    })
}

#[test]
fn whatever_is_no_answer_is_waited_for_and_told_once_for_each_reason() {
    let scope = Sandbox::shared().scope("registry_no_answer");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 1));
    let registry = FakeRegistry::start();
    registry.register(1, "AVRO", ORDER, &["orders-value"]);
    let answers = [
        (
            "500 Internal Server Error: out of order",
            Answer::of(500, r#"{"message":"out of\norder"}"#),
        ),
        ("503 Service Unavailable", Answer::of(503, "<html>later</html>")),
        (
            "429 Too Many Requests",
            Answer {
                headers: vec![("Retry-After".to_owned(), "1".to_owned())],
                ..Answer::of(429, "")
            },
        ),
        ("200 OK, but the answer is not JSON", Answer::of(200, "<html>Log in</html>")),
        ("not that of a schema registry", Answer::of(200, r#"{"id":1}"#)),
        (
            "no answer within 10 s",
            Answer { after: Duration::from_secs(60), ..Answer::of(200, "{}") },
        ),
    ];
    registry.answer_instead(|_| Some(Answer::of(502, "")));
    let producer = Producer::new(scope.brokers());
    producer.send(&topic, None, Some(b"k"), Some(&wire(1, &order(1))), &[]);
    producer.flush();
    let mut ingester = start(&audit, &registry.url(), &topic, &[]);
    wait_until("it waits", LIMIT, || ingester.log().contains("502 Bad Gateway"));
    for (reason, answer) in answers {
        registry.answer_instead(move |_| Some(answer.clone()));
        wait_until(reason, LIMIT, || ingester.log().contains(reason));
    }
    assert_eq!(ingester.log().matches("500 Internal").count(), 1, "{}", ingester.log());
    registry.heal();
    let database = Database::open(&audit.database_url);
    wait_until("it goes on", LIMIT, || database.event_count() == 1);
    assert_eq!(outcomes(&database), ["OrderPlaced -"]);
    wait_until("it says so", LIMIT, || ingester.log().contains("the schema registry answers"));
    ingester.stop();
}

#[test]
fn a_registry_that_is_away_under_load_costs_no_record_and_no_membership() {
    let scope = Sandbox::shared().scope("registry_away");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 4));
    let registry = FakeRegistry::start();
    for id in 1..=5 {
        registry.register(id, "AVRO", ORDER, &["orders-value"]);
    }
    registry.register(6, "AVRO", NOTED, &["orders-value"]);
    let proxy = Proxy::start(registry.port()).unwrap_or_else(|error| panic!("{error}"));
    proxy.block();
    proxy.cut();
    let url = format!("http://127.0.0.1:{}/below/here", proxy.port());
    let producer = Producer::new(scope.brokers());
    let send = |id: u32, numbers: std::ops::Range<u32>| {
        for number in numbers {
            let key = format!("{number}");
            producer.send(&topic, None, Some(key.as_bytes()), Some(&wire(id, &order(number))), &[]);
        }
        producer.flush();
    };
    send(1, 0..20_000);
    let arguments = ["--batch-rows", "100", "--metrics", "0"];
    let mut ingester = start(&audit, &url, &topic, &arguments);
    wait_until("it waits", LIMIT, || ingester.log().contains("waiting for the schema registry"));
    assert!(
        page(&ingester, "/metrics").contains("audit_ingest_waiting{for=\"schema_registry\"} 1")
    );
    assert!(
        page(&ingester, "/readyz").contains("schema_registry"),
        "{}",
        page(&ingester, "/readyz")
    );
    // A mock of Kafka keeps 5 MiB of each partition.
    let is_mock = Sandbox::shared().kafka().is_mock();
    let note = "x".repeat(if is_mock { 0 } else { 16 * 1024 });
    // Longer than the group's session: it has to go on polling. More arrives all the time.
    for number in 20_000..32_000_u32 {
        let key = format!("{number}");
        let value = wire(6, &noted(number, &note));
        producer.send(&topic, None, Some(key.as_bytes()), Some(&value), &[]);
        if number % 60 == 0 {
            thread::sleep(Duration::from_millis(40));
        }
    }
    producer.flush();
    let database = Database::open(&audit.database_url);
    assert_eq!(database.event_count(), 0);
    proxy.unblock();
    wait_until("everything is recorded", LIMIT * 2, || database.event_count() == 32_000);
    assert!(
        page(&ingester, "/metrics").contains("audit_ingest_waiting{for=\"schema_registry\"} 0")
    );
    assert!(page(&ingester, "/readyz").ends_with("ready\n"));
    // What is known needs no registry.
    proxy.block();
    proxy.cut();
    send(1, 32_000..33_000);
    wait_until("the known schema is enough", LIMIT, || database.event_count() == 33_000);
    send(2, 33_000..34_000);
    send(1, 34_000..35_000);
    wait_until("it waits again", LIMIT, || {
        ingester.log().matches("waiting for the schema registry").count() >= 2
    });
    proxy.unblock();
    wait_until("everything is recorded", LIMIT, || database.event_count() == 35_000);
    let peak = peak_memory(&url);
    assert!(peak.is_none_or(|peak| peak < ENOUGH_MEMORY), "{peak:?} MiB");
    assert!(peak.is_some() || cfg!(not(target_os = "linux")), "Linux tells");
    assert_eq!(ingester.log().matches("assigned").count(), 1, "{}", ingester.log());
    ingester.stop();
    assert!(!ingester.log().contains("joining the group again"), "{}", ingester.log());
    assert_eq!(
        database.number("SELECT count(*) FROM event_logs WHERE event_type <> 'OrderPlaced'"),
        0
    );
    Oracle::read(&database, scope.brokers(), &[&topic]).approve();
}

#[test]
fn a_stop_during_the_wait_records_nothing_by_half_and_the_next_run_goes_on() {
    let scope = Sandbox::shared().scope("registry_stop");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 1));
    let registry = FakeRegistry::start();
    registry.register(1, "AVRO", ORDER, &["orders-value"]);
    registry
        .answer_instead(|_| Some(Answer { after: Duration::from_secs(8), ..Answer::of(500, "") }));
    let producer = Producer::new(scope.brokers());
    producer.send(&topic, None, Some(b"k"), Some(b"{\"before\": 1}"), &[]);
    producer.send(&topic, None, Some(b"k"), Some(&wire(1, &order(1))), &[]);
    producer.flush();
    let mut ingester = start(&audit, &registry.url(), &topic, &[]);
    wait_until("it asks", LIMIT, || !registry.asked().is_empty());
    ingester.signal("TERM");
    let status = ingester.wait(Duration::from_secs(20));
    assert_eq!(status.code(), Some(1), "{}", ingester.log());
    assert!(
        ingester.log().contains("stopped before everything that was read"),
        "{}",
        ingester.log()
    );
    let database = Database::open(&audit.database_url);
    assert_eq!(database.event_count(), 0);
    registry.heal();
    let mut ingester = start(&audit, &registry.url(), &topic, &[]);
    wait_until("both are recorded", LIMIT, || database.event_count() == 2);
    ingester.stop();
    Oracle::read(&database, scope.brokers(), &[&topic]).approve();
}

#[test]
fn partitions_that_are_taken_away_during_the_wait_are_recorded_once_by_whoever_has_them() {
    let scope = Sandbox::shared().scope("registry_revoked");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 4));
    let (away, there) = (FakeRegistry::start(), FakeRegistry::start());
    for registry in [&away, &there] {
        registry.register(1, "AVRO", ORDER, &["orders-value"]);
    }
    away.answer_instead(|_| Some(Answer::of(503, "")));
    let producer = Producer::new(scope.brokers());
    for number in 0..2_000_u32 {
        let partition = Some((number % 4).cast_signed());
        producer.send(&topic, partition, Some(b"k"), Some(&wire(1, &order(number))), &[]);
    }
    producer.flush();
    let mut first = start(&audit, &away.url(), &topic, &[]);
    wait_until("it waits", LIMIT, || first.log().contains("waiting for the schema registry"));
    let mut second = start(&audit, &there.url(), &topic, &[]);
    let database = Database::open(&audit.database_url);
    wait_until("the other has some of them", LIMIT, || database.event_count() >= 500);
    away.heal();
    wait_until("everything is recorded", LIMIT, || database.event_count() == 2_000);
    first.stop();
    second.stop();
    Oracle::read(&database, scope.brokers(), &[&topic]).approve();
}
