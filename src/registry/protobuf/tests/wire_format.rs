//! What stands before a message in Confluent's wire format.

use super::bytes::{bytes, number, varint};
use super::{ProtobufSchema, schema};
use crate::event::{Reason, Unreadable};

const NESTED: &str = r#"
syntax = "proto3";
package shop;
message First { int32 a = 1; message Inner { int32 b = 1; message Deep { int32 c = 1; } } }
enum Color { RED = 0; }
message Second { message One { int32 d = 1; } enum Size { S = 0; } message Two { int32 e = 1; } }
"#;

/// Indexes as producers write them: how many, then each, as numbers with a sign.
fn indexes(indexes: &[i64]) -> Vec<u8> {
    let zigzag = |value: i64| number(((value << 1) ^ (value >> 63)) as u64);
    let all = std::iter::once(indexes.len() as i64).chain(indexes.iter().copied());
    all.flat_map(zigzag).collect()
}

fn read(schema: &ProtobufSchema, before: Vec<u8>, message: Vec<u8>) -> Result<String, Unreadable> {
    let read = schema.read(&[before, message].concat())?;
    Ok(format!("{} {}", read.name, read.json))
}

#[test]
fn the_indexes_before_a_message_name_it() {
    let schema = schema(NESTED);
    for (before, expected) in [
        (vec![0], r#"shop.First {"a":1}"#),
        (indexes(&[0]), r#"shop.First {"a":1}"#),
        (indexes(&[0, 0]), r#"shop.First.Inner {"b":1}"#),
        (indexes(&[0, 0, 0]), r#"shop.First.Inner.Deep {"c":1}"#),
        (indexes(&[1, 0]), r#"shop.Second.One {"d":1}"#),
        (indexes(&[1, 1]), r#"shop.Second.Two {"e":1}"#),
    ] {
        assert_eq!(read(&schema, before, varint(1, 1)).as_deref(), Ok(expected));
    }
}

#[test]
fn indexes_that_name_no_message_do_not_match_the_schema() {
    let schema = schema(NESTED);
    for (before, what) in [
        (vec![], "the indexes of the message: the bytes end too early, at byte 0"),
        (vec![2], "the indexes of the message: the bytes end too early, at byte 1"),
        (vec![0x80], "the indexes of the message: the bytes end too early, at byte 0"),
        (vec![0xFF; 11], "the indexes of the message: a number has more than 64 bits, at byte 0"),
        (indexes(&[2]), "the schema has no message with the indexes [2]"),
        (indexes(&[0, 0, 0, 0]), "the schema has no message with the indexes [0, 0, 0, 0]"),
        (indexes(&[1 << 60]), "the schema has no message with the indexes [1152921504606846976]"),
        (indexes(&[-1]), "an index of the message is negative, at byte 1"),
        (vec![1], "the number of indexes of the message is negative, at byte 0"),
        (number(1 << 61), "the message has 1152921504606846976 indexes"),
    ] {
        let refused = read(&schema, before, vec![]).expect_err("no message has these indexes");
        assert_eq!(refused.reason, Reason::SchemaMismatch);
        let detail = format!("the value is not what its schema describes: {what}");
        assert_eq!(refused.detail, detail);
    }
}

#[test]
fn producers_that_count_entries_of_maps_are_understood_as_those_that_do_not() {
    let text = r#"syntax = "proto3"; message Order {
        map<string, int32> by_name = 1;
        message Line { string sku = 1; } message Note { int64 rank = 2; } }"#;
    let schema = schema(text);
    let line = || bytes(1, "a");
    // As the text counts, and as the descriptor counts, which the second message tells apart.
    assert_eq!(read(&schema, indexes(&[0, 0]), line()).as_deref(), Ok(r#"Order.Line {"sku":"a"}"#));
    assert_eq!(read(&schema, indexes(&[0, 1]), line()).as_deref(), Ok(r#"Order.Line {"sku":"a"}"#));
    let note = || varint(2, 7);
    assert_eq!(
        read(&schema, indexes(&[0, 1]), note()).as_deref(),
        Ok(r#"Order.Note {"rank":"7"}"#)
    );
    assert_eq!(
        read(&schema, indexes(&[0, 2]), note()).as_deref(),
        Ok(r#"Order.Note {"rank":"7"}"#)
    );
    assert!(read(&schema, indexes(&[0, 3]), note()).is_err());
}

#[test]
fn a_bare_message_is_the_first_or_the_one_that_is_named() {
    let schema = schema(NESTED);
    let name = |name| schema.read_message(name, &varint(1, 1)).map(|read| read.name.to_string());
    assert_eq!(name(None).as_deref(), Ok("shop.First"));
    assert_eq!(name(Some("shop.Second.Two")).as_deref(), Ok("shop.Second.Two"));
    let refused = name(Some("Second.Two")).expect_err("names are full names");
    assert_eq!(refused.reason, Reason::SchemaMismatch);
    let detail =
        "the value is not what its schema describes: the schema has no message \"Second.Two\"";
    assert_eq!(refused.detail, detail);
}
