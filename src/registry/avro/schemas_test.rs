//! Which schemas are taken, how their names are found, and what is said of those that are refused.

use super::AvroSchema;

fn parse(schema: &str, references: &[&str]) -> Result<AvroSchema, String> {
    let references: Vec<String> = references.iter().map(|text| (*text).to_owned()).collect();
    AvroSchema::parse(schema, &references)
}

fn json(schema: &str, references: &[&str], value: &[u8]) -> String {
    parse(schema, references).expect("a schema").read(value).expect("a value").json
}

fn problem(schema: &str) -> String {
    parse(schema, &[]).expect_err("no schema")
}

fn record(name: &str, fields: &[(&str, &str)]) -> String {
    let fields: Vec<String> = fields
        .iter()
        .map(|(name, schema)| format!(r#"{{"name":"{name}","type":{schema}}}"#))
        .collect();
    format!(r#"{{"type":"record",{name},"fields":[{}]}}"#, fields.join(","))
}

#[test]
fn names_without_a_namespace_inherit_the_one_around_them() {
    let inner = r#"{"type":"enum","name":"Kind","symbols":["A","B"]}"#;
    let elsewhere = r#"{"type":"fixed","name":"Tag","namespace":"org.other","size":1}"#;
    let dotted = record(
        r#""name":"net.deep.Part""#,
        &[("kind", r#"{"type":"enum","name":"Kind","symbols":["X"]}"#), ("again", "\"Kind\"")],
    );
    let schema = record(
        r#""name":"Order","namespace":"com.shop""#,
        &[
            ("a", inner),
            ("b", "\"Kind\""),
            ("c", "\"com.shop.Kind\""),
            ("d", elsewhere),
            ("e", "\"org.other.Tag\""),
            ("f", &dotted),
            ("g", "\"net.deep.Kind\""),
            ("h", r#"{"type":"Kind"}"#),
        ],
    );
    assert_eq!(
        json(&schema, &[], &[0, 2, 2, 7, 8, 0, 0, 0, 2]),
        r#"{"a":"A","b":"B","c":"B","d":"Bw==","e":"CA==","f":{"kind":"X","again":"X"},"g":"X","h":"B"}"#
    );
    assert_eq!(parse(&schema, &[]).expect("a schema").name(), Some("com.shop.Order"));
}

#[test]
fn names_of_no_namespace_are_found_from_within_one() {
    let bare = r#"{"type":"enum","name":"Kind","namespace":"","symbols":["A"]}"#;
    let schema =
        record(r#""name":"Order","namespace":"com.shop""#, &[("a", bare), ("b", "\"Kind\"")]);
    assert_eq!(json(&schema, &[], &[0, 0]), r#"{"a":"A","b":"A"}"#);
    let leading = schema.replace("\"type\":\"Kind\"", "\"type\":\".Kind\"");
    assert_eq!(json(&leading, &[], &[0, 0]), r#"{"a":"A","b":"A"}"#);
}

#[test]
fn references_may_come_in_any_order_and_refer_to_each_other() {
    let money =
        record(r#""name":"shop.Money""#, &[("cents", "\"long\""), ("unit", "\"shop.Unit\"")]);
    let unit = r#"{"type":"enum","name":"Unit","namespace":"shop","symbols":["EUR","USD"]}"#;
    let order = record(
        r#""name":"shop.Order""#,
        &[("total", "\"Money\""), ("tip", r#"["null","shop.Money"]"#)],
    );
    let expected = r#"{"total":{"cents":1,"unit":"USD"},"tip":null}"#;
    assert_eq!(json(&order, &[&money, unit], &[2, 2, 0]), expected);
    assert_eq!(json(&order, &[unit, &money], &[2, 2, 0]), expected);
    // A reference that defines it again, with other words of documentation.
    let again = unit.replace("\"symbols\"", "\"doc\":\"units\",\"symbols\"");
    let whole = money.replace("\"shop.Unit\"", &again);
    assert_eq!(json(&order, &[unit, &whole], &[2, 2, 0]), expected);
    // A union of types is a schema to refer to, too.
    assert_eq!(
        json("\"shop.Money\"", &[&format!("[{unit},{money}]")], &[2, 0]),
        r#"{"cents":1,"unit":"EUR"}"#
    );
}

#[test]
fn the_same_definition_may_stand_twice_and_another_may_not() {
    let kind = r#"{"type":"enum","name":"Kind","symbols":["A"]}"#;
    let twice = record(r#""name":"R""#, &[("a", kind), ("b", kind), ("c", "\"Kind\"")]);
    assert_eq!(json(&twice, &[], &[0, 0, 0]), r#"{"a":"A","b":"A","c":"A"}"#);
    let other = record(r#""name":"R""#, &[("a", kind), ("b", &kind.replace("\"A\"", "\"B\""))]);
    assert_eq!(problem(&other), "the field b of R: Kind is defined twice");
}

#[test]
fn what_java_takes_is_taken() {
    // Defaults that do not fit, names with other characters, aliases, unknown attributes and types.
    let schema = r#"{"type":"record","name":"com.my-shop.Order$Line","aliases":["x"],"order":7,"fields":[
        {"name":"1-a","type":["null","string"],"default":"x","aliases":[1]},
        {"name":"1-a","type":{"type":"int","logicalType":7},"order":"sideways"},
        {"name":"c","type":{"type":{"type":{"type":"array","items":{"type":["int","null"]},"default":{}}}}}]}"#;
    assert_eq!(json(schema, &[], &[0, 2, 2, 2, 0]), r#"{"1-a":null,"1-a":1,"c":[null]}"#);
    assert_eq!(json(" long\n", &[], &[2]), "1");
    assert_eq!(json("null", &[], &[]), "null");
    assert_eq!(json(" \"string\" ", &[], &[2, 97]), "\"a\"");
}

#[test]
fn what_is_no_schema_is_told() {
    for (schema, expected) in [
        ("", "the schema is not JSON: EOF while parsing a value at line 1 column 0"),
        ("{", "the schema is not JSON: EOF while parsing an object at line 1 column 1"),
        ("7", "7 is no type"),
        ("{}", "an object without \"type\" is no type"),
        (r#"{"type":null}"#, "null is no type"),
        (r#"["null",["int"]]"#, "a union directly within a union"),
        (r#"["null",{"type":["int"]}]"#, "a union directly within a union"),
        (r#"{"type":"array"}"#, "a type without its \"items\""),
        (r#"{"type":"map"}"#, "a type without its \"values\""),
        (r#"{"type":"record","fields":[]}"#, "the type \"record\" without a name"),
        (r#"{"type":"record","name":"a.R"}"#, "a.R: a record without \"fields\""),
        (
            r#"{"type":"record","name":"R","fields":[{"name":"x"}]}"#,
            "R: a field without \"name\" or \"type\"",
        ),
        (
            r#"{"type":"record","name":"a.R","fields":[{"name":"x","type":{"type":"array","items":{"type":"record","name":"S","fields":[{"name":"y","type":7}]}}}]}"#,
            "the field y of a.S: 7 is no type",
        ),
        (
            r#"{"type":"enum","name":"E","symbols":[1]}"#,
            "E: an enum without \"symbols\", which are texts",
        ),
        (r#"{"type":"fixed","name":"F","size":-1}"#, "F: a fixed without its \"size\""),
        (
            r#"{"type":"record","name":"a.R","fields":[{"name":"x","type":"Money"}]}"#,
            "the type a.Money is defined neither in the schema nor in its references",
        ),
        (
            "\"no\\u0000\\nname\"",
            "the type no\u{FFFD}\u{FFFD}name is defined neither in the schema nor in its references",
        ),
    ] {
        assert_eq!(problem(schema), expected, "{schema}");
    }
    assert_eq!(
        parse("\"int\"", &["\"int\"", "{}"]).expect_err("no schema"),
        "reference 2: an object without \"type\" is no type"
    );
    assert!(problem(&format!("\"{}\"", "x".repeat(1_000_000))).len() < 300);
}

#[test]
fn a_schema_that_is_nested_too_deep_is_told() {
    let deep = format!("{}\"int\"{}", r#"{"type":"array","items":"#.repeat(200), "}".repeat(200));
    assert_eq!(problem(&deep), "the schema's JSON is nested more than 127 levels deep");
    let less = format!("{}\"int\"{}", r#"{"type":"array","items":"#.repeat(126), "}".repeat(126));
    assert!(parse(&less, &[]).is_ok());
}

fn least_json_of(schema: &str) -> u64 {
    let schema = parse(schema, &[]).expect("a schema");
    schema.plan.least(schema.plan.root).json
}

#[test]
fn what_a_value_takes_at_least_is_known_of_each_type() {
    assert_eq!(least_json_of(r#""null""#), 4);
    assert_eq!(least_json_of(r#"["string","null"]"#), 2);
    assert_eq!(least_json_of(&record(r#""name":"R""#, &[])), 2);
    let fields = record(r#""name":"R""#, &[("a", "\"null\""), ("bc", "\"long\"")]);
    assert_eq!(least_json_of(&fields), r#"{"a":null,"bc":1}"#.len() as u64);
    // Records within records are never thought larger than they are.
    let list = record(r#""name":"L""#, &[("next", r#"["null","L"]"#)]);
    assert!(least_json_of(&list) <= r#"{"next":null}"#.len() as u64);
    let endless = record(r#""name":"L""#, &[("next", "\"L\"")]);
    assert_eq!(least_json_of(&endless), r#"{"next":{}}"#.len() as u64);
}

#[test]
fn schemas_of_two_megabytes_are_read_on_a_small_stack() {
    // Records that hold the one defined before them: 30,000 levels, all in a flat JSON.
    let mut chain = String::from("[\"null\"");
    for number in 0..30_000 {
        let inner = match number {
            0 => "\"null\"".to_owned(),
            number => format!("\"R{}\"", number - 1),
        };
        chain.push(',');
        chain.push_str(&record(&format!("\"name\":\"R{number}\""), &[("a", &inner)]));
    }
    chain.push(']');
    let mut union = String::from("[");
    union.push_str(&vec!["\"int\""; 300_000].join(","));
    union.push(']');
    let fields: Vec<(&str, &str)> = vec![("abcdefgh", "\"long\""); 50_000];
    let wide = record("\"name\":\"Wide\"", &fields);
    let broken = "[".repeat(2_000_000);
    // Each name within a long namespace would be as long.
    let names = vec![("a", "\"A\""); 50_000];
    let long = record(&format!(r#""name":"R","namespace":"{}""#, "n".repeat(500_000)), &names);
    assert!(chain.len() > 2_000_000 && union.len() > 1_500_000 && wide.len() > 1_500_000);
    let tried = std::thread::Builder::new().stack_size(2 << 20).spawn(move || {
        let schema = parse(&chain, &[]).expect("a schema");
        assert_eq!(schema.read(&super::values_test::long(500)).expect("a value").json.len(), 3_004);
        assert!(schema.read(&super::values_test::long(20_000)).is_err());
        assert!(parse(&union, &[]).is_ok());
        assert!(parse(&wide, &[]).is_ok());
        assert!(parse(&broken, &[]).is_err());
        let expected = format!("{}…: a name of more than 1000 bytes", "n".repeat(100));
        assert_eq!(problem(&long), expected);
    });
    tried.expect("a thread").join().expect("no panic");
}
