//! Fields that the schema does not have.

use super::bytes::{bytes, entry, fixed32, fixed64, group, varint};
use super::{message, refused};
use crate::event::Reason;

const ORDER: &str = r#"
syntax = "proto3";
import "google/protobuf/any.proto";
import "google/protobuf/timestamp.proto";
message Order {
  string id = 1; Customer customer = 2; repeated Line lines = 3; map<string, Line> by_name = 4;
  google.protobuf.Timestamp at = 5; google.protobuf.Any any = 6; int32 count = 7;
}
message Customer { Address address = 1; }
message Address { string city = 1; }
message Line { string sku = 1; }
"#;

fn unknown(bytes: &[u8]) -> (String, Vec<(String, Vec<u8>)>) {
    let message = message(ORDER, bytes);
    (message.json, message.unknown_fields)
}

#[test]
fn unknown_fields_are_kept_as_they_came_by_the_path_of_their_message() {
    let extra =
        [varint(90, 300), fixed64(91, 1), bytes(92, "x"), group(93, varint(1, 1)), fixed32(94, 2)];
    let top = [extra[0].clone(), bytes(1, "a"), extra[1..].concat()].concat();
    assert_eq!(unknown(&top), (r#"{"id":"a"}"#.to_owned(), vec![(String::new(), extra.concat())]));
    let address = bytes(2, bytes(1, [bytes(1, "Bern"), varint(9, 1)].concat()));
    let line = |extra: &[u8]| bytes(3, [bytes(1, "s"), extra.to_vec()].concat());
    let named = |extra| entry(4, bytes(1, "a\""), [bytes(2, varint(8, 1)), extra].concat());
    let at = bytes(5, varint(3, 3));
    let any = bytes(6, [bytes(1, "x/Line"), bytes(2, varint(4, 4))].concat());
    let all = [line(&[]), line(&varint(7, 7)), address, named(varint(6, 6)), at, any].concat();
    let (json, found) = unknown(&all);
    assert_eq!(
        json,
        r#"{"customer":{"address":{"city":"Bern"}},"lines":[{"sku":"s"},{"sku":"s"}],"by_name":{"a\"":{}},"at":"1970-01-01T00:00:00Z","any":{"@type":"x/Line"}}"#
    );
    let expected = [
        ("customer.address", varint(9, 1)),
        ("lines[1]", varint(7, 7)),
        // An entry of a map, then its value.
        (r#"by_name["a\""]"#, varint(6, 6)),
        (r#"by_name["a\""]"#, varint(8, 1)),
        ("at", varint(3, 3)),
        ("any.value", varint(4, 4)),
    ];
    assert_eq!(found, expected.map(|(path, bytes)| (path.to_owned(), bytes)));
}

#[test]
fn a_known_field_of_another_wire_type_is_unknown_as_it_is_to_other_parsers() {
    let all =
        [varint(1, 5), bytes(1, "a"), bytes(7, [1]), fixed32(7, 1), group(2, vec![])].concat();
    let (json, found) = unknown(&all);
    assert_eq!(json, r#"{"id":"a"}"#);
    let kept = [varint(1, 5), bytes(7, [1]), fixed32(7, 1), group(2, vec![])].concat();
    assert_eq!(found, [(String::new(), kept)]);
}

#[test]
fn a_message_that_is_unknown_from_end_to_end_is_still_kept() {
    let all = [varint(21, 5), bytes(22, "a")].concat();
    assert_eq!(unknown(&all), ("{}".to_owned(), vec![(String::new(), all)]));
}

#[test]
fn more_than_64_mib_of_unknown_fields_are_too_large() {
    let (reason, detail) = refused(ORDER, &bytes(99, vec![0; 64 << 20]));
    assert_eq!(reason, Reason::TooLarge);
    assert!(detail.contains("64 MiB"), "{detail}");
    // Many small ones, each with its path, count what they cost.
    let line = bytes(3, varint(9, 1));
    let (reason, _) = refused(ORDER, &line.repeat(1 << 20));
    assert_eq!(reason, Reason::TooLarge);
}
