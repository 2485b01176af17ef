//! Bytes that are no value of their schema: each is refused for its reason, at its place, and
//! before anything large is built.

use proptest::prelude::*;

use super::AvroSchema;
use super::values_test::{bytes, long};
use crate::event::{Reason, Unreadable, json};

fn refused(schema: &str, value: &[u8]) -> Unreadable {
    let schema = AvroSchema::parse(schema, &[]).expect("a schema");
    schema.read(value).expect_err("no value")
}

const ORDER: &str = r#"{"type":"record","name":"Order","fields":[
    {"name":"id","type":"string"},
    {"name":"lines","type":{"type":"array","items":{"type":"record","name":"Line","fields":[
        {"name":"paid","type":"boolean"},
        {"name":"tags","type":{"type":"map","values":["null",{"type":"enum","name":"E","symbols":["A","B"]}]}}]}}},
    {"name":"count","type":"int"}]}"#;

/// An order of two lines, whose last tag is this.
fn order(tag: &[u8], rest: &[u8]) -> Vec<u8> {
    [&[2, b'7', 4, 1, 0, 1, 2, 2, b'k'], tag, rest].concat()
}

#[test]
fn a_mismatch_tells_the_field_and_the_byte() {
    let mismatch = "the value is not what its schema describes";
    let good = order(&[2, 2], &[0, 0, 2]);
    let read = AvroSchema::parse(ORDER, &[]).expect("a schema").read(&good).expect("a value");
    assert_eq!(
        read.json,
        r#"{"id":"7","lines":[{"paid":true,"tags":{}},{"paid":true,"tags":{"k":"B"}}],"count":1}"#
    );
    for (value, expected) in [
        (vec![], "at id, byte 0: the bytes end early, 1 more are needed"),
        (vec![8, b'7'], "at id, byte 0: the bytes end early, 3 more are needed"),
        (vec![1], "at id, byte 0: a length of -1"),
        (vec![2, b'7', 4, 2, 0, 0, 0], "at lines[0].paid, byte 3: the byte 2 is no boolean"),
        (order(&[4], &[]), "at lines[1].tags[\"k\"], byte 9: branch 2 of a union that has 2"),
        (order(&[1], &[]), "at lines[1].tags[\"k\"], byte 9: branch -1 of a union that has 2"),
        (order(&[2, 4], &[]), "at lines[1].tags[\"k\"], byte 9: symbol 2 of an enum that has 2"),
        (order(&[2, 1], &[]), "at lines[1].tags[\"k\"], byte 9: symbol -1 of an enum that has 2"),
        (order(&[0], &[1, 1]), "at lines[1].tags, byte 10: a length of -1"),
        (
            order(&[0], &[1, 100]),
            "at lines[1].tags, byte 10: the bytes end early, 50 more are needed",
        ),
        (order(&[0], &[0, 80]), "at lines, byte 11: a block of 40 items in 0 bytes"),
        (
            good[..good.len() - 1].to_vec(),
            "at count, byte 13: the bytes end early, 1 more are needed",
        ),
        ([&good[..], &[0]].concat(), "at byte 14: a byte follows the value"),
        ([&good[..13], &[0xFF; 10]].concat(), "at count, byte 13: a number has more than 64 bits"),
        (
            [&good[..13], &long(1 << 31)].concat(),
            "at count, byte 13: 2147483648 has more than the 32 bits of an int",
        ),
    ] {
        let refused = refused(ORDER, &value);
        assert_eq!(refused.reason, Reason::SchemaMismatch, "{expected}");
        assert_eq!(refused.detail, format!("{mismatch}: {expected}"));
    }
    for end in 0..good.len() {
        assert_eq!(refused(ORDER, &good[..end]).reason, Reason::SchemaMismatch, "{end}");
    }
}

#[test]
fn lengths_that_lie_are_refused_before_anything_is_built() {
    let null = r#"{"type":"array","items":"null"}"#;
    let nothing = r#"{"type":"array","items":{"type":"record","name":"R","fields":[]}}"#;
    let nulls = r#"{"type":"array","items":{"type":"record","name":"R","fields":[{"name":"a","type":"null"},{"name":"b","type":{"type":"fixed","name":"F","size":0}}]}}"#;
    let sizes = [1_000_000_000, 1 << 60, i64::MAX];
    for size in sizes {
        for schema in [null, nothing, nulls] {
            let block = [long(size), vec![0]].concat();
            assert_eq!(refused(schema, &block).reason, Reason::TooLarge, "{schema} {size}");
            // The same with the length of the block in bytes.
            let block = [long(-size), vec![0, 0]].concat();
            assert_eq!(refused(schema, &block).reason, Reason::TooLarge, "{schema} {size}");
        }
        for schema in [
            "\"string\"",
            r#"["bytes"]"#,
            r#"{"type":"array","items":"int"}"#,
            r#"{"type":"array","items":["null"]}"#,
            r#"{"type":"map","values":"null"}"#,
        ] {
            let value = match schema.starts_with("[\"b") {
                true => [vec![0], long(size), vec![1, 2, 3]].concat(),
                false => [long(size), vec![1, 2, 3]].concat(),
            };
            assert_eq!(refused(schema, &value).reason, Reason::SchemaMismatch, "{schema} {size}");
        }
        let fixed = format!(r#"{{"type":"fixed","name":"F","size":{size}}}"#);
        assert_eq!(refused(&fixed, &[0]).reason, Reason::SchemaMismatch);
        let fixed = format!(r#"{{"type":"array","items":{fixed}}}"#);
        assert_eq!(refused(&fixed, &[2, 0]).reason, Reason::SchemaMismatch);
    }
    let least = [long(i64::MIN), vec![0, 0]].concat();
    assert_eq!(refused(null, &least).reason, Reason::TooLarge);
}

#[test]
fn blocks_add_up_to_the_limit() {
    // An item has no bytes, and 10,000 as JSON. Each block alone would fit.
    let name = "n".repeat(9_990);
    let item =
        format!(r#"{{"type":"record","name":"R","fields":[{{"name":"{name}","type":"null"}}]}}"#);
    let schema = format!(r#"{{"type":"array","items":{item}}}"#);
    let block = long(20_000);
    let refused = refused(&schema, &[block.clone(), block, vec![0]].concat());
    assert_eq!(refused.reason, Reason::TooLarge);
}

#[test]
fn records_that_double_each_other_are_refused_before_they_are_built() {
    let mut types = String::from(r#"{"type":"record","name":"R0","fields":[]}"#);
    for number in 1..=60 {
        let inner = number - 1;
        types = format!(
            r#"{types},{{"type":"record","name":"R{number}","fields":[{{"name":"a","type":"R{inner}"}},{{"name":"b","type":"R{inner}"}}]}}"#
        );
    }
    let schema = AvroSchema::parse(&format!("[{types}]"), &[]).expect("a schema");
    assert_eq!(
        schema.read(&long(2)).expect("a value").json,
        r#"{"a":{"a":{},"b":{}},"b":{"a":{},"b":{}}}"#
    );
    let refused = schema.read(&long(60)).expect_err("too large");
    assert_eq!(refused.reason, Reason::TooLarge);
}

#[test]
fn texts_and_keys_that_are_not_utf_8_are_refused() {
    let refused_text = refused(
        r#"{"type":"record","name":"R","fields":[{"name":"x","type":"string"}]}"#,
        &bytes(b"a\xFF"),
    );
    assert_eq!(refused_text.reason, Reason::InvalidUtf8);
    assert_eq!(
        refused_text.detail,
        "the value is not valid UTF-8: at x, byte 0: a text that is not UTF-8"
    );
    let key = [vec![2], bytes(b"\xC3"), vec![2, 0]].concat();
    let refused_key = refused(r#"{"type":"map","values":"int"}"#, &key);
    assert_eq!(refused_key.reason, Reason::InvalidUtf8);
}

#[test]
fn the_deepest_value_is_that_of_any_json_and_a_small_stack_holds_it() {
    let list = r#"{"type":"record","name":"L","fields":[{"name":"n","type":["null","L"]}]}"#;
    let tree = r#"{"type":"record","name":"T","fields":[{"name":"t","type":{"type":"array","items":{"type":"map","values":"T"}}}]}"#;
    let endless = r#"{"type":"record","name":"E","fields":[{"name":"e","type":"E"}]}"#;
    let tried = std::thread::Builder::new().stack_size(2 << 20).spawn(move || {
        let schema = AvroSchema::parse(list, &[]).expect("a schema");
        let levels = |count: usize| [vec![2; count - 1], vec![0]].concat();
        let deepest = schema.read(&levels(json::MAX_DEPTH)).expect("a value").json;
        assert_eq!(
            json::scan(deepest.as_bytes()).map(|scan| scan.value.depth),
            Ok(json::MAX_DEPTH)
        );
        for count in [json::MAX_DEPTH + 1, 1_000_000] {
            let refused = schema.read(&levels(count)).expect_err("too deep");
            assert_eq!(refused.reason, Reason::NestedTooDeep);
            assert!(refused.detail.len() < 1_000, "{}", refused.detail);
        }
        let schema = AvroSchema::parse(tree, &[]).expect("a schema");
        let branch = [2, 2, 2, b'k'].repeat(400);
        assert_eq!(schema.read(&branch).expect_err("too deep").reason, Reason::NestedTooDeep);
        let schema = AvroSchema::parse(endless, &[]).expect("a schema");
        assert_eq!(schema.read(&[]).expect_err("too deep").reason, Reason::NestedTooDeep);
    });
    tried.expect("a thread").join().expect("no panic");
}

#[test]
fn what_a_detail_shows_can_be_stored_and_is_short() {
    let map = r#"{"type":"map","values":{"type":"map","values":"boolean"}}"#;
    let key = bytes("a\0b\u{7}é".as_bytes());
    let value = [vec![2], key.clone(), vec![2], key, vec![7]].concat();
    let shown = "[\"a\u{FFFD}b\u{FFFD}é\"]";
    let expected = format!(
        "the value is not what its schema describes: at {shown}{shown}, byte 16: the byte 7 is no boolean"
    );
    assert_eq!(refused(map, &value).detail, expected);
    let value =
        [vec![2], bytes(&[b'k'; 100_000]), vec![2], bytes(&[b'k'; 100_000]), vec![7]].concat();
    assert!(refused(map, &value).detail.len() < 1_000);
}

/// Schemas with all that the reader knows.
const SCHEMAS: [&str; 6] = [
    ORDER,
    r#"["null","boolean","int","long","float","double","string","bytes",{"type":"fixed","name":"F","size":3}]"#,
    r#"{"type":"array","items":["null",{"type":"map","values":{"type":"array","items":"null"}}]}"#,
    r#"{"type":"record","name":"T","fields":[{"name":"l","type":["null","T"]},{"name":"r","type":["null","T"]},{"name":"v","type":{"type":"long","logicalType":"timestamp-nanos"}}]}"#,
    r#"{"type":"map","values":[{"type":"bytes","logicalType":"decimal","precision":40,"scale":3},{"type":"bytes","logicalType":"big-decimal"},{"type":"int","logicalType":"date"},{"type":"long","connect.name":"io.debezium.time.NanoTimestamp"}]}"#,
    r#"{"type":"array","items":{"type":"record","name":"io.debezium.data.VariableScaleDecimal","fields":[{"name":"scale","type":"int"},{"name":"value","type":"bytes"}]}}"#,
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_json_or_refused(
        number in 0..SCHEMAS.len(),
        value in prop::collection::vec(prop_oneof![3 => 0_u8..8, 1 => any::<u8>()], 0..60),
    ) {
        let schema = AvroSchema::parse(SCHEMAS[number], &[]).expect("a schema");
        match schema.read(&value) {
            Ok(read) => {
                // Texts may hold NUL, and decimals more digits than numeric holds: not here.
                let scan = json::scan(read.json.as_bytes()).map(|_| ());
                let is_nul = scan.is_err_and(|refusal| refusal.reason == Reason::NulEscape);
                prop_assert!(scan.is_ok() || is_nul, "{}", read.json);
            }
            Err(refused) => prop_assert!(!refused.detail.contains(char::is_control)),
        }
    }
}
