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
        "SELECT event_type, coalesce(attributes ->> 'key', attributes ->> 'key_base64', attributes::text),
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
