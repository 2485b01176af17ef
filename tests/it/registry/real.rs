//! A registry that others made.

use std::io::{Read, Write};
use std::net::TcpStream;

use sandbox::Sandbox;

use super::{order, wire};
use crate::support::{Audit, Database, Oracle, Producer};

/// Registers a schema under a subject. Returns its id.
fn register(url: &str, subject: &str, request: &serde_json::Value) -> u32 {
    let (host, path) =
        url.trim_start_matches("http://").split_once('/').expect("a URL with a path");
    let mut stream = TcpStream::connect(host).unwrap_or_else(|error| panic!("{host}: {error}"));
    let body = request.to_string();
    let mut answer = String::new();
    write!(
        stream,
        "POST /{path}/subjects/{subject}/versions HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
         Content-Type: application/vnd.schemaregistry.v1+json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .and_then(|()| stream.read_to_string(&mut answer))
    .unwrap_or_else(|error| panic!("{subject}: {error}"));
    let id = answer
        .split_once("\"id\":")
        .map(|(_, rest)| rest.chars().take_while(char::is_ascii_digit).collect::<String>());
    id.and_then(|id| id.parse().ok()).unwrap_or_else(|| panic!("{subject}: {answer}"))
}

#[test]
fn apicurio_gives_schemas_references_and_subjects() {
    let sandbox = Sandbox::shared();
    let scope = sandbox.scope("registry_apicurio");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 1));
    let url = sandbox.registry().url().to_owned();
    // Each schema is this test's own, so that no other has its id.
    let own = topic.replace(['.', '-'], "_");
    let order_schema = format!(
        r#"{{"type":"record","name":"OrderPlaced","namespace":"{own}","fields":[{{"name":"id","type":"string"}},{{"name":"total","type":"long"}}]}}"#
    );
    let avro =
        register(&url, &format!("{topic}-value"), &serde_json::json!({"schema": order_schema}));
    let money = format!(
        r#"{{"type":"record","name":"Money","namespace":"{own}","fields":[{{"name":"amount","type":"long"}}]}}"#
    );
    register(&url, &format!("{topic}-money"), &serde_json::json!({"schema": money}));
    let paid = format!(
        r#"{{"type":"record","name":"Paid","namespace":"{own}","fields":[{{"name":"of","type":"Money"}}]}}"#
    );
    let references = serde_json::json!([{"name": format!("{own}.Money"), "subject": format!("{topic}-money"), "version": 1}]);
    let referring = register(
        &url,
        &format!("{topic}-paid"),
        &serde_json::json!({"schema": paid, "references": references}),
    );
    let proto = format!(
        "syntax = \"proto3\"; package {own}; message Shipped {{ string id = 1; int64 parcels = 2; }}"
    );
    let protobuf = register(
        &url,
        &format!("{topic}-shipped"),
        &serde_json::json!({"schema": proto, "schemaType": "PROTOBUF"}),
    );
    let json = register(
        &url,
        &format!("{topic}-noted"),
        &serde_json::json!({"schema": format!(r#"{{"$schema":"http://json-schema.org/draft-07/schema#","title":"Noted","$id":"http://acme/{own}","type":"object"}}"#), "schemaType": "JSON"}),
    );
    let producer = Producer::new(scope.brokers());
    for value in [
        wire(avro, &order(1)),
        wire(referring, &[0x0e]),
        wire(protobuf, b"\0\x0a\x03o-1\x10\x02"),
        wire(json, b"{\"a\": 1}"),
        wire(2_147_483_000, b"\x02"),
    ] {
        producer.send(&topic, Some(0), Some(b"k"), Some(&value), &[]);
    }
    producer.flush();
    let ingest = ["ingest", "--topics", &topic, "--until-end", "--schema-registry", &url];
    audit.succeed(&ingest);
    let database = Database::open(&audit.database_url);
    let rows = database.rows(
        "SELECT event_type, CASE WHEN event_type LIKE 'audit.%' THEN payload ->> 'reason' ELSE payload::text END,
                coalesce(attributes ->> 'schema_type', '-'), coalesce(attributes ->> 'schema_subject', '-')
           FROM event_logs ORDER BY kafka_offset",
    );
    let found: Vec<String> = rows.iter().map(|row| row.join(" ")).collect();
    let subject = |name: &str| format!("{topic}-{name}");
    assert_eq!(
        found,
        [
            format!(r#"OrderPlaced {{"id": "o-1", "total": 1}} AVRO {}"#, subject("value")),
            format!(r#"Paid {{"of": {{"amount": 7}}}} AVRO {}"#, subject("paid")),
            format!(r#"Shipped {{"id": "o-1", "parcels": "2"}} PROTOBUF {}"#, subject("shipped")),
            format!(r#"Noted {{"a": 1}} JSON {}"#, subject("noted")),
            "audit.Quarantined unknown_schema - -".to_owned(),
        ]
    );
    Oracle::read(&database, scope.brokers(), &[&topic]).approve();
}
