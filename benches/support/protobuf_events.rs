//! The events as messages of Protobuf, as a serialiser that knows a registry writes them.

use chrono::{DateTime, Utc};
use prost::encoding::{int32, int64, string};
use serde_json::Value;

use super::events::NativeEvent;

/// Their schema.
pub(crate) const SCHEMA: &str = r#"
syntax = "proto3";
package shop.v1;
import "google/protobuf/timestamp.proto";
message OrderEvent {
  string event_id = 1;
  string event_type = 2;
  string aggregate_id = 3;
  string source_service = 4;
  google.protobuf.Timestamp occurred_at = 5;
  string correlation_id = 6;
  optional string causation_id = 7;
  OrderData payload = 8;
}
message OrderData {
  string customer_id = 1;
  string total_amount = 2;
  string currency = 3;
}
"#;

/// One event.
#[derive(Debug)]
pub(crate) struct ProtobufEvent {
    /// The record's key: the order's id.
    pub(crate) key: String,
    /// What follows the schema's id: the index of the message, and the message.
    pub(crate) value: Vec<u8>,
}

/// The same events as these.
pub(crate) fn protobuf_events(events: &[NativeEvent]) -> Vec<ProtobufEvent> {
    let event = |event: &NativeEvent| {
        let json = serde_json::from_str(&event.value).expect("the event is JSON");
        ProtobufEvent { key: event.key.clone(), value: value(&json) }
    };
    events.iter().map(event).collect()
}

fn value(json: &Value) -> Vec<u8> {
    let mut bytes = vec![0];
    put_texts(&mut bytes, json, &["event_id", "event_type", "aggregate_id", "source_service"]);
    put_message(&mut bytes, 5, &time(&json["occurred_at"]));
    string::encode(6, &text(&json["correlation_id"]), &mut bytes);
    let mut data = Vec::new();
    put_texts(&mut data, &json["payload"], &["customer_id", "total_amount", "currency"]);
    put_message(&mut bytes, 8, &data);
    bytes
}

fn put_texts(bytes: &mut Vec<u8>, json: &Value, names: &[&str]) {
    for (number, name) in (1..).zip(names) {
        string::encode(number, &text(&json[name]), bytes);
    }
}

fn put_message(bytes: &mut Vec<u8>, number: u32, message: &Vec<u8>) {
    prost::encoding::bytes::encode(number, message, bytes);
}

fn time(json: &Value) -> Vec<u8> {
    let time: DateTime<Utc> = text(json).parse().expect("it is a time");
    let mut bytes = Vec::new();
    int64::encode(1, &time.timestamp(), &mut bytes);
    int32::encode(2, &time.timestamp_subsec_nanos().cast_signed(), &mut bytes);
    bytes
}

fn text(json: &Value) -> String {
    json.as_str().unwrap_or_default().to_owned()
}
