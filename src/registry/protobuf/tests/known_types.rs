//! Messages that have a form of their own.

use super::bytes::{bytes, entry, fixed32, fixed64, varint};
use super::{json, message};

const TYPES: &str = r#"
syntax = "proto3";
package shop;
import "google/protobuf/any.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/empty.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
import "confluent/type/decimal.proto";
import "google/type/money.proto";
message Types {
  google.protobuf.Timestamp at = 1;
  google.protobuf.Duration took = 2;
  google.protobuf.Struct data = 3;
  google.protobuf.Value value = 4;
  google.protobuf.ListValue list = 5;
  google.protobuf.FieldMask mask = 6;
  google.protobuf.Empty empty = 7;
  google.protobuf.NullValue nothing = 8;
  optional google.protobuf.NullValue told_nothing = 9;
  google.protobuf.Any any = 10;
  google.protobuf.DoubleValue a_double = 11;
  google.protobuf.FloatValue a_float = 12;
  google.protobuf.Int64Value an_int64 = 13;
  google.protobuf.UInt64Value a_uint64 = 14;
  google.protobuf.Int32Value an_int32 = 15;
  google.protobuf.UInt32Value a_uint32 = 16;
  google.protobuf.BoolValue a_bool = 17;
  google.protobuf.StringValue a_string = 18;
  google.protobuf.BytesValue some_bytes = 19;
  confluent.type.Decimal price = 20;
  google.type.Money money = 21;
  repeated google.protobuf.Timestamp times = 22;
  map<string, google.protobuf.Value> by_name = 23;
  repeated google.protobuf.Int32Value numbers = 24;
}
message Line { string sku = 1; int64 quantity = 2; google.protobuf.Any more = 3; }
"#;

#[test]
fn times_and_durations_are_texts() {
    let time =
        |seconds: i64, nanos: i64| [varint(1, seconds as u64), varint(2, nanos as u64)].concat();
    for (bytes, expected) in [
        (bytes(1, time(1_795_341_600, 0)), r#"{"at":"2026-11-22T10:00:00Z"}"#),
        (bytes(1, time(1_795_341_600, 120_000_000)), r#"{"at":"2026-11-22T10:00:00.120Z"}"#),
        (bytes(1, ""), r#"{"at":"1970-01-01T00:00:00Z"}"#),
        (bytes(2, time(-1, -500_000_000)), r#"{"took":"-1.500s"}"#),
        (bytes(2, ""), r#"{"took":"0s"}"#),
        // The mapping has no form for these. The record is kept.
        (bytes(1, time(253_402_300_800, 1)), r#"{"at":{"seconds":"253402300800","nanos":1}}"#),
        (bytes(1, time(0, -1)), r#"{"at":{"seconds":"0","nanos":-1}}"#),
        (bytes(2, time(i64::MIN, 0)), r#"{"took":{"seconds":"-9223372036854775808","nanos":0}}"#),
        (bytes(2, time(1, -1)), r#"{"took":{"seconds":"1","nanos":-1}}"#),
        (
            [bytes(22, time(1, 0)), bytes(22, "")].concat(),
            r#"{"times":["1970-01-01T00:00:01Z","1970-01-01T00:00:00Z"]}"#,
        ),
        // Two parts are one message.
        (
            [bytes(1, varint(1, 60)), bytes(1, varint(2, 1_000))].concat(),
            r#"{"at":"1970-01-01T00:01:00.000001Z"}"#,
        ),
    ] {
        assert_eq!(json(TYPES, &bytes), expected);
    }
}

#[test]
fn wrappers_are_the_values_that_they_hold() {
    for (bytes, expected) in [
        (bytes(11, fixed64(1, 0.5_f64.to_bits())), r#"{"a_double":0.5}"#),
        (bytes(11, ""), r#"{"a_double":0.0}"#),
        (bytes(12, fixed32(1, 0.5_f32.to_bits())), r#"{"a_float":0.5}"#),
        (bytes(13, varint(1, 5)), r#"{"an_int64":"5"}"#),
        (bytes(14, ""), r#"{"a_uint64":"0"}"#),
        (bytes(15, varint(1, u64::MAX)), r#"{"an_int32":-1}"#),
        (bytes(16, varint(1, 5)), r#"{"a_uint32":5}"#),
        (bytes(17, ""), r#"{"a_bool":false}"#),
        (bytes(18, ""), r#"{"a_string":""}"#),
        (bytes(18, bytes(1, "a")), r#"{"a_string":"a"}"#),
        (bytes(19, bytes(1, [1])), r#"{"some_bytes":"AQ=="}"#),
        ([bytes(24, ""), bytes(24, varint(1, 2))].concat(), r#"{"numbers":[0,2]}"#),
    ] {
        assert_eq!(json(TYPES, &bytes), expected);
    }
}

#[test]
fn structs_and_values_are_the_json_that_they_mean() {
    let text = |text: &str| bytes(3, text);
    let number = |number: f64| fixed64(2, number.to_bits());
    let list = |items: &[Vec<u8>]| {
        bytes(6, items.iter().flat_map(|item| bytes(1, item)).collect::<Vec<u8>>())
    };
    let structure = [
        entry(1, bytes(1, "a"), bytes(2, text("x"))),
        entry(1, bytes(1, "b"), bytes(2, list(&[number(1.5), varint(4, 1), varint(1, 0), vec![]]))),
        entry(1, bytes(1, "c"), vec![]),
    ]
    .concat();
    let nested = bytes(5, structure.clone());
    for (bytes, expected) in [
        (bytes(3, &structure), r#"{"data":{"a":"x","b":[1.5,true,null,null],"c":null}}"#),
        (bytes(3, ""), r#"{"data":{}}"#),
        (bytes(4, nested), r#"{"value":{"a":"x","b":[1.5,true,null,null],"c":null}}"#),
        (bytes(4, ""), r#"{"value":null}"#),
        (bytes(4, bytes(5, "")), r#"{"value":{}}"#),
        (bytes(4, [text("x"), varint(4, 0)].concat()), r#"{"value":false}"#),
        // JSON has no number for it.
        (bytes(4, number(f64::NAN)), r#"{"value":"NaN"}"#),
        (bytes(5, bytes(1, text("x"))), r#"{"list":["x"]}"#),
        (bytes(5, ""), r#"{"list":[]}"#),
        (bytes(7, ""), r#"{"empty":{}}"#),
        (varint(8, 0), "{}"),
        (varint(9, 0), r#"{"told_nothing":null}"#),
        (entry(23, bytes(1, "k"), bytes(2, number(2.0))), r#"{"by_name":{"k":2.0}}"#),
    ] {
        assert_eq!(json(TYPES, &bytes), expected);
    }
}

#[test]
fn a_field_mask_is_one_text_in_camel_case() {
    let mask = |paths: &[&str]| {
        bytes(6, paths.iter().flat_map(|path| bytes(1, path)).collect::<Vec<u8>>())
    };
    for (bytes, expected) in [
        (mask(&["user.display_name", "photo"]), r#"{"mask":"user.displayName,photo"}"#),
        (mask(&[]), r#"{"mask":""}"#),
        // What could not be read back stays as it was.
        (mask(&["a_b", "displayName"]), r#"{"mask":{"paths":["a_b","displayName"]}}"#),
        (mask(&["a__b"]), r#"{"mask":{"paths":["a__b"]}}"#),
        (mask(&["a_1"]), r#"{"mask":{"paths":["a_1"]}}"#),
    ] {
        assert_eq!(json(TYPES, &bytes), expected);
    }
}

#[test]
fn decimals_of_confluent_are_exact_numbers() {
    let decimal = |value: &[u8], scale: i64| {
        bytes(20, [bytes(1, value), varint(2, 38), varint(3, scale as u64)].concat())
    };
    let large = [0, 155, 211, 10, 60, 100, 89, 67, 221, 22, 144, 160, 58, 20];
    for (bytes, expected) in [
        (decimal(&[4, 206], 2), r#"{"price":12.30}"#),
        (decimal(&[255], 2), r#"{"price":-0.01}"#),
        (decimal(&[3], -2), r#"{"price":300}"#),
        (decimal(&large, 2), r#"{"price":123456789012345678901234567890.12}"#),
        (decimal(&[5], 0), r#"{"price":5}"#),
        // Digits that are missing, or more of them than a number may have, stay what they are.
        (bytes(20, ""), r#"{"price":{}}"#),
        (decimal(&[5], 20_000), r#"{"price":{"value":"BQ==","precision":38,"scale":20000}}"#),
    ] {
        assert_eq!(json(TYPES, &bytes), expected);
    }
    let money = bytes(21, [bytes(1, "EUR"), varint(2, 3)].concat());
    assert_eq!(json(TYPES, &money), r#"{"money":{"currency_code":"EUR","units":"3"}}"#);
}

fn any(url: &str, value: Vec<u8>) -> Vec<u8> {
    [bytes(1, url), bytes(2, value)].concat()
}

#[test]
fn an_any_is_the_message_that_it_holds_where_the_schema_knows_it() {
    let line = [bytes(1, "A-1"), varint(2, 3)].concat();
    let of_time = || any("type.googleapis.com/google.protobuf.Duration", varint(1, 3));
    for (any, expected) in [
        (
            any("x.com/shop.Line", line.clone()),
            r#"{"@type":"x.com/shop.Line","sku":"A-1","quantity":"3"}"#,
        ),
        (any("x.com/shop.Line", vec![]), r#"{"@type":"x.com/shop.Line"}"#),
        (of_time(), r#"{"@type":"type.googleapis.com/google.protobuf.Duration","value":"3s"}"#),
        (
            any("a/b/google.protobuf.Empty", vec![]),
            r#"{"@type":"a/b/google.protobuf.Empty","value":{}}"#,
        ),
        // Any holds Any.
        (
            any("x.com/shop.Line", bytes(3, of_time())),
            r#"{"@type":"x.com/shop.Line","more":{"@type":"type.googleapis.com/google.protobuf.Duration","value":"3s"}}"#,
        ),
        (
            any("x/google.protobuf.Any", of_time()),
            r#"{"@type":"x/google.protobuf.Any","value":{"@type":"type.googleapis.com/google.protobuf.Duration","value":"3s"}}"#,
        ),
        // The well-known types are known without an import.
        (
            any("x/google.protobuf.SourceContext", bytes(1, "a")),
            r#"{"@type":"x/google.protobuf.SourceContext","file_name":"a"}"#,
        ),
        (any("x.com/shop.Other", line), r#"{"@type":"x.com/shop.Other","value":"CgNBLTEQAw=="}"#),
        (any("shop.Line", vec![8, 1]), r#"{"@type":"shop.Line","value":"CAE="}"#),
        (any("", vec![8, 1]), r#"{"@type":"","value":"CAE="}"#),
        (vec![], "{}"),
        // Bytes that are not of that type, in the middle of it: nothing of what was read stays.
        (
            any("x.com/shop.Line", [bytes(1, "A"), varint(9, 1), bytes(3, [255])].concat()),
            r#"{"@type":"x.com/shop.Line","value":"CgFBSAEaAf8="}"#,
        ),
        (any("x.com/shop.Line", bytes(1, [255])), r#"{"@type":"x.com/shop.Line","value":"CgH/"}"#),
    ] {
        let message = message(TYPES, &bytes(10, any));
        assert_eq!(message.json, format!("{{\"any\":{expected}}}"));
        assert_eq!(message.unknown_fields, []);
    }
}

#[test]
fn a_type_of_such_a_name_with_other_fields_is_a_message_like_any_other() {
    let text = r#"syntax = "proto3"; package google.protobuf;
        message Holder { Timestamp at = 1; } message Timestamp { string text = 1; }"#;
    assert_eq!(json(text, &bytes(1, bytes(1, "now"))), r#"{"at":{"text":"now"}}"#);
}
