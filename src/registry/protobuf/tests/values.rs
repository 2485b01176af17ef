//! Values of each type, and how often they may occur.

use super::bytes::{bytes, entry, fixed32, fixed64, group, number, varint};
use super::{json, message};

const SCALARS: &str = r#"
syntax = "proto3";
message Scalars {
  double a_double = 1; float a_float = 2; int32 an_int32 = 3; int64 an_int64 = 4;
  uint32 a_uint32 = 5; uint64 a_uint64 = 6; sint32 a_sint32 = 7; sint64 a_sint64 = 8;
  fixed32 a_fixed32 = 9; fixed64 a_fixed64 = 10; sfixed32 a_sfixed32 = 11;
  sfixed64 a_sfixed64 = 12; bool a_bool = 13; string a_string = 14; bytes some_bytes = 15;
  Color color = 16; Scalars inner = 17; optional int32 optional_int32 = 18;
}
enum Color { COLOR_UNKNOWN = 0; COLOR_RED = 1; COLOR_BLUE = -5; }
"#;

#[test]
fn each_type_has_its_form() {
    for (bytes, expected) in [
        (fixed64(1, 0.1_f64.to_bits()), r#"{"a_double":0.1}"#),
        (fixed64(1, f64::NAN.to_bits()), r#"{"a_double":"NaN"}"#),
        (fixed64(1, f64::NEG_INFINITY.to_bits()), r#"{"a_double":"-Infinity"}"#),
        (fixed64(1, (-0.0_f64).to_bits()), r#"{"a_double":-0.0}"#),
        (fixed32(2, 0.1_f32.to_bits()), r#"{"a_float":0.1}"#),
        (fixed32(2, f32::INFINITY.to_bits()), r#"{"a_float":"Infinity"}"#),
        (varint(3, -5_i64 as u64), r#"{"an_int32":-5}"#),
        (varint(3, 0x1_0000_0007), r#"{"an_int32":7}"#),
        (varint(4, i64::MIN as u64), r#"{"an_int64":"-9223372036854775808"}"#),
        (varint(5, u32::MAX.into()), r#"{"a_uint32":4294967295}"#),
        (varint(6, u64::MAX), r#"{"a_uint64":"18446744073709551615"}"#),
        (varint(7, 9), r#"{"a_sint32":-5}"#),
        (varint(7, u32::MAX.into()), r#"{"a_sint32":-2147483648}"#),
        (varint(8, u64::MAX), r#"{"a_sint64":"-9223372036854775808"}"#),
        (fixed32(9, u32::MAX), r#"{"a_fixed32":4294967295}"#),
        (fixed64(10, u64::MAX), r#"{"a_fixed64":"18446744073709551615"}"#),
        (fixed32(11, u32::MAX), r#"{"a_sfixed32":-1}"#),
        (fixed64(12, u64::MAX), r#"{"a_sfixed64":"-1"}"#),
        (varint(13, 1), r#"{"a_bool":true}"#),
        (varint(13, 1 << 40), r#"{"a_bool":true}"#),
        (bytes(14, "Grüße, \"you\"\n"), r#"{"a_string":"Grüße, \"you\"\n"}"#),
        (bytes(15, [0xFB, 0xFF]), r#"{"some_bytes":"+/8="}"#),
        (varint(16, 1), r#"{"color":"COLOR_RED"}"#),
        (varint(16, -5_i64 as u64), r#"{"color":"COLOR_BLUE"}"#),
        (varint(16, 77), r#"{"color":77}"#),
        (bytes(17, varint(3, 1)), r#"{"inner":{"an_int32":1}}"#),
    ] {
        assert_eq!(json(SCALARS, &bytes), expected);
    }
}

#[test]
fn defaults_are_left_out_where_nothing_tells_them_from_absence() {
    let defaults: Vec<u8> = [
        fixed64(1, 0),
        fixed32(2, 0),
        varint(3, 0),
        varint(8, 0),
        fixed64(12, 0),
        varint(13, 0),
        bytes(14, ""),
        bytes(15, ""),
        varint(16, 0),
    ]
    .concat();
    assert_eq!(json(SCALARS, &defaults), "{}");
    assert_eq!(json(SCALARS, &[]), "{}");
    let told = [bytes(17, ""), varint(18, 0)].concat();
    assert_eq!(json(SCALARS, &told), r#"{"inner":{},"optional_int32":0}"#);
}

#[test]
fn members_stand_in_the_order_of_their_numbers_and_the_last_of_several_counts() {
    let bytes = [varint(5, 1), varint(3, 1), bytes(14, "a"), varint(3, 2)].concat();
    assert_eq!(json(SCALARS, &bytes), r#"{"an_int32":2,"a_uint32":1,"a_string":"a"}"#);
    // The last is the default, and the default is left out.
    assert_eq!(json(SCALARS, &[varint(3, 1), varint(3, 0)].concat()), "{}");
}

#[test]
fn a_message_that_occurs_several_times_is_merged() {
    let first = bytes(17, [varint(3, 1), bytes(17, varint(3, 7))].concat());
    let second = bytes(17, [varint(5, 2), bytes(17, varint(5, 8))].concat());
    let merged = [first, varint(18, 1), second].concat();
    assert_eq!(
        json(SCALARS, &merged),
        r#"{"inner":{"an_int32":1,"a_uint32":2,"inner":{"an_int32":7,"a_uint32":8}},"optional_int32":1}"#
    );
}

const LISTS: &str = r#"
syntax = "proto3";
message Lists {
  repeated int32 packed = 1; repeated int32 loose = 2 [packed = false]; repeated string texts = 3;
  repeated double doubles = 4; repeated Lists inner = 5; repeated Size sizes = 6;
  repeated bool flags = 7; repeated fixed32 fixed = 8;
}
enum Size { SMALL = 0; LARGE = 1; }
"#;

#[test]
fn lists_are_read_packed_and_not_and_both_at_once() {
    let packed = |field, values: &[u64]| {
        bytes(field, values.iter().flat_map(|value| number(*value)).collect::<Vec<u8>>())
    };
    for (bytes, expected) in [
        (packed(1, &[1, 300, u64::MAX]), r#"{"packed":[1,300,-1]}"#),
        ([varint(1, 1), varint(1, 0)].concat(), r#"{"packed":[1,0]}"#),
        (packed(2, &[1, 2]), r#"{"loose":[1,2]}"#),
        ([varint(2, 1), packed(2, &[2, 3]), varint(2, 4)].concat(), r#"{"loose":[1,2,3,4]}"#),
        (
            [varint(2, 1), bytes(3, "a"), packed(2, &[2])].concat(),
            r#"{"loose":[1,2],"texts":["a"]}"#,
        ),
        ([bytes(3, ""), bytes(3, "[")].concat(), r#"{"texts":["","["]}"#),
        (packed(1, &[]), "{}"),
        ([packed(1, &[]), varint(1, 5), packed(1, &[])].concat(), r#"{"packed":[5]}"#),
        ([bytes(5, ""), bytes(5, varint(1, 3))].concat(), r#"{"inner":[{},{"packed":[3]}]}"#),
        (packed(6, &[1, 0, 9]), r#"{"sizes":["LARGE","SMALL",9]}"#),
        (packed(7, &[1, 0]), r#"{"flags":[true,false]}"#),
        (bytes(8, [1, 0, 0, 0, 2, 0, 0, 0]), r#"{"fixed":[1,2]}"#),
        (bytes(4, 1.5_f64.to_le_bytes()), r#"{"doubles":[1.5]}"#),
    ] {
        assert_eq!(json(LISTS, &bytes), expected);
    }
}

const MAPS: &str = r#"
syntax = "proto3";
message Maps {
  map<string, int64> counts = 1; map<int32, Maps> inner = 2; map<bool, string> flags = 3;
  map<uint64, Size> sizes = 4; map<sint32, bytes> signed = 5; map<fixed64, double> fixed = 6;
}
enum Size { SMALL = 0; LARGE = 1; }
"#;

#[test]
fn keys_of_maps_are_texts_and_the_last_of_repeated_ones_counts() {
    for (bytes, expected) in [
        (entry(1, bytes(1, "a"), varint(2, 1)), r#"{"counts":{"a":"1"}}"#),
        (
            [
                entry(1, bytes(1, "a"), varint(2, 1)),
                entry(1, bytes(1, "b"), varint(2, 2)),
                entry(1, bytes(1, "a"), varint(2, 3)),
            ]
            .concat(),
            r#"{"counts":{"b":"2","a":"3"}}"#,
        ),
        // The value may stand before its key, and either may be missing or stand there twice.
        (entry(1, varint(2, 1), bytes(1, "a")), r#"{"counts":{"a":"1"}}"#),
        (entry(1, bytes(1, "a"), vec![]), r#"{"counts":{"a":"0"}}"#),
        (entry(1, vec![], varint(2, 5)), r#"{"counts":{"":"5"}}"#),
        (entry(1, [bytes(1, "a"), bytes(1, "b")].concat(), vec![]), r#"{"counts":{"b":"0"}}"#),
        (entry(2, varint(1, -1_i64 as u64), vec![]), r#"{"inner":{"-1":{}}}"#),
        (
            entry(
                2,
                varint(1, 3),
                [
                    bytes(2, entry(3, varint(1, 1), bytes(2, "x"))),
                    bytes(2, entry(3, varint(1, 0), bytes(2, "y"))),
                ]
                .concat(),
            ),
            r#"{"inner":{"3":{"flags":{"true":"x","false":"y"}}}}"#,
        ),
        (
            entry(4, varint(1, u64::MAX), varint(2, 1)),
            r#"{"sizes":{"18446744073709551615":"LARGE"}}"#,
        ),
        (entry(4, varint(1, 1), vec![]), r#"{"sizes":{"1":"SMALL"}}"#),
        (entry(5, varint(1, 3), bytes(2, [255])), r#"{"signed":{"-2":"/w=="}}"#),
        (entry(6, fixed64(1, 7), fixed64(2, 2.5_f64.to_bits())), r#"{"fixed":{"7":2.5}}"#),
        // A key that was sent as zero is the one that was not sent.
        (
            [entry(4, vec![], varint(2, 1)), entry(4, varint(1, 0), varint(2, 0))].concat(),
            r#"{"sizes":{"0":"SMALL"}}"#,
        ),
    ] {
        assert_eq!(json(MAPS, &bytes), expected);
    }
}

const ONEOF: &str = r#"
syntax = "proto3";
message Payment {
  oneof method { string card = 1; Bank bank = 2; int32 cash = 3; }
  oneof other { bool yes = 4; bool no = 5; }
  int32 amount = 6;
}
message Bank { string iban = 1; string bic = 2; }
"#;

#[test]
fn of_a_oneof_the_last_on_the_wire_counts() {
    let iban = bytes(2, bytes(1, "DE1"));
    let bic = bytes(2, bytes(2, "X"));
    for (bytes, expected) in [
        ([bytes(1, "4111"), varint(3, 5)].concat(), r#"{"cash":5}"#),
        ([varint(3, 5), bytes(1, "4111")].concat(), r#"{"card":"4111"}"#),
        // A default is kept: it tells which it was.
        ([varint(3, 5), bytes(1, "")].concat(), r#"{"card":""}"#),
        // Parts of one message are merged, unless another member stood between them.
        (
            [iban.clone(), varint(6, 1), bic.clone()].concat(),
            r#"{"bank":{"iban":"DE1","bic":"X"},"amount":1}"#,
        ),
        ([iban.clone(), varint(3, 1), bic.clone()].concat(), r#"{"bank":{"bic":"X"}}"#),
        (
            [iban, bic, bytes(1, "a"), varint(4, 1), varint(5, 0)].concat(),
            r#"{"card":"a","no":false}"#,
        ),
    ] {
        assert_eq!(json(ONEOF, &bytes), expected);
    }
}

const PROTO2: &str = r#"
syntax = "proto2";
package shop;
message Order {
  required string id = 1;
  optional int32 quantity = 2 [default = 7];
  optional group Note = 3 { optional string text = 1; optional int32 rank = 2; }
  repeated group Line = 4 { optional string sku = 1; }
  optional Level level = 5 [default = HIGH];
  map<string, Level> levels = 6;
  extensions 100 to 199;
}
enum Level { LOW = 1; HIGH = 2; }
extend Order { optional string channel = 100; repeated int32 marks = 101; }
message Extensions { extend Order { optional Order original = 102; } }
"#;

#[test]
fn the_older_syntax_has_presence_groups_and_extensions() {
    for (bytes, expected) in [
        // Fields that are required need not be there: old records may be from before they were.
        (vec![], "{}"),
        ([bytes(1, ""), varint(2, 0)].concat(), r#"{"id":"","quantity":0}"#),
        (group(3, bytes(1, "n")), r#"{"note":{"text":"n"}}"#),
        (
            [group(3, bytes(1, "n")), group(3, varint(2, 3))].concat(),
            r#"{"note":{"text":"n","rank":3}}"#,
        ),
        ([group(4, bytes(1, "a")), group(4, vec![])].concat(), r#"{"line":[{"sku":"a"},{}]}"#),
        (varint(5, 3), r#"{"level":3}"#),
        (entry(6, bytes(1, "a"), vec![]), r#"{"levels":{"a":"LOW"}}"#),
        (bytes(100, "web"), r#"{"[shop.channel]":"web"}"#),
        ([varint(101, 1), varint(101, 2)].concat(), r#"{"[shop.marks]":[1,2]}"#),
        (bytes(101, [1, 2]), r#"{"[shop.marks]":[1,2]}"#),
        (bytes(102, bytes(1, "first")), r#"{"[shop.Extensions.original]":{"id":"first"}}"#),
    ] {
        assert_eq!(json(PROTO2, &bytes), expected);
    }
}

#[test]
fn a_message_has_its_full_name() {
    assert_eq!(&*message(PROTO2, &[]).name, "shop.Order");
    assert_eq!(&*message(SCALARS, &[]).name, "Scalars");
}

#[test]
fn of_two_names_of_one_number_the_first_is_written() {
    let text = r#"syntax = "proto3"; message M { E e = 1; }
        enum E { option allow_alias = true; ZERO = 0; NULL = 0; B = 2; A = 1; ONE = 1; }"#;
    assert_eq!(json(text, &varint(1, 1)), r#"{"e":"A"}"#);
    assert_eq!(json(text, &varint(1, 2)), r#"{"e":"B"}"#);
}
