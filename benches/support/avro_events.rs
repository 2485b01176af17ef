//! The events of `events` in Avro, about 300 bytes each: with lines, and with times and amounts of
//! their logical types.

use apache_avro::schema::Schema;
use apache_avro::types::Value;
use apache_avro::writer::datum::GenericDatumWriter;
use apache_avro::{Decimal, Uuid};
use chrono::DateTime;

use super::events::NativeEvent;

/// The schema of all of them.
pub(crate) const SCHEMA: &str = r#"{"type":"record","name":"OrderEvent","namespace":"shop","fields":[
    {"name":"event_id","type":{"type":"string","logicalType":"uuid"}},
    {"name":"event_type","type":"string"},
    {"name":"aggregate_id","type":{"type":"string","logicalType":"uuid"}},
    {"name":"source_service","type":"string"},
    {"name":"occurred_at","type":{"type":"long","logicalType":"timestamp-micros"}},
    {"name":"correlation_id","type":["null",{"type":"string","logicalType":"uuid"}],"default":null},
    {"name":"causation_id","type":["null",{"type":"string","logicalType":"uuid"}],"default":null},
    {"name":"payload","type":{"type":"record","name":"Order","fields":[
        {"name":"customer_id","type":"string"},
        {"name":"total_amount","type":{"type":"bytes","logicalType":"decimal","precision":12,"scale":2}},
        {"name":"currency","type":{"type":"enum","name":"Currency","symbols":["EUR","USD","GBP"]}},
        {"name":"ordered_at","type":{"type":"long","logicalType":"timestamp-millis"}},
        {"name":"ships_on","type":["null",{"type":"int","logicalType":"date"}]},
        {"name":"lines","type":{"type":"array","items":{"type":"record","name":"Line","fields":[
            {"name":"sku","type":"string"},
            {"name":"quantity","type":"int"},
            {"name":"price","type":{"type":"bytes","logicalType":"decimal","precision":12,"scale":2}}]}}},
        {"name":"address","type":["null","string"]}]}}]}"#;

/// An event.
#[derive(Debug)]
pub(crate) struct AvroEvent {
    /// The record's key: the order's id.
    pub(crate) key: String,
    /// What follows the schema's id in the record's value.
    pub(crate) value: Vec<u8>,
}

/// The same events in Avro.
pub(crate) fn avro_events(events: &[NativeEvent]) -> Vec<AvroEvent> {
    let schema = Schema::parse_str(SCHEMA).expect("a schema");
    let writer = GenericDatumWriter::builder(&schema).build().expect("a writer");
    let encode = |event: &NativeEvent| AvroEvent {
        key: event.key.clone(),
        value: writer.write_value_to_vec(avro_value(event)).expect("a value of the schema"),
    };
    events.iter().map(encode).collect()
}

fn avro_value(event: &NativeEvent) -> Value {
    let json: serde_json::Value = serde_json::from_str(&event.value).expect("JSON");
    let text = |pointer: &str| json.pointer(pointer).and_then(|text| text.as_str()).expect("text");
    let id = |pointer: &str| Value::Uuid(Uuid::parse_str(text(pointer)).expect("an id"));
    let string = |pointer: &str| Value::String(text(pointer).to_owned());
    let occurred_at = DateTime::parse_from_rfc3339(text("/occurred_at")).expect("a time");
    let currency = text("/payload/currency");
    let symbol = ["EUR", "USD", "GBP"].iter().position(|known| *known == currency);
    let cents: i64 = text("/payload/total_amount").replace('.', "").parse().expect("an amount");
    let amount = |cents: i64| Value::Decimal(Decimal::from(cents.to_be_bytes()));
    let line = |number: i64| {
        record([
            ("sku", Value::String(format!("SKU-{:08}", cents * number))),
            ("quantity", Value::Int(number as i32)),
            ("price", amount(cents / number)),
        ])
    };
    let payload = record([
        ("customer_id", string("/payload/customer_id")),
        ("total_amount", amount(cents)),
        ("currency", Value::Enum(symbol.expect("a symbol") as u32, currency.to_owned())),
        ("ordered_at", Value::TimestampMillis(occurred_at.timestamp_millis())),
        ("ships_on", some(Value::Date((occurred_at.timestamp() / 86_400) as i32 + 3))),
        ("lines", Value::Array((1..4).map(line).collect())),
        ("address", some(Value::String("Carl-Straße 17, 10115 Berlin, second courtyard".into()))),
    ]);
    record([
        ("event_id", id("/event_id")),
        ("event_type", string("/event_type")),
        ("aggregate_id", id("/aggregate_id")),
        ("source_service", string("/source_service")),
        ("occurred_at", Value::TimestampMicros(occurred_at.timestamp_micros())),
        ("correlation_id", some(id("/correlation_id"))),
        ("causation_id", Value::Union(0, Value::Null.into())),
        ("payload", payload),
    ])
}

fn some(value: Value) -> Value {
    Value::Union(1, value.into())
}

fn record<const FIELDS: usize>(fields: [(&str, Value); FIELDS]) -> Value {
    Value::Record(fields.map(|(name, value)| (name.to_owned(), value)).into())
}
