//! What becomes of records that a schema describes.

use std::sync::Arc;

use super::json::compact;
use super::{
    Decoder, Format, Header, Reason, Record, RecordSchema, SchemaType, Unpacked, UnpackedKey,
    UnpackedValue, Unreadable,
};
use crate::time::UnixMicros;

const NOW: UnixMicros = UnixMicros(1_795_341_600_000_000);

fn unpacked(name: &str, json: Result<&str, Unreadable>) -> Unpacked {
    let schema = RecordSchema {
        id: Some(7),
        schema_type: Some(SchemaType::Avro),
        subject: Some(Arc::from("shop.orders-value")),
        name: Some(Arc::from(name)),
    };
    let json = json.map(str::to_owned);
    Unpacked { value: Some(UnpackedValue { schema, json, unknown_fields: vec![] }), key: None }
}

/// Format, reason, type, aggregate, payload and attributes of a record in wire format.
#[track_caller]
fn row(unpacked: &Unpacked, headers: &[Header<'_>]) -> String {
    let record = Record {
        cluster_id: "cluster",
        topic: "shop.orders",
        partition: 0,
        offset: 7,
        timestamp_ms: Some(1_795_341_600_000),
        key: Some(b"\0\0\0\0\x08\x02A"),
        value: Some(b"\0\0\0\0\x07\x02A"),
        headers,
    };
    let decoded = Decoder::default().decode(&record, unpacked, NOW);
    let event = decoded.event;
    format!(
        "{}, {:?}\n{}\n{:?}\n{}\n{}",
        decoded.format,
        decoded.reason,
        event.event_type,
        event.aggregate_id.map(|id| id.to_string()),
        compact(&event.payload),
        compact(&event.attributes),
    )
}

#[test]
fn json_of_a_schema_passes_through_the_decoders_like_other_json() {
    let change = r#"{"before":null,"after":{"id":4711,"amount":12.30},"source":{"name":"shop","table":"orders"},"op":"c","ts_ms":1795341600000}"#;
    insta::assert_snapshot!(row(&unpacked("shop.public.orders.Envelope", Ok(change)), &[]), @r#"
    Debezium change envelope, None
    orders.created
    Some("219e93a3-dcdc-5d25-b891-89b0e5af1ceb")
    {"before":null,"after":{"id":4711,"amount":12.30}}
    {"key":{"base64":"AAAAAAgCQQ=="},"schema_id":7,"schema_subject":"shop.orders-value","schema_type":"AVRO","schema_name":"shop.public.orders.Envelope","envelope":{"source":{"name":"shop","table":"orders"},"op":"c","ts_ms":1795341600000}}
    "#);
}

#[test]
fn a_record_that_no_header_names_is_of_the_type_that_its_schema_is_named() {
    let named = |name: &str, headers: &[Header<'_>]| {
        let row = row(&unpacked(name, Ok("{\"a\":1}")), headers);
        row.lines().nth(1).map(str::to_owned)
    };
    assert_eq!(named("com.acme.shop.OrderPlaced", &[]).as_deref(), Some("OrderPlaced"));
    assert_eq!(named("OrderPlaced", &[]).as_deref(), Some("OrderPlaced"));
    assert_eq!(named("", &[]).as_deref(), Some("UnknownEvent"));
    let header = Header { name: b"event_type", value: Some(b"OrderChanged") };
    assert_eq!(named("com.acme.shop.OrderPlaced", &[header]).as_deref(), Some("OrderChanged"));
}

#[test]
fn in_binary_mode_the_schema_decides_whatever_the_content_type_says() {
    let header = |name: &'static str, value: &'static str| Header {
        name: name.as_bytes(),
        value: Some(value.as_bytes()),
    };
    let headers = [
        header("ce_type", "OrderPlaced"),
        header("ce_id", "1"),
        header("content-type", "application/avro"),
    ];
    let row = row(&unpacked("com.acme.Order", Ok("{\"total\":12.30}")), &headers);
    let lines: Vec<&str> = row.lines().collect();
    assert_eq!(lines[..2], ["CloudEvents, binary mode, None", "OrderPlaced"]);
    assert_eq!(lines[3], "{\"total\":12.30}");
}

#[test]
fn an_event_in_a_schema_of_cloud_events_is_one_of_the_structured_mode() {
    let event = r#"{"id":"1","source":"/shop","spec_version":"1.0","type":"OrderPlaced","attributes":{"subject":{"ce_string":"o-1"}},"text_data":"{\"total\":12.30}"}"#;
    let row = row(&unpacked("io.cloudevents.v1.CloudEvent", Ok(event)), &[]);
    let lines: Vec<&str> = row.lines().collect();
    assert_eq!(lines[..2], ["CloudEvents, structured mode, None", "OrderPlaced"]);
    assert_eq!(lines[3], "{\"total\":12.30}");
    assert!(lines[4].contains(r#""specversion":"1.0""#), "{row}");
    assert!(lines[4].contains(r#""schema_name":"io.cloudevents.v1.CloudEvent""#), "{row}");
}

#[test]
fn what_its_schema_cannot_read_is_quarantined_with_the_schema_and_the_bytes() {
    let refused = Unreadable {
        reason: Reason::SchemaMismatch,
        detail: "the bytes end within total (byte 2)".to_owned(),
    };
    insta::assert_snapshot!(row(&unpacked("com.acme.Order", Err(refused)), &[]), @r#"
    quarantined, Some(SchemaMismatch)
    audit.Quarantined
    Some("219e93a3-dcdc-5d25-b891-89b0e5af1ceb")
    {"reason":"schema_mismatch","detail":"the bytes end within total (byte 2)","value_base64":"AAAAAAcCQQ==","key_base64":"AAAAAAgCQQ==","schema_id":7}
    {"key":{"base64":"AAAAAAgCQQ=="},"schema_id":7,"schema_subject":"shop.orders-value","schema_type":"AVRO","schema_name":"com.acme.Order","created_at_from":"kafka_timestamp"}
    "#);
}

#[test]
fn json_of_a_schema_that_jsonb_cannot_hold_is_quarantined_as_other_json_is() {
    let row = row(&unpacked("com.acme.Order", Ok(r#"{"note":"a\u0000b"}"#)), &[]);
    let lines: Vec<&str> = row.lines().collect();
    assert_eq!(lines[0], "quarantined, Some(NulEscape)");
    assert!(lines[3].contains(r#""value_base64":"AAAAAAcCQQ==""#), "{row}");
    assert!(lines[3].contains(r#""schema_id":7"#), "{row}");
}

#[test]
fn a_key_that_a_schema_describes_is_the_aggregate_and_readable_in_the_attributes() {
    let key = UnpackedKey { schema_id: Some(8), text: "order-4711".to_owned() };
    let unpacked = Unpacked { key: Some(key), ..unpacked("com.acme.Order", Ok("{}")) };
    let row = row(&unpacked, &[]);
    let aggregate = super::aggregate_uuid(b"order-4711");
    assert!(row.contains(&aggregate.to_string()), "{row}");
    assert!(row.contains(r#"{"key":"order-4711","schema_id":7"#), "{row}");
    assert!(row.contains(r#""key_schema_id":8"#), "{row}");
}

#[test]
fn fields_that_the_schema_does_not_have_are_kept_by_their_place() {
    let mut unpacked = unpacked("acme.Order", Ok("{}"));
    if let Some(value) = &mut unpacked.value {
        value.unknown_fields = vec![
            (String::new(), vec![0x08, 1]),
            ("lines[\"a\"]".to_owned(), vec![0x10, 2]),
            ("lines[\"a\"]".to_owned(), vec![0x18, 3]),
        ];
    }
    let row = row(&unpacked, &[]);
    let kept = r#""unknown_fields":"CAE=","unknown_fields_within":{"lines[\"a\"]":"EAIYAw=="}"#;
    assert!(row.contains(kept), "{row}");
}

#[test]
fn a_tombstone_keeps_its_key_readable() {
    let key = UnpackedKey { schema_id: Some(8), text: "order-4711".to_owned() };
    let unpacked = Unpacked { value: None, key: Some(key) };
    let record = Record {
        cluster_id: "cluster",
        topic: "shop.orders",
        partition: 0,
        offset: 7,
        timestamp_ms: Some(1_795_341_600_000),
        key: Some(b"\0\0\0\0\x08\x14order-4711"),
        value: None,
        headers: &[],
    };
    let decoded = Decoder::default().decode(&record, &unpacked, NOW);
    assert_eq!(decoded.format, Format::Tombstone);
    assert_eq!(decoded.event.aggregate_id, Some(super::aggregate_uuid(b"order-4711")));
    assert!(decoded.event.attributes.contains(r#""key":"order-4711""#));
}
