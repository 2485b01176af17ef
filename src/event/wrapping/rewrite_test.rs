//! What is read of values that carry their Connect schema, and that nothing else changes.

use std::borrow::Cow;

use proptest::prelude::*;

use super::connect::payload;
use crate::event::json;

/// The payload of a wrapper; `None` where it is not taken for one.
fn read(schema: &str, value: &str) -> Option<String> {
    let json = format!("{{\"schema\":{schema},\"payload\":{value}}}");
    let scan = json::scan(json.as_bytes()).expect("JSON");
    payload(&scan).map(Cow::into_owned)
}

fn named(base: &str, name: &str) -> String {
    format!(r#"{{"type":"{base}","optional":true,"name":"{name}","version":1}}"#)
}

fn decimal(scale: i32) -> String {
    format!(
        r#"{{"type":"bytes","optional":true,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{{"scale":"{scale}","connect.decimal.precision":"12"}}}}"#
    )
}

/// A schema as the field of a struct.
fn field(name: &str, schema: &str) -> String {
    format!("{},\"field\":\"{name}\"}}", schema.strip_suffix('}').expect("an object"))
}

fn of_fields(fields: &[String]) -> String {
    format!(r#"{{"type":"struct","fields":[{}],"optional":false}}"#, fields.join(","))
}

#[test]
fn every_logical_type_is_read() {
    let connect = "org.apache.kafka.connect.data";
    let debezium = "io.debezium.time";
    for (base, name, value, expected) in [
        ("int32", format!("{connect}.Date"), "20512", "\"2026-02-28\""),
        ("int32", format!("{connect}.Time"), "86399999", "\"23:59:59.999\""),
        ("int64", format!("{connect}.Timestamp"), "1795341600123", "\"2026-11-22T10:00:00.123Z\""),
        ("int32", format!("{debezium}.Date"), "20512", "\"2026-02-28\""),
        ("int32", format!("{debezium}.Time"), "36000000", "\"10:00:00\""),
        ("int64", format!("{debezium}.MicroTime"), "86399999999", "\"23:59:59.999999\""),
        ("int64", format!("{debezium}.NanoTime"), "1", "\"00:00:00.000000001\""),
        ("int64", format!("{debezium}.Timestamp"), "1795341600000", "\"2026-11-22T10:00:00Z\""),
        (
            "int64",
            format!("{debezium}.MicroTimestamp"),
            "1795341600123456",
            "\"2026-11-22T10:00:00.123456Z\"",
        ),
        (
            "int64",
            format!("{debezium}.NanoTimestamp"),
            "1795341600123456789",
            "\"2026-11-22T10:00:00.123456789Z\"",
        ),
        ("string", format!("{debezium}.IsoDate"), "\"2026-02-28Z\"", "\"2026-02-28\""),
        // Readable as they are.
        ("string", format!("{debezium}.IsoTime"), "\"10:00:00Z\"", "\"10:00:00Z\""),
        (
            "string",
            format!("{debezium}.ZonedTimestamp"),
            "\"2026-11-22T10:00:00.1Z\"",
            "\"2026-11-22T10:00:00.1Z\"",
        ),
        ("int32", format!("{debezium}.Year"), "2026", "2026"),
        ("int64", format!("{debezium}.MicroDuration"), "5", "5"),
        // Of another base than the type has, null, or not to be written.
        ("string", format!("{connect}.Date"), "\"20512\"", "\"20512\""),
        ("int32", format!("{connect}.Date"), "null", "null"),
        ("int32", format!("{connect}.Date"), "9999999", "9999999"),
        ("int32", format!("{connect}.Date"), "1.5", "1.5"),
        ("int32", format!("{connect}.Date"), "[1]", "[1]"),
        ("int64", format!("{debezium}.MicroTime"), "-1", "-1"),
    ] {
        assert_eq!(read(&named(base, &name), value).as_deref(), Some(expected), "{name} {value}");
    }
    assert_eq!(read(&decimal(2), "\"BM4=\"").as_deref(), Some("12.30"));
    // `decimal.format=NUMERIC` of Connect.
    assert_eq!(read(&decimal(2), "12.30").as_deref(), Some("12.30"));
    let variable = named("struct", "io.debezium.data.VariableScaleDecimal");
    assert_eq!(read(&variable, r#"{"scale":2,"value":"BM4="}"#).as_deref(), Some("12.30"));
    assert_eq!(read(&variable, "null").as_deref(), Some("null"));
}

#[test]
fn structs_arrays_and_maps_are_read_in_any_depth_and_all_else_stays_byte_for_byte() {
    let date = named("int32", "io.debezium.time.Date");
    let row = of_fields(&[
        field("id", r#"{"type":"int64","optional":false}"#),
        field("amount", &decimal(2)),
        field("day", &date),
    ]);
    let map = |keys: &str, values: &str| {
        format!(r#"{{"type":"map","keys":{keys},"values":{values},"optional":true}}"#)
    };
    let schema = of_fields(&[
        field("before", &row),
        field("after", &row),
        field("days", &format!(r#"{{"type":"array","items":{date}}}"#)),
        field("named", &map(r#"{"type":"string"}"#, &decimal(0))),
        field("pairs", &map(&date, &row)),
        field("a\\\"b", &date),
    ]);
    let value = r#"{ "before": null,
        "after": {"amount" : "BM4=", "id":1E2, "day":20512 , "more":{"amount":"BM4="}},
        "days":[ 20512, null,20513 ],
        "named":{"x":"BM4=","y":null},
        "pairs":[[20512,{"amount":"BM4=","id":1.50}],[null,null]],
        "a\"b":20512, "text":"\"amount\":\"BM4=\" \\", "id":-0 }"#;
    let expected = r#"{ "before": null,
        "after": {"amount" : 12.30, "id":1E2, "day":"2026-02-28" , "more":{"amount":"BM4="}},
        "days":[ "2026-02-28", null,"2026-03-01" ],
        "named":{"x":1230,"y":null},
        "pairs":[["2026-02-28",{"amount":12.30,"id":1.50}],[null,null]],
        "a\"b":"2026-02-28", "text":"\"amount\":\"BM4=\" \\", "id":-0 }"#;
    assert_eq!(read(&schema, value).as_deref(), Some(expected));
}

#[test]
fn only_connect_s_own_wrapper_is_one() {
    for schema in ["null", r#"{"type":"int64"}"#, r#"{"type":"struct","fields":[]}"#] {
        assert_eq!(read(schema, " {\"a\": 1} ").as_deref(), Some("{\"a\": 1}"), "{schema}");
    }
    for schema in ["\"v1\"", "1", "[]", "{}", r#"{"type":"object"}"#, r#"{"type":["null"]}"#] {
        assert_eq!(read(schema, "1"), None, "{schema}");
    }
    // A schema that cannot be read leaves the payload as it is.
    let broken = r#"{"type":"struct","fields":7,"name":"io.debezium.time.Date"}"#;
    assert_eq!(read(broken, "20512").as_deref(), Some("20512"));
    let scan = json::scan(br#"{"schema":null,"payload":1,"other":2}"#).expect("JSON");
    assert_eq!(payload(&scan), None);
}

/// Any JSON, with the names that the schema has.
fn value() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        Just("null".to_owned()),
        Just("\"BM4=\"".to_owned()),
        "-?(0|[1-9][0-9]{0,5})(\\.[0-9]{1,3})?",
        r#""(\\["\\/bn]|[a-c{}\[\],: ]){0,6}""#,
    ];
    scalar.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5)
                .prop_map(|elements| format!("[ {} ]", elements.join(" , "))),
            prop::collection::vec(("[abc]", inner), 0..5).prop_map(|members| {
                let members: Vec<_> =
                    members.iter().map(|(name, value)| format!("\"{name}\" : {value}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

/// A schema of a few levels.
fn schema() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        Just(decimal(2)),
        Just(named("int32", "io.debezium.time.Date")),
        Just(r#"{"type":"int64"}"#.to_owned()),
    ];
    scalar.prop_recursive(3, 16, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|items| format!(r#"{{"type":"array","items":{items}}}"#)),
            (inner.clone(), inner.clone()).prop_map(|(keys, values)| format!(
                r#"{{"type":"map","keys":{keys},"values":{values}}}"#
            )),
            inner.clone().prop_map(|values| format!(
                r#"{{"type":"map","keys":{{"type":"string"}},"values":{values}}}"#
            )),
            prop::collection::vec(("[abc]", inner), 0..3).prop_map(|fields| {
                let fields: Vec<_> =
                    fields.iter().map(|(name, schema)| field(name, schema)).collect();
                of_fields(&fields)
            }),
        ]
    })
}

/// Whether two JSON texts differ in nothing but values of logical types.
fn agree(before: &serde_json::Value, after: &serde_json::Value) -> bool {
    use serde_json::Value::{Array, Object};
    match (before, after) {
        (Array(before), Array(after)) => {
            before.len() == after.len() && before.iter().zip(after).all(|(a, b)| agree(a, b))
        }
        (Object(before), Object(after)) => {
            before.len() == after.len()
                && before.iter().zip(after).all(|(a, b)| a.0 == b.0 && agree(a.1, b.1))
        }
        (before, after) => {
            before == after
                || (before == "BM4=" && *after == serde_json::json!(12.30))
                || (before.is_number() && after.as_str().is_some_and(|text| text.len() == 10))
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn of_any_value_under_any_schema_only_values_of_logical_types_change(
        schema in schema(),
        value in value(),
    ) {
        let read = read(&schema, &value).expect("a wrapper");
        prop_assert!(json::scan(read.as_bytes()).is_ok(), "{}", read);
        let parse = |json: &str| serde_json::from_str::<serde_json::Value>(json).expect("JSON");
        prop_assert!(agree(&parse(&value), &parse(&read)), "{value}\nbecame\n{read}");
    }
}
