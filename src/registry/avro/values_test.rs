//! The exact JSON of every type and logical type.

use super::AvroSchema;
use crate::event::Reason;

/// Bytes of a number in Avro.
pub(super) fn long(value: i64) -> Vec<u8> {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    let mut bytes = Vec::new();
    loop {
        let low = (rest & 0x7F) as u8;
        rest >>= 7;
        if rest == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

/// Bytes behind their length.
pub(super) fn bytes(content: &[u8]) -> Vec<u8> {
    [long(content.len() as i64), content.to_vec()].concat()
}

/// The JSON of a value.
fn json(schema: &str, value: &[u8]) -> String {
    let schema = AvroSchema::parse(schema, &[]).expect("a schema");
    schema.read(value).expect("a value").json
}

/// A record of one field, so that its bytes have a length in front.
fn field(schema: &str) -> String {
    format!(r#"{{"type":"record","name":"R","fields":[{{"name":"x","type":{schema}}}]}}"#)
}

/// The JSON of a value that is the only field of a record.
fn inside(schema: &str, value: &[u8]) -> String {
    let json = json(&field(schema), value);
    json.strip_prefix("{\"x\":").and_then(|json| json.strip_suffix('}')).expect("a record").into()
}

fn reason(schema: &str, value: &[u8]) -> Option<Reason> {
    let schema = AvroSchema::parse(schema, &[]).expect("a schema");
    schema.read(value).err().map(|refused| refused.reason)
}

#[test]
fn types_of_avro_are_json() {
    for (schema, value, expected) in [
        ("null", vec![], "null"),
        ("boolean", vec![0], "false"),
        ("boolean", vec![1], "true"),
        ("int", long(i32::MIN.into()), "-2147483648"),
        ("long", long(i64::MAX), "9223372036854775807"),
        ("long", long(i64::MIN), "-9223372036854775808"),
        ("float", 0.1_f32.to_le_bytes().to_vec(), "0.1"),
        ("float", 16_777_216_f32.to_le_bytes().to_vec(), "16777216.0"),
        ("float", f32::NAN.to_le_bytes().to_vec(), "\"NaN\""),
        ("double", 0.1_f64.to_le_bytes().to_vec(), "0.1"),
        ("double", f64::INFINITY.to_le_bytes().to_vec(), "\"Infinity\""),
        ("double", f64::NEG_INFINITY.to_le_bytes().to_vec(), "\"-Infinity\""),
        ("double", 5e-324_f64.to_le_bytes().to_vec(), "5e-324"),
        ("string", bytes("a\"\n\u{1}é😀".as_bytes()), r#""a\"\n\u0001é😀""#),
        // NUL is refused behind this, as in any JSON.
        ("string", bytes(b"\0"), r#""\u0000""#),
        ("string", bytes(b""), "\"\""),
    ] {
        assert_eq!(json(&format!("\"{schema}\""), &value), expected, "{schema}");
        assert_eq!(inside(&format!("\"{schema}\""), &value), expected, "{schema}");
        let object = format!(r#"{{"type":{{"type":"{schema}","doc":"x"}}}}"#);
        assert_eq!(json(&object, &value), expected, "{schema}");
    }
    assert_eq!(json("string", &bytes(b"a")), "\"a\"");
    assert_eq!(inside("\"bytes\"", &bytes(b"\xFF\xFE")), "\"//4=\"");
    let fixed = r#"{"type":"fixed","name":"F","size":3}"#;
    assert_eq!(json(fixed, b"\xFF\xFE\0"), "\"//4A\"");
    assert_eq!(json(r#"{"type":"fixed","name":"F","size":0}"#, b""), "\"\"");
    let words = r#"{"type":"enum","name":"E","symbols":["A","B\"C"]}"#;
    assert_eq!(json(words, &long(1)), r#""B\"C""#);
}

#[test]
fn bytes_at_the_top_are_all_that_there_are() {
    assert_eq!(json("\"bytes\"", b"\x02abc"), "\"AmFiYw==\"");
    assert_eq!(json("\"bytes\"", b""), "\"\"");
    let decimal = r#"{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}"#;
    assert_eq!(json(decimal, &[0x04, 0xCE]), "12.30");
    // Within a union they have a length again.
    assert_eq!(json(r#"["null","bytes"]"#, &[2, 4, 97, 98]), "\"YWI=\"");
}

#[test]
fn arrays_maps_and_records_are_arrays_and_objects() {
    let array = r#"{"type":"array","items":"int"}"#;
    assert_eq!(json(array, &[0]), "[]");
    assert_eq!(json(array, &[4, 2, 4, 2, 6, 0]), "[1,2,3]");
    // The second form of a block has its length in bytes.
    assert_eq!(json(array, &[3, 4, 2, 4, 2, 6, 0]), "[1,2,3]");
    let map = r#"{"type":"map","values":"boolean"}"#;
    assert_eq!(json(map, &[0]), "{}");
    let repeated = [vec![4], bytes(b"a"), vec![1], bytes(b"a\n"), vec![0], vec![0]].concat();
    assert_eq!(json(map, &repeated), r#"{"a":true,"a\n":false}"#);
    let same = [vec![1, 6], bytes(b"a"), vec![1], vec![2], bytes(b"a"), vec![0], vec![0]].concat();
    assert_eq!(json(map, &same), r#"{"a":true,"a":false}"#);
    let nothing = r#"{"type":"record","name":"R","fields":[]}"#;
    assert_eq!(json(nothing, &[]), "{}");
    let nothings = format!(r#"{{"type":"array","items":{nothing}}}"#);
    assert_eq!(json(&nothings, &[6, 0]), "[{},{},{}]");
    assert_eq!(json(r#"{"type":"array","items":"null"}"#, &[4, 0]), "[null,null]");
    let error = r#"{"type":"error","name":"E","fields":[{"name":"a\"b","type":"int"},{"name":"c","type":{"type":"map","values":{"type":"array","items":"long"}}}]}"#;
    let value = [vec![2, 2], bytes(b"k"), vec![2, 8, 0, 0]].concat();
    assert_eq!(json(error, &value), r#"{"a\"b":1,"c":{"k":[4]}}"#);
}

#[test]
fn a_union_is_its_value() {
    let union = r#"["null",{"type":"array","items":["string","int",{"type":"record","name":"R","fields":[{"name":"x","type":["null","R","double"]}]}]}]"#;
    assert_eq!(json(union, &[0]), "null");
    let inner = [vec![2, 10], vec![0], bytes(b"a"), vec![2, 8], vec![4, 0], vec![4, 2, 0]].concat();
    let value = [inner, vec![4, 4], 1.5_f64.to_le_bytes().to_vec(), vec![0]].concat();
    assert_eq!(json(union, &value), r#"["a",4,{"x":null},{"x":{"x":null}},{"x":1.5}]"#);
}

#[test]
fn times_have_as_many_digits_as_their_type_counts() {
    let millis = 1_795_341_600_123;
    for (base, logical_type, value, expected) in [
        ("int", "date", 20_779, "\"2026-11-22\""),
        ("int", "date", -719_529, "-719529"),
        ("int", "date", i32::MAX.into(), "2147483647"),
        ("int", "time-millis", 36_000_123, "\"10:00:00.123\""),
        ("int", "time-millis", -1, "-1"),
        ("long", "time-micros", 36_000_123_000, "\"10:00:00.123000\""),
        ("long", "time-micros", 86_400_000_000, "86400000000"),
        ("long", "timestamp-millis", millis, "\"2026-11-22T10:00:00.123Z\""),
        ("long", "timestamp-millis", 0, "\"1970-01-01T00:00:00.000Z\""),
        ("long", "timestamp-millis", -1, "\"1969-12-31T23:59:59.999Z\""),
        ("long", "timestamp-millis", 253_402_300_800_000, "253402300800000"),
        ("long", "timestamp-micros", millis * 1_000 + 456, "\"2026-11-22T10:00:00.123456Z\""),
        ("long", "timestamp-micros", i64::MIN, "-9223372036854775808"),
        ("long", "timestamp-nanos", millis * 1_000_000, "\"2026-11-22T10:00:00.123000000Z\""),
        ("long", "local-timestamp-millis", millis, "\"2026-11-22T10:00:00.123\""),
        ("long", "local-timestamp-micros", millis * 1_000, "\"2026-11-22T10:00:00.123000\""),
        ("long", "local-timestamp-nanos", 1, "\"1970-01-01T00:00:00.000000001\""),
        // Of another type than theirs, and unknown ones: ignored.
        ("long", "date", 20_779, "20779"),
        ("long", "time-millis", 1, "1"),
        ("int", "timestamp-millis", 1, "1"),
        ("long", "fortnight", 1, "1"),
    ] {
        let schema = format!(r#"{{"type":"{base}","logicalType":"{logical_type}"}}"#);
        assert_eq!(json(&schema, &long(value)), expected, "{schema}");
        let union = format!(r#"["null",{schema}]"#);
        assert_eq!(json(&union, &[vec![2], long(value)].concat()), expected, "{union}");
    }
}

#[test]
fn durations_and_uuids_are_text() {
    let duration = r#"{"type":"fixed","name":"D","size":12,"logicalType":"duration"}"#;
    let value = [1_u32, 2, 3_004].map(u32::to_le_bytes).concat();
    assert_eq!(json(duration, &value), "\"P1M2DT3.004S\"");
    let id = "01939c2e-8f5a-7c3e-9d41-5a0f2b7c6d10";
    let text = r#"{"type":"string","logicalType":"uuid"}"#;
    assert_eq!(json(text, &bytes(id.as_bytes())), format!("\"{id}\""));
    assert_eq!(json(text, &bytes(b"no id")), "\"no id\"");
    let fixed = r#"{"type":"fixed","name":"U","size":16,"logicalType":"uuid"}"#;
    let raw = uuid::Uuid::parse_str(id).expect("an id").into_bytes();
    assert_eq!(json(fixed, &raw), format!("\"{id}\""));
    // Of another length: bytes.
    let short = r#"{"type":"fixed","name":"U","size":2,"logicalType":"uuid"}"#;
    assert_eq!(json(short, &[1, 2]), "\"AQI=\"");
    let short = r#"{"type":"fixed","name":"U","size":2,"logicalType":"duration"}"#;
    assert_eq!(json(short, &[1, 2]), "\"AQI=\"");
}

#[test]
fn decimals_are_exact_numbers() {
    let decimal = r#"{"type":"bytes","logicalType":"decimal","precision":60,"scale":2}"#;
    for (number, expected) in [
        (&[0x04, 0xCE][..], "12.30"),
        (&[0], "0.00"),
        (&[0xFF], "-0.01"),
        (&[0x80], "-1.28"),
        (&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80], "1.28"),
        (&[0x80, 0, 0, 0, 0, 0, 0, 0], "-92233720368547758.08"),
        (&[1, 0, 0, 0, 0, 0, 0, 0, 0], "184467440737095516.16"),
        (&[0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], "-184467440737095516.17"),
    ] {
        assert_eq!(inside(decimal, &bytes(number)), expected, "{number:?}");
    }
    let whole = r#"{"type":"bytes","logicalType":"decimal","precision":3}"#;
    assert_eq!(inside(whole, &bytes(&[0x04, 0xCE])), "1230");
    let fixed = |precision: u32| {
        format!(
            r#"{{"type":"fixed","name":"F","size":4,"logicalType":"decimal","precision":{precision},"scale":9}}"#
        )
    };
    assert_eq!(json(&fixed(9), &[0xFF, 0xFF, 0xFF, 0xFE]), "-0.000000002");
    // More digits than four bytes have: no decimal, as in Java.
    assert_eq!(json(&fixed(10), &[0xFF, 0xFF, 0xFF, 0xFE]), "\"/////g==\"");
    for attributes in [
        r#""precision":0"#,
        r#""precision":2,"scale":3"#,
        r#""precision":2,"scale":-1"#,
        r#""precision":"2""#,
        r#""precision":2.5"#,
        r#""scale":2"#,
    ] {
        let schema = format!(r#"{{"type":"bytes","logicalType":"decimal",{attributes}}}"#);
        assert_eq!(inside(&schema, &bytes(&[1])), "\"AQ==\"", "{attributes}");
    }
}

#[test]
fn decimals_that_numeric_cannot_hold_are_refused() {
    let decimal = field(r#"{"type":"bytes","logicalType":"decimal","precision":60,"scale":2}"#);
    assert!(json(&decimal, &bytes(&[1; 1_024])).len() > 2_400);
    assert_eq!(reason(&decimal, &bytes(&[1; 1_025])), Some(Reason::NumberOutOfRange));
    assert_eq!(reason(&decimal, &bytes(&[])), Some(Reason::SchemaMismatch));
    let scale = |scale: u32| {
        let precision = r#""logicalType":"decimal","precision":99999"#;
        field(&format!(r#"{{"type":"bytes",{precision},"scale":{scale}}}"#))
    };
    assert!(json(&scale(16_383), &bytes(&[1])).ends_with("0001}"));
    assert_eq!(reason(&scale(16_384), &bytes(&[1])), Some(Reason::NumberOutOfRange));
}

#[test]
fn big_decimals_have_their_scale_beside_them() {
    let schema = r#"{"type":"bytes","logicalType":"big-decimal"}"#;
    let value = |number: &[u8], scale| bytes(&[bytes(number), long(scale)].concat());
    assert_eq!(inside(schema, &value(&[0x04, 0xCE], 2)), "12.30");
    assert_eq!(inside(schema, &value(&[0xFF], -3)), "-1000");
    assert_eq!(inside(schema, &value(&[1], -131_071)).len(), 131_072);
    let schema = field(schema);
    for scale in [16_384, -131_072, i64::from(i32::MIN), i64::MAX] {
        assert_eq!(reason(&schema, &value(&[1], scale)), Some(Reason::NumberOutOfRange));
    }
    for broken in [&[][..], &[2], &[2, 1], &[2, 1, 0, 0], &[0, 0], &[1, 0]] {
        assert_eq!(reason(&schema, &bytes(broken)), Some(Reason::SchemaMismatch), "{broken:?}");
    }
}

#[test]
fn types_of_connect_and_debezium_become_what_their_json_becomes() {
    let connect = "org.apache.kafka.connect.data";
    let debezium = "io.debezium.time";
    for (base, name, value, expected) in [
        ("int", format!("{connect}.Date"), 20_512, "\"2026-02-28\""),
        ("int", format!("{connect}.Time"), 86_399_999, "\"23:59:59.999\""),
        ("long", format!("{connect}.Timestamp"), 1_795_341_600_120, "\"2026-11-22T10:00:00.12Z\""),
        ("int", format!("{debezium}.Date"), 20_512, "\"2026-02-28\""),
        ("int", format!("{debezium}.Time"), 36_000_000, "\"10:00:00\""),
        ("long", format!("{debezium}.MicroTime"), 86_399_999_999, "\"23:59:59.999999\""),
        ("long", format!("{debezium}.NanoTime"), 1, "\"00:00:00.000000001\""),
        ("long", format!("{debezium}.Timestamp"), 1_795_341_600_000, "\"2026-11-22T10:00:00Z\""),
        ("long", format!("{debezium}.MicroTimestamp"), 1_500_000, "\"1970-01-01T00:00:01.5Z\""),
        ("long", format!("{debezium}.NanoTimestamp"), 1, "\"1970-01-01T00:00:00.000000001Z\""),
        ("int", format!("{debezium}.Year"), 2026, "2026"),
        // Not to be written, or of another base.
        ("long", format!("{debezium}.MicroTime"), -1, "-1"),
        ("long", format!("{debezium}.Date"), 1, "1"),
    ] {
        // Connect writes the logical type of Avro beside its own.
        let schema = format!(
            r#"["null",{{"type":"{base}","connect.version":1,"connect.name":"{name}","logicalType":"timestamp-millis"}}]"#
        );
        let expected = match name.as_str() {
            "io.debezium.time.Date" if base == "long" => "\"1970-01-01T00:00:00.001Z\"",
            _ => expected,
        };
        assert_eq!(json(&schema, &[vec![2], long(value)].concat()), expected, "{schema}");
    }
    let iso_date = r#"{"type":"string","connect.name":"io.debezium.time.IsoDate"}"#;
    assert_eq!(json(iso_date, &bytes(b"2026-02-28Z")), "\"2026-02-28\"");
    assert_eq!(json(iso_date, &bytes(b"2026-02-28")), "\"2026-02-28\"");
    let zoned = r#"{"type":"string","connect.name":"io.debezium.time.ZonedTimestamp"}"#;
    assert_eq!(json(zoned, &bytes(b"2026-11-22T10:00:00.1Z")), "\"2026-11-22T10:00:00.1Z\"");
}

#[test]
fn decimals_of_connect_and_debezium_are_exact_numbers() {
    let decimal = r#"{"type":"bytes","scale":2,"precision":10,"connect.version":1,"connect.parameters":{"scale":"2","connect.decimal.precision":"10"},"connect.name":"org.apache.kafka.connect.data.Decimal","logicalType":"decimal"}"#;
    assert_eq!(inside(decimal, &bytes(&[0x04, 0xCE])), "12.30");
    // Avro has no negative scale, Connect has.
    let negative = decimal.replace("\"scale\":2", "\"scale\":-2").replace("\"2\"", "\"-2\"");
    assert_eq!(inside(&negative, &bytes(&[3])), "300");
    let bare =
        r#"{"type":"bytes","scale":1,"connect.name":"org.apache.kafka.connect.data.Decimal"}"#;
    assert_eq!(inside(bare, &bytes(&[3])), "0.3");
    let variable = |first: &str, second: &str| {
        format!(
            r#"{{"type":"record","name":"VariableScaleDecimal","namespace":"io.debezium.data","fields":[{first},{second}],"connect.doc":"x","connect.version":1,"connect.name":"io.debezium.data.VariableScaleDecimal"}}"#
        )
    };
    let scale = r#"{"name":"scale","type":"int"}"#;
    let value = r#"{"name":"value","type":"bytes"}"#;
    assert_eq!(json(&variable(scale, value), &[4, 4, 0x04, 0xCE]), "12.30");
    assert_eq!(json(&variable(value, scale), &[4, 0x04, 0xCE, 4]), "12.30");
    let other = r#"{"name":"value","type":["null","bytes"]}"#;
    assert_eq!(json(&variable(scale, other), &[4, 0]), r#"{"scale":2,"value":null}"#);
    // A use by name is the same type.
    let pair = format!(
        r#"{{"type":"record","name":"P","fields":[{{"name":"a","type":{}}},{{"name":"b","type":["null","io.debezium.data.VariableScaleDecimal"]}}]}}"#,
        variable(scale, value)
    );
    assert_eq!(json(&pair, &[0, 2, 5, 2, 1, 2, 7]), r#"{"a":5,"b":0.7}"#.replace("0.7", "70"));
}

#[test]
fn a_value_has_the_name_of_its_record_or_of_its_branch() {
    let record = |name: &str| {
        format!(r#"{{"type":"record","name":"{name}","namespace":"com.shop","fields":[]}}"#)
    };
    let schema = AvroSchema::parse(&record("OrderCreated"), &[]).expect("a schema");
    assert_eq!(schema.name(), Some("com.shop.OrderCreated"));
    assert_eq!(schema.read(&[]).expect("a value").name.as_deref(), Some("com.shop.OrderCreated"));
    let references = [record("OrderCreated"), record("OrderPaid")];
    let union = r#"["null","string","com.shop.OrderCreated","com.shop.OrderPaid"]"#;
    let schema = AvroSchema::parse(union, &references).expect("a schema");
    assert_eq!(schema.name(), None);
    for (value, name) in [
        (vec![0], None),
        (vec![2, 0], None),
        (vec![4], Some("com.shop.OrderCreated")),
        (vec![6], Some("com.shop.OrderPaid")),
    ] {
        assert_eq!(schema.read(&value).expect("a value").name.as_deref(), name);
    }
}
