//! Schemas: how they are found, put together and refused.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost::Message as _;
use prost_reflect::prost_types::{DescriptorProto, FileDescriptorProto};

use super::super::schema::known_names;
use super::bytes::{bytes, entry, varint};
use super::{ProtobufSchema, json};

const ORDER: &str = r#"
syntax = "proto3";
package shop;
import "shop/line.proto";
message Order { repeated Line lines = 1; map<string, int32> counts = 2; }
"#;

const LINE: &str = r#"
syntax = "proto3";
package shop;
import public "shop/money.proto";
message Line { Money price = 1; }
"#;

const MONEY: &str = "syntax = 'proto3'; package shop; message Money { int64 cents = 1; }";

fn references(references: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, schema): &(&str, &str)| ((*name).to_owned(), (*schema).to_owned());
    references.iter().map(owned).collect()
}

/// The descriptor of a file as Confluent's serialiser for Python registers it.
fn in_base64(text: &str) -> String {
    let file = protox_parse::parse("any.proto", text).expect("the schema is right");
    STANDARD.encode(file.encode_to_vec())
}

#[track_caller]
fn error(schema: &str, given: &[(&str, &str)]) -> String {
    let error = ProtobufSchema::parse(schema, &references(given)).expect_err("the schema is wrong");
    assert!(!error.contains('\n') && error.chars().count() < 700, "{error}");
    error
}

#[test]
fn schemas_and_their_references_are_text_or_descriptors_in_base64() {
    let order = [bytes(1, bytes(1, varint(1, 5))), entry(2, bytes(1, "a"), varint(2, 1))].concat();
    let (order_64, line_64, money_64) = (in_base64(ORDER), in_base64(LINE), in_base64(MONEY));
    // Python breaks no lines, other tools do.
    let broken = order_64.as_bytes().chunks(76).map(|line| String::from_utf8_lossy(line) + "\n");
    let broken: String = broken.collect();
    for (order_text, line, money) in [
        (ORDER, LINE, MONEY),
        (&order_64, LINE, &money_64),
        (ORDER, &line_64, MONEY),
        (&broken, &line_64, &money_64),
    ] {
        let given = references(&[("shop/money.proto", money), ("shop/line.proto", line)]);
        let schema = ProtobufSchema::parse(order_text, &given).expect("the schema is right");
        let read = schema.read(&[vec![0], order.clone()].concat()).expect("the message is right");
        assert_eq!(&*read.name, "shop.Order");
        assert_eq!(read.json, r#"{"lines":[{"price":{"cents":"5"}}],"counts":{"a":1}}"#);
    }
}

#[test]
fn public_imports_are_followed_to_their_end() {
    let link = |next: &str| format!("syntax = 'proto3'; import public '{next}';");
    let given = [("a", &*link("b")), ("b", &*link("c")), ("c", &*link("shop/money.proto"))];
    let given = references(&[&given[..], &[("shop/money.proto", MONEY)]].concat());
    let schema = "syntax = 'proto3'; import 'a'; message M { shop.Money money = 1; }";
    let schema = ProtobufSchema::parse(schema, &given).expect("the type is visible");
    let read = schema.read_message(None, &bytes(1, varint(1, 1))).expect("the message is right");
    assert_eq!(read.json, r#"{"money":{"cents":"1"}}"#);
}

#[test]
fn an_any_may_hold_what_only_a_reference_has() {
    let schema = r#"syntax = "proto3"; import "google/protobuf/any.proto";
        message M { google.protobuf.Any any = 1; }"#;
    let given = references(&[("shop/money.proto", MONEY)]);
    let schema = ProtobufSchema::parse(schema, &given).expect("the schema is right");
    let any = bytes(1, [bytes(1, "x/shop.Money"), bytes(2, varint(1, 3))].concat());
    let read = schema.read_message(None, &any).expect("the message is right");
    assert_eq!(read.json, r#"{"any":{"@type":"x/shop.Money","cents":"3"}}"#);
}

#[test]
fn files_that_nobody_registers_are_built_in() {
    for name in known_names() {
        let schema = format!("syntax = 'proto3'; import '{name}'; message M {{ int32 a = 1; }}");
        assert_eq!(json(&schema, &varint(1, 1)), r#"{"a":1}"#, "{name}");
    }
    // One that is registered nevertheless is taken.
    let schema = r#"syntax = "proto3"; import "google/type/money.proto";
        message M { google.type.Money money = 1; }"#;
    let money = "syntax = 'proto3'; package google.type; message Money { int32 other = 1; }";
    let given = references(&[("google/type/money.proto", money)]);
    let schema = ProtobufSchema::parse(schema, &given).expect("the schema is right");
    let read = schema.read_message(None, &bytes(1, varint(1, 1))).expect("the message is right");
    assert_eq!(read.json, r#"{"money":{"other":1}}"#);
}

#[test]
fn options_that_nothing_defines_do_no_harm() {
    let schema = r#"
        // Proto schema formatted by Wire, do not edit.
        // Source:

        syntax = "proto3";
        package shop;
        import "confluent/meta.proto";
        option java_package = "com.example"; option (mine).way = {a: [{b: "}"}, {c: 1}]};
        message M {
          option (confluent.message_meta) = { doc: "text", tags: ["PII"] };
          int64 a = 1 [(confluent.field_meta) = { params: [{ key: "precision", value: "8" }] },
            deprecated = true, json_name = "other", (buf.validate.field).string.min_len = 1];
          reserved 5, 7 to 9; reserved "b";
        }
        service S { rpc Call(Unknown) returns (stream Unknown) { option (http) = { get: "/" }; } }
    "#;
    assert_eq!(json(schema, &varint(1, 2)), r#"{"a":"2"}"#);
}

#[test]
fn maps_that_are_written_as_lists_of_entries_are_maps() {
    // So Confluent's registry writes a schema that was registered as a descriptor.
    let schema = r#"syntax = "proto3"; message M {
        repeated ByNameEntry by_name = 1;
        message ByNameEntry { option map_entry = true; string key = 1; int32 value = 2; }
        message Line { string sku = 1; } }"#;
    assert_eq!(json(schema, &entry(1, bytes(1, "a"), varint(2, 3))), r#"{"by_name":{"a":3}}"#);
    let schema = ProtobufSchema::parse(schema, &[]).expect("the schema is right");
    let read = schema.read(&[4, 0, 2]).expect("the entry counts: it stands in the text");
    assert_eq!(&*read.name, "M.Line");
}

#[test]
fn what_is_wrong_with_a_schema_is_said_in_one_line() {
    let syntax = "syntax = 'proto3';";
    for (schema, given, expected) in [
        (
            "message M { int32 a = ; }",
            &[][..],
            "the schema:1:23: expected an integer, but found ';'",
        ),
        (
            "import 'a.proto';",
            &[],
            "the schema imports \"a.proto\", which is neither among its references nor built in",
        ),
        (
            "import 'a.proto';",
            &[("a.proto", "import 'b.proto';")],
            "\"a.proto\" imports \"b.proto\", which is neither among its references nor built in",
        ),
        (
            "import 'a';",
            &[("a", "import 'b';"), ("b", "import 'a';")],
            "\"a\" imports itself, or a file that does",
        ),
        ("import 'a';", &[("a", "message {")], "a:1:9: expected an identifier, but found '{'"),
        ("message M { optional N n = 1; }", &[], "name 'N' is not defined"),
        (
            "message M { optional int32 a = 1; optional int32 b = 1; }",
            &[],
            "field number '1' is already used",
        ),
        (
            "import 'a'; message M {}",
            &[("a", "message M {}")],
            "name 'M' is already defined in file 'a'",
        ),
        ("edition = '2023'; message M {}", &[], "editions of Protobuf are not supported"),
        ("{\"type\": \"record\"}", &[], "the schema:1:1: expected "),
        ("AAAA", &[], "the schema: in base64, but no descriptor of a file: "),
    ] {
        let found = error(schema, given);
        assert!(found.contains(expected), "{found}");
    }
    let hidden = [("a", "import 'b';"), ("b", "message N {}")];
    let found = error("import 'a'; message M { optional N n = 1; }", &hidden);
    assert!(found.contains("name 'N' is not defined"), "{found}");
    let descriptor =
        FileDescriptorProto { syntax: Some("editions".to_owned()), ..Default::default() };
    let found = error(&STANDARD.encode(descriptor.encode_to_vec()), &[]);
    assert_eq!(found, "the schema: editions of Protobuf are not supported");
    assert!(ProtobufSchema::parse(syntax, &[]).is_ok_and(|schema| {
        schema.read(&[0]).is_err() && schema.read_message(None, &[]).is_err()
    }));
}

#[test]
fn a_schema_of_2_mb_is_read() {
    let fields: String = (1..60).map(|at| format!("string field_number_{at} = {at};\n")).collect();
    let mut schema = "syntax = 'proto3';\n".to_owned();
    while schema.len() < 2 << 20 {
        schema.push_str(&format!("message M{} {{\n{fields}}}\n", schema.len()));
    }
    assert_eq!(json(&schema, &bytes(3, "a")), r#"{"field_number_3":"a"}"#);
    let values: String = (1..90_000).map(|at| format!("VALUE_{at} = -{at};\n")).collect();
    let schema =
        format!("syntax = 'proto3'; message M {{ E e = 1; }} enum E {{ Z = 0; {values} }}");
    assert_eq!(json(&schema, &varint(1, -5_i64 as u64)), r#"{"e":"VALUE_5"}"#);
}

#[test]
fn a_schema_that_is_wrong_throughout_is_refused_and_takes_no_stack() {
    let long = |part: &str| part.repeat((2 << 20) / part.len());
    let nested = format!("{}{}", long("message M {"), long("}"));
    let mut deep = DescriptorProto { name: Some("M".to_owned()), ..Default::default() };
    for _ in 0..90 {
        deep = DescriptorProto {
            name: Some("M".to_owned()),
            nested_type: vec![deep],
            ..Default::default()
        };
    }
    let descriptor = FileDescriptorProto { message_type: vec![deep.clone()], ..Default::default() };
    let descriptor = STANDARD.encode(descriptor.encode_to_vec());
    assert!(ProtobufSchema::parse(&descriptor, &[]).is_ok());
    let mut deeper = deep.encode_to_vec();
    while deeper.len() < 1 << 20 {
        deeper = bytes(3, deeper.repeat(1));
        if deeper.len().is_multiple_of(1_000) {
            deeper.extend(bytes(99, vec![0; 10_000]));
        }
    }
    for schema in [
        nested,
        long("message M { optional Unknown a = 1; }\n"),
        long("message M {} "),
        long("{"),
        long("option (a) = {"),
        format!("option (a) = {}", long("{a: [")),
        format!("syntax = \"{}\";", long("a")),
        format!("/* {}", long("/* ")),
        long("'"),
        long("\u{0}"),
        long("AAAA"),
        STANDARD.encode(bytes(4, deeper)),
    ] {
        error(&schema, &[]);
    }
    // What is only long is not wrong.
    for text in
        [format!("// {}\nmessage M {{}}", long("x")), format!("message M {{}} {}", long(";"))]
    {
        assert_eq!(json(&text, &[]), "{}");
    }
}

#[test]
fn a_thousand_files_that_import_each_other_are_read_and_no_more() {
    let chain = |length: usize, import: &str| -> Vec<(String, String)> {
        let file = |at: usize| match at {
            0 => "message M0 {}".to_owned(),
            at => format!("{import} '{}'; message M{at} {{ optional M{} a = 1; }}", at - 1, at - 1),
        };
        (0..length).map(|at| (at.to_string(), file(at))).collect()
    };
    let schema = |files: &[(String, String)]| {
        ProtobufSchema::parse("import '7'; message M { optional M7 a = 1; }", files)
    };
    assert!(schema(&chain(999, "import")).is_ok());
    let error = schema(&chain(1_000, "import")).expect_err("there are too many");
    assert_eq!(error, "the schema has more than 1000 files");
    // Each of them makes all behind it visible.
    assert!(schema(&chain(100, "import public")).is_ok());
    let error = schema(&chain(900, "import public")).expect_err("there are too many imports");
    assert_eq!(error, "the schema's files import each other more than 20000 times");
}

#[test]
fn a_file_finds_its_imports_below_its_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, text).expect("a file");
        path
    };
    write("shop/line.proto", LINE);
    write("shop/money.proto", MONEY);
    let order = write("order.proto", ORDER);
    let schema = ProtobufSchema::open(&order).expect("the schema is right");
    let read = schema.read_message(None, &bytes(1, "")).expect("the message is right");
    assert_eq!(read.json, r#"{"lines":[{}]}"#);
    let error = |path: &Path| ProtobufSchema::open(path).expect_err("the schema is wrong");
    let missing = write("missing.proto", "import 'shop/none.proto';");
    assert_eq!(
        error(&missing),
        "the schema imports \"shop/none.proto\", which is neither among its references nor built in"
    );
    let binary = folder.path().join("binary.proto");
    std::fs::write(&binary, [0xFF, 0xFE]).expect("a file");
    assert_eq!(error(&binary), format!("cannot read {}: it is not UTF-8 text", binary.display()));
    assert!(error(&folder.path().join("none.proto")).contains("none.proto: No such file"));
    let wrong = write("wrong.proto", "message {");
    assert_eq!(error(&wrong), "wrong.proto:1:9: expected an identifier, but found '{'");
}
