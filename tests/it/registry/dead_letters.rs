//! Dead letters that a schema describes.

use sandbox::Sandbox;

use super::fake::FakeRegistry;
use super::{ORDER, order, wire};
use crate::support::{Audit, Database, Producer, capture};

#[test]
fn a_dead_letter_is_read_by_its_schema_keeps_its_bytes_and_is_replayed_byte_for_byte() {
    let scope = Sandbox::shared().scope("registry_dead_letters");
    let audit = Audit::migrated(&scope);
    let topic = scope.create_topic("orders.events", 1);
    let dlt = scope.create_topic("orders.events-dlt", 1);
    let registry = FakeRegistry::start();
    registry.register(1, "AVRO", ORDER, &["orders-value"]);
    registry.register(2, "AVRO", r#""string""#, &["orders-key"]);
    let headers: [(&str, Option<&[u8]>); 2] = [
        ("kafka_dlt-original-topic", Some(topic.as_bytes())),
        ("kafka_dlt-exception-fqcn", Some(b"com.acme.TimeoutException")),
    ];
    let producer = Producer::new(scope.brokers());
    let key = wire(2, b"\x06o-1");
    let values = [wire(1, &order(1)), wire(1, b"\x06o"), wire(99, &order(2))];
    for value in &values {
        producer.send(&dlt, Some(0), Some(&key), Some(value), &headers);
    }
    producer.flush();
    let topics = format!("{topic},{dlt}");
    let url = registry.url();
    let ingest = ["ingest", "--until-end", "--topics", &topics, "--schema-registry", &url];
    audit.succeed(&ingest);
    let database = Database::open(&audit.database_url);
    let rows = database.rows(
        "SELECT event_type, attributes ->> 'key', encode(key, 'hex'), encode(value, 'hex')
           FROM event_logs JOIN dead_letters ON event_log_id = id ORDER BY kafka_offset",
    );
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let types = ["OrderPlaced", "audit.Quarantined", "audit.Quarantined"];
    let expected: Vec<Vec<String>> = types
        .iter()
        .zip(&values)
        .map(|(kind, value)| vec![(*kind).to_owned(), "o-1".to_owned(), hex(&key), hex(value)])
        .collect();
    assert_eq!(rows, expected);
    audit.succeed(&["replay-dlt", "--yes", "--reason", "the bank answers again"]);
    let sent: Vec<_> = capture(scope.brokers(), &topic)
        .into_iter()
        .map(|record| (record.key.unwrap_or_default(), record.value.unwrap_or_default()))
        .collect();
    let replayed: Vec<_> = values.iter().map(|value| (key.clone(), value.clone())).collect();
    assert_eq!(sent, replayed);
    // What was replayed is read by the same schemas.
    audit.succeed(&ingest);
    let types =
        "SELECT string_agg(event_type, ',' ORDER BY kafka_offset) FROM event_logs WHERE NOT is_dlt";
    assert_eq!(database.value(types), "OrderPlaced,audit.Quarantined,audit.Quarantined");
    for arguments in [&["verify"][..], &["verify", "--records"]] {
        let output = audit.run(arguments);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
    }
}
