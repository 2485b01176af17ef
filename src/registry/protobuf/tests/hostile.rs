//! Bytes that are no message, and messages that are too much.

use super::bytes::{bytes, entry, group, number, varint};
use super::{json, refused, schema};
use crate::event::Reason;

const TREE: &str = r#"
syntax = "proto2";
message Tree {
  optional string name = 1; optional Tree left = 2; repeated Tree all = 3;
  map<string, Tree> by_name = 4; repeated int32 packed = 5 [packed = true];
  optional fixed64 fixed = 6; optional group Group = 7 { optional Tree tree = 1; };
  repeated string texts = 8; optional group Chain = 9 { optional group Next = 1 {
    optional int32 end = 1; } };
}
"#;

#[test]
fn bytes_that_are_no_message_are_refused_with_the_place() {
    let named = |message: Vec<u8>| entry(4, bytes(1, "k"), bytes(2, message));
    for (bytes, what) in [
        (vec![0x0A], "the bytes end too early, at byte 1"),
        (vec![0x0A, 2, b'a'], "a length goes beyond the end, at byte 1"),
        (vec![0x80], "the bytes end too early, at byte 1"),
        (vec![0x31, 1, 2, 3], "the bytes end too early, at byte 4"),
        (vec![0x00, 0], "a field has the number 0, at byte 0"),
        (vec![0x0E], "a field has an unknown wire type, at byte 0"),
        (vec![0x0F], "a field has an unknown wire type, at byte 0"),
        (vec![0x0C], "a group ends that never began, at byte 0"),
        (vec![0x3B, 0x44], "another group ends than began, at byte 1"),
        (vec![0x3B, 0x0A, 0], "a group has no end, at byte 1"),
        (vec![0xFF; 11], "a number has more than 64 bits, at byte 0"),
        (number(1 << 40), "no field has this tag, at byte 0"),
        (bytes(2, [0x80]), "left: the bytes end too early, at byte 3"),
        (bytes(2, bytes(2, [0x0E])), "left.left: a field has an unknown wire type, at byte 4"),
        (
            [bytes(3, ""), bytes(3, [0x0E])].concat(),
            "all[1]: a field has an unknown wire type, at byte 4",
        ),
        (named(vec![0x0E]), "by_name[\"k\"]: a field has an unknown wire type, at byte 7"),
        (bytes(4, [0x0E]), "by_name: a field has an unknown wire type, at byte 2"),
        (bytes(5, [1, 0x80]), "packed: the bytes end too early, at byte 4"),
        // A length of 2^60 bytes.
        ([vec![0x0A], number(1 << 60)].concat(), "a length goes beyond the end, at byte 1"),
        ([vec![0x0A], number(u64::MAX)].concat(), "a length goes beyond the end, at byte 1"),
    ] {
        let detail = format!("the value is not what its schema describes: {what}");
        assert_eq!(refused(TREE, &bytes), (Reason::SchemaMismatch, detail), "{bytes:?}");
    }
}

#[test]
fn texts_that_are_not_utf_8_are_refused_with_the_place() {
    for (bytes, what) in [
        (bytes(1, [b'a', 0xFF]), "name: a text is not UTF-8, at byte 3"),
        ([bytes(8, "a"), bytes(8, [0xC3])].concat(), "texts[1]: a text is not UTF-8, at byte 5"),
        (entry(4, bytes(1, [0xFF]), vec![]), "by_name: a text is not UTF-8, at byte 4"),
    ] {
        let detail = format!("the value is not valid UTF-8: {what}");
        assert_eq!(refused(TREE, &bytes), (Reason::InvalidUtf8, detail));
    }
    // The last one counts, and what went before it is never looked at.
    assert_eq!(json(TREE, &[bytes(1, [0xFF]), bytes(1, "a")].concat()), r#"{"name":"a"}"#);
}

/// A message within a message, and so on, down to this depth.
fn nested(levels: usize, around: impl Fn(Vec<u8>) -> Vec<u8>) -> Vec<u8> {
    (1..levels).fold(vec![], |inner, _| around(inner))
}

#[test]
fn a_thousand_levels_are_read_on_a_small_stack_and_no_more() {
    let schema = schema(TREE);
    let read = |bytes: Vec<u8>| {
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(256 << 10);
            let read = || schema.read_message(None, &bytes).map(|read| read.json);
            let thread = thread.spawn_scoped(scope, read).expect("a thread");
            thread.join().expect("the stack is enough").map_err(|refused| refused.reason)
        })
    };
    let left = |inner| bytes(2, inner);
    let json = read(nested(1_000, left)).expect("a thousand levels are allowed");
    assert_eq!(json, format!("{}{{}}{}", "{\"left\":".repeat(999), "}".repeat(999)));
    assert_eq!(read(nested(1_001, left)), Err(Reason::NestedTooDeep));
    assert_eq!(read(nested(10_000, left)), Err(Reason::NestedTooDeep));
    // Lists and maps are levels, too.
    let all = |inner| bytes(3, inner);
    assert!(read(nested(500, all)).is_ok());
    assert_eq!(read(nested(502, all)), Err(Reason::NestedTooDeep));
    let by_name = |inner| entry(4, vec![], bytes(2, inner));
    assert!(read(nested(500, by_name)).is_ok());
    assert_eq!(read(nested(502, by_name)), Err(Reason::NestedTooDeep));
}

#[test]
fn a_hundred_groups_within_each_other_are_read_and_no_more() {
    let schema = schema(TREE);
    let read = |levels: usize| {
        let read = schema.read_message(None, &nested(levels + 1, |inner| group(99, inner)));
        read.map(|read| read.unknown_fields.len()).map_err(|refused| refused.reason)
    };
    assert_eq!(read(100), Ok(1));
    assert_eq!(read(101), Err(Reason::NestedTooDeep));
    assert_eq!(json(TREE, &group(9, group(1, varint(1, 5)))), r#"{"chain":{"next":{"end":5}}}"#);
}

#[test]
fn json_that_would_be_too_large_is_refused_before_it_is_built() {
    let packed = bytes(5, vec![0; 135 << 20]);
    let (reason, detail) = refused(TREE, &packed);
    assert_eq!(reason, Reason::TooLarge);
    let expected = "the record is larger than JSONB can hold: as JSON it has more than 256 MiB";
    assert_eq!(detail, expected);
    let (reason, _) = refused(TREE, &bytes(1, vec![b'a'; 256 << 20]));
    assert_eq!(reason, Reason::TooLarge);
}

#[test]
fn a_million_values_that_overwrite_each_other_leave_one() {
    let names = [bytes(1, "a"), varint(6, 1)].concat().repeat(500_000);
    let message = schema(TREE).read_message(None, &names).expect("the message is right");
    assert_eq!(message.json, r#"{"name":"a"}"#);
    assert_eq!(message.unknown_fields.len(), 1);
    let parts = [bytes(2, bytes(1, "a")), bytes(1, "b")].concat().repeat(100_000);
    assert_eq!(json(TREE, &parts), r#"{"name":"b","left":{"name":"a"}}"#);
    let entries = entry(4, bytes(1, "k"), vec![]).repeat(100_000);
    assert_eq!(json(TREE, &entries), r#"{"by_name":{"k":{}}}"#);
}
