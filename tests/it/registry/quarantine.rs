//! What can't be read by its schema: one row each, and the next good record right behind it.

use sandbox::Sandbox;

use super::fake::{Answer, FakeRegistry};
use super::{ORDER, ingest, order, outcomes, wire};
use crate::support::{Audit, Database, Oracle, Producer};

/// Everything that a producer can get wrong.
fn hostile() -> Vec<(Vec<u8>, &'static str)> {
    // Lengths are zigzag varints: the first is 2^60, the other 10^9, before as many nulls.
    let length = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20];
    let nulls = [0x80, 0xa8, 0xd6, 0xb9, 0x07];
    vec![
        (wire(7_777, b"\x02a\x02"), "unknown_schema"),
        (wire(0, b"\x02a\x02"), "unknown_schema"),
        (wire(0xffff_fff0, b"\x02a\x02"), "unknown_schema"),
        (wire(1, b"\x06o"), "schema_mismatch"),
        (wire(1, b""), "schema_mismatch"),
        (wire(1, &[&order(1)[..], b"more"].concat()), "schema_mismatch"),
        (wire(1, b"{\"id\":\"o-1\",\"total\":1}"), "schema_mismatch"),
        (wire(1, &length), "schema_mismatch"),
        (wire(2, &nulls), "schema_mismatch"),
        (wire(2, &[&nulls[..], &[0]].concat()), "too_large"),
        (wire(3, &order(1)), "schema_invalid"),
        (wire(4, &order(1)), "schema_invalid"),
        (wire(5, b"\x02a\x02"), "invalid_json"),
        (wire(5, b"{\"a\": \xff}"), "invalid_utf8"),
        (wire(6, &order(1)), "schema_invalid"),
        (wire(9, &order(1)), "schema_invalid"),
        (b"\0\0\0\0".to_vec(), "invalid_json"),
    ]
}

#[test]
fn each_unreadable_record_is_one_row_and_the_next_good_one_stands_right_behind_it() {
    let scope = Sandbox::shared().scope("registry_hostile");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 1));
    let registry = FakeRegistry::start();
    registry.register(1, "AVRO", ORDER, &["orders-value"]);
    registry.register(2, "AVRO", r#"{"type":"array","items":"null"}"#, &["nulls-value"]);
    registry.register(3, "AVRO", r#"{"type":"record","name":"#, &["broken-value"]);
    registry.register(4, "THRIFT", "struct Order {}", &["thrift-value"]);
    registry.register(5, "JSON", r#"{"title":"Order"}"#, &["json-value"]);
    let missing = r#"[{"name":"com.acme.Gone","subject":"gone/value","version":3}]"#;
    registry.register_with(6, "AVRO", r#""com.acme.Gone""#, &["refers-value"], missing);
    // A schema of 2 MB that is fine, and one that is not.
    let doc = "x".repeat(2_000_000);
    let large = ORDER.replacen('{', &format!("{{\"doc\":\"{doc}\","), 1);
    registry.register(8, "AVRO", &large, &["large-value"]);
    registry.register(9, "AVRO", &"[".repeat(2_000_000), &["deep-value"]);
    let producer = Producer::new(scope.brokers());
    let hostile = hostile();
    let mut expected = Vec::new();
    for (index, (value, reason)) in hostile.iter().enumerate() {
        producer.send(&topic, None, Some(b"k"), Some(value), &[]);
        let good = if index % 2 == 0 { 1 } else { 8 };
        producer.send(&topic, None, Some(b"k"), Some(&wire(good, &order(index as u32))), &[]);
        expected.push(format!("audit.Quarantined {reason}"));
        expected.push("OrderPlaced -".to_owned());
    }
    producer.flush();
    ingest(&audit, &registry, &topic);
    let database = Database::open(&audit.database_url);
    assert_eq!(outcomes(&database), expected);
    let totals = "SELECT string_agg(payload ->> 'total', ',' ORDER BY kafka_offset) FROM event_logs WHERE event_type = 'OrderPlaced'";
    let numbers: Vec<String> = (0..hostile.len()).map(|number| number.to_string()).collect();
    assert_eq!(database.value(totals), numbers.join(","));
    // What was sent is what is kept.
    let kept = database.rows(
        "SELECT payload ->> 'value_base64' FROM event_logs WHERE event_type = 'audit.Quarantined' ORDER BY kafka_offset",
    );
    for (row, (value, _)) in kept.iter().zip(&hostile) {
        let encoded =
            database.value(&format!("SELECT encode(decode('{}', 'base64'), 'hex')", row[0]));
        let hex: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(encoded, hex);
    }
    Oracle::read(&database, scope.brokers(), &[&topic]).approve();
    for arguments in [&["verify"][..], &["verify", "--records"]] {
        let output = audit.run(arguments);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
    }
}

#[test]
fn what_the_registry_does_not_have_is_asked_for_once_and_a_schema_once_for_ever() {
    let scope = Sandbox::shared().scope("registry_asked");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 1));
    let registry = FakeRegistry::start();
    registry.register(1, "AVRO", ORDER, &["orders-value"]);
    registry.register(3, "AVRO", "no schema", &["broken-value"]);
    let producer = Producer::new(scope.brokers());
    for number in 0..3_000 {
        for id in [1, 2, 3] {
            producer.send(&topic, None, Some(b"k"), Some(&wire(id, &order(number))), &[]);
        }
    }
    producer.flush();
    ingest(&audit, &registry, &topic);
    for path in ["/schemas/ids/1", "/schemas/ids/1/versions", "/schemas/ids/2", "/schemas/ids/3"] {
        assert_eq!(registry.times_asked(&format!("/below/here{path}")), 1, "{path}");
    }
    assert_eq!(registry.asked().len(), 4, "{:?}", registry.asked());
    let request = &registry.asked()[0];
    assert_eq!(request.headers["accept"], "application/vnd.schemaregistry.v1+json");
    assert_eq!(request.headers["user-agent"], format!("audit/{}", env!("CARGO_PKG_VERSION")));
}

#[test]
fn attributes_name_the_schema_and_the_subject_of_the_topic_where_it_is_registered_there() {
    let scope = Sandbox::shared().scope("registry_subjects");
    let audit = Audit::migrated(&scope);
    let topics =
        ["orders.events", "orders.copy", "orders.more"].map(|name| scope.create_topic(name, 1));
    let registry = FakeRegistry::start();
    let own = format!("{}-value", topics[1]);
    registry.register(1, "AVRO", ORDER, &["z-value", "a-value", &own]);
    // Not every registry can say where a schema is registered.
    registry.register(2, "JSON", r#"{"title":"com.acme.Note"}"#, &["notes-value"]);
    registry.answer_instead(|request| {
        (request.path == "/below/here/schemas/ids/2/versions").then(|| Answer::of(405, "no"))
    });
    let producer = Producer::new(scope.brokers());
    for topic in &topics {
        producer.send(topic, None, Some(b"k"), Some(&wire(1, &order(1))), &[]);
    }
    producer.send(&topics[0], None, Some(b"k"), Some(&wire(2, b"{\"a\": 1}")), &[]);
    producer.flush();
    ingest(&audit, &registry, &topics.join(","));
    let database = Database::open(&audit.database_url);
    let rows = database.rows(
        "SELECT topic, event_type, attributes ->> 'schema_id', attributes ->> 'schema_type', attributes ->> 'schema_name',
                coalesce(attributes ->> 'schema_subject', '-')
           FROM event_logs JOIN kafka_partitions USING (partition_id) ORDER BY topic, kafka_offset",
    );
    let mut expected = vec![
        format!("{} OrderPlaced 1 AVRO com.acme.OrderPlaced {own}", topics[1]),
        format!("{} OrderPlaced 1 AVRO com.acme.OrderPlaced z-value", topics[0]),
        format!("{} Note 2 JSON com.acme.Note -", topics[0]),
        format!("{} OrderPlaced 1 AVRO com.acme.OrderPlaced z-value", topics[2]),
    ];
    let mut found: Vec<String> = rows.iter().map(|row| row.join(" ")).collect();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn references_are_resolved_through_subjects_with_any_name_and_also_where_they_were_deleted() {
    let scope = Sandbox::shared().scope("registry_references");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 1));
    let registry = FakeRegistry::start();
    let line = r#"{"type":"record","name":"Line","namespace":"com.acme","fields":[{"name":"money","type":"Money"}]}"#;
    let money = r#"{"type":"record","name":"Money","namespace":"com.acme","fields":[{"name":"amount","type":"long"}]}"#;
    let to_money = r#"[{"name":"com.acme.Money","subject":"money of/acme","version":1}]"#;
    registry.register(10, "AVRO", money, &["money of/acme"]);
    registry.register_with(11, "AVRO", line, &["line"], to_money);
    let cart = r#"{"type":"record","name":"Cart","namespace":"com.acme","fields":[{"name":"line","type":"Line"},{"name":"total","type":"Money"}]}"#;
    let both = r#"[{"name":"com.acme.Line","subject":"line","version":1},{"name":"com.acme.Money","subject":"money of/acme","version":1}]"#;
    registry.register_with(12, "AVRO", cart, &["cart-value"], both);
    registry.answer_instead(|request| match request.path.as_str() {
        "/below/here/subjects/line/versions/1" => {
            Some(Answer::of(404, r#"{"error_code":40402,"message":"Version not found"}"#))
        }
        "/below/here/subjects/line/versions/1?deleted=true" => Some(Answer::of(
            200,
            r#"{"subject":"line","version":1,"id":11,"schema":"{\"type\":\"record\",\"name\":\"Line\",\"namespace\":\"com.acme\",\"fields\":[{\"name\":\"money\",\"type\":\"Money\"}]}","references":[{"name":"com.acme.Money","subject":"money of/acme","version":1}]}"#,
        )),
        _ => None,
    });
    let producer = Producer::new(scope.brokers());
    producer.send(&topic, None, Some(b"k"), Some(&wire(12, &[0x0e, 0x10])), &[]);
    producer.flush();
    ingest(&audit, &registry, &topic);
    let database = Database::open(&audit.database_url);
    assert_eq!(
        database.value("SELECT event_type || ' ' || payload::text FROM event_logs"),
        r#"Cart {"line": {"money": {"amount": 7}}, "total": {"amount": 8}}"#
    );
    assert_eq!(registry.times_asked("/below/here/subjects/money%20of%2Facme/versions/1"), 1);
}
