//! Keys that a schema describes.

use sandbox::Sandbox;

use super::fake::FakeRegistry;
use super::{ORDER, ingest, order, wire};
use crate::support::{Audit, Database, Producer};

#[test]
fn a_key_is_its_text_its_only_member_or_compact_json_and_never_quarantines_its_record() {
    let scope = Sandbox::shared().scope("registry_keys");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 1));
    let registry = FakeRegistry::start();
    registry.register(1, "AVRO", ORDER, &["orders-value"]);
    registry.register(2, "AVRO", r#""string""#, &["orders-key"]);
    registry.register(
        3,
        "AVRO",
        r#"{"type":"record","name":"Key","fields":[{"name":"id","type":"long"}]}"#,
        &["k"],
    );
    registry.register(4, "AVRO", r#"{"type":"record","name":"Both","fields":[{"name":"z","type":"long"},{"name":"a","type":"string"}]}"#, &["b"]);
    registry.register(5, "JSON", "{}", &["j"]);
    registry.register(6, "AVRO", "broken", &["broken"]);
    let keys: Vec<(Vec<u8>, &str)> = vec![
        (wire(2, b"\x06o-1"), "o-1 2"),
        (wire(3, b"\x22"), "17 3"),
        (wire(4, b"\x22\x02a"), r#"{"z":17,"a":"a"} 4"#),
        (wire(5, b"{\"id\": \"o-2\"}"), "o-2 5"),
        (wire(5, b"{\"b\" : 1, \"a\": [1, 2]}"), r#"{"b":1,"a":[1,2]} 5"#),
        // What can't be read stays.
        (wire(2, b"\x40o"), "AAAAAAJAbw== -"),
        (wire(6, b"\x02a"), "AAAAAAYCYQ== -"),
        (wire(999, b"\x02\xff"), "AAAAA+cC/w== -"),
        (b"plain".to_vec(), "plain -"),
        // A number of eight bytes is no id.
        (vec![0, 0, 0, 0, 0, 0, 0, 200], "AAAAAAAAAMg= -"),
    ];
    let producer = Producer::new(scope.brokers());
    for (index, (key, _)) in keys.iter().enumerate() {
        producer.send(&topic, None, Some(key), Some(&wire(1, &order(index as u32))), &[]);
    }
    // A tombstone has a key, too.
    producer.send(&topic, None, Some(&keys[0].0), None, &[]);
    producer.flush();
    ingest(&audit, &registry, &topic);
    let database = Database::open(&audit.database_url);
    let rows = database.rows(
        "SELECT event_type, coalesce(attributes -> 'key' ->> 'base64', attributes ->> 'key'),
                coalesce(attributes ->> 'key_schema_id', '-') FROM event_logs ORDER BY kafka_offset",
    );
    let found: Vec<String> = rows.iter().map(|row| row.join(" ")).collect();
    let mut expected: Vec<String> =
        keys.iter().map(|(_, key)| format!("OrderPlaced {key}")).collect();
    expected.push("audit.Tombstone o-1 2".to_owned());
    assert_eq!(found, expected);
    // The same aggregate, whichever way the key came.
    assert_eq!(audit.succeed(&["query", "--aggregate", "o-1", "-o", "ndjson"]).lines().count(), 2);
}

#[test]
fn numbers_as_keys_do_not_cost_a_question_each() {
    let scope = Sandbox::shared().scope("registry_number_keys");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 1));
    let registry = FakeRegistry::start();
    registry.register(1, "AVRO", ORDER, &["orders-value"]);
    let producer = Producer::new(scope.brokers());
    // The first byte is 0, and the next four are another number in each.
    for number in 0..1_000_u64 {
        let key = (0x0012_3456_0000_0000 + (number << 24)).to_be_bytes();
        producer.send(&topic, None, Some(&key), Some(&wire(1, &order(1))), &[]);
    }
    producer.flush();
    ingest(&audit, &registry, &topic);
    let database = Database::open(&audit.database_url);
    let rows = database.value(
        "SELECT count(*) FROM event_logs WHERE event_type = 'OrderPlaced' AND attributes -> 'key' ? 'base64'",
    );
    assert_eq!(rows, "1000");
    // Several batches may have been made of them.
    assert!(registry.asked().len() < 500, "{}", registry.asked().len());
}

#[test]
fn a_message_that_leaves_a_field_out_has_the_same_kind_of_key() {
    let scope = Sandbox::shared().scope("registry_message_keys");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 1));
    let registry = FakeRegistry::start();
    let schema = "syntax = \"proto3\"; message Key { string id = 1; int64 version = 2; } message Number { int64 id = 1; }";
    registry.register(1, "PROTOBUF", schema, &["orders-key"]);
    let producer = Producer::new(scope.brokers());
    for key in [&b"\0\x0a\x01x"[..], b"\0\x0a\x01x\x10\x01", b"\x02\x02\x08\x07", b"\x02\x02"] {
        producer.send(&topic, None, Some(&wire(1, key)), Some(b"{}"), &[]);
    }
    producer.flush();
    ingest(&audit, &registry, &topic);
    let keys = Database::open(&audit.database_url)
        .rows("SELECT attributes ->> 'key' FROM event_logs ORDER BY kafka_offset");
    let expected = [r#"{"id":"x"}"#, r#"{"id":"x","version":"1"}"#, "7", "0"];
    assert_eq!(keys.concat(), expected);
}
