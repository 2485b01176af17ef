//! `audit decode` with a schema.

use std::io::Write;
use std::process::Stdio;

use super::fake::{Answer, FakeRegistry};
use super::{ORDER, nowhere, order, wire};

/// The answer about a value, as JSON; the exit code and stderr.
fn decode(value: &[u8], arguments: &[&str]) -> (serde_json::Value, Option<i32>, String) {
    let mut command = nowhere().command(&[&["decode", "-", "-o", "json"], arguments].concat());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{error}"));
    child.stdin.take().expect("it is piped").write_all(value).expect("it reads");
    let output = child.wait_with_output().unwrap_or_else(|error| panic!("{error}"));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    (json[0].clone(), output.status.code(), stderr)
}

/// A file in a folder that goes with the test.
fn file(folder: &tempfile::TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    std::fs::create_dir_all(path.parent().expect("it has a folder")).expect("a folder");
    std::fs::write(&path, text).expect("it can be written");
    path.display().to_string()
}

#[test]
fn a_value_is_read_by_the_schema_of_a_file_with_its_header_or_bare() {
    let folder = tempfile::tempdir().expect("a folder");
    let avro = file(&folder, "order.avsc", ORDER);
    for value in [order(7), wire(3, &order(7))] {
        let (answer, code, stderr) = decode(&value, &["--schema", &avro]);
        assert_eq!(code, Some(0), "{stderr}");
        assert_eq!(answer["event_type"], "OrderPlaced");
        assert_eq!(answer["payload"], serde_json::json!({"id": "o-7", "total": 7}));
        assert_eq!(answer["attributes"]["schema_name"], "com.acme.OrderPlaced");
        assert_eq!(answer["attributes"]["schema_type"], "AVRO");
        let id = if value[0] == 0 { serde_json::json!(3) } else { serde_json::Value::Null };
        assert_eq!(answer["attributes"]["schema_id"], id);
    }
    let json = file(&folder, "order.json", r#"{"title":"OrderNoted"}"#);
    for value in [b"{\"a\": 1}".to_vec(), wire(3, b"{\"a\": 1}")] {
        let (answer, _, stderr) = decode(&value, &["--schema", &json]);
        assert_eq!(answer["event_type"], "OrderNoted", "{stderr}");
    }
    file(
        &folder,
        "shared/money.proto",
        "syntax = \"proto3\"; package acme; message Money { int64 amount = 1; }",
    );
    let proto = file(
        &folder,
        "order.proto",
        "syntax = \"proto3\"; package acme; import \"shared/money.proto\";\n\
         message Order { string id = 1; Money total = 2; } message Paid { Money of = 1; }",
    );
    let shipped = b"\x0a\x03o-1\x12\x02\x08\x07";
    for value in [shipped.to_vec(), wire(3, &[b"\0", &shipped[..]].concat())] {
        let (answer, _, stderr) = decode(&value, &["--schema", &proto]);
        assert_eq!(answer["event_type"], "Order", "{stderr} {answer}");
        assert_eq!(answer["payload"], serde_json::json!({"id": "o-1", "total": {"amount": "7"}}));
    }
    let (answer, _, stderr) =
        decode(b"\x0a\x02\x08\x07", &["--schema", &proto, "--message", "acme.Paid"]);
    assert_eq!(answer["payload"], serde_json::json!({"of": {"amount": "7"}}), "{stderr}");
    let (answer, code, _) = decode(b"\x06o", &["--schema", &avro]);
    assert_eq!((answer["reason"].as_str(), code), (Some("schema_mismatch"), Some(0)));
}

#[test]
fn a_value_is_read_by_the_schema_of_the_registry_and_so_is_its_key() {
    let registry = FakeRegistry::start();
    registry.register(1, "AVRO", ORDER, &["orders.events-value"]);
    let url = registry.url();
    let (answer, code, stderr) = decode(&wire(1, &order(7)), &["--schema-registry", &url]);
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(answer["event_type"], "OrderPlaced");
    assert_eq!(answer["attributes"]["schema_subject"], "orders.events-value");
    let (answer, ..) = decode(&wire(9, &order(7)), &["--schema-registry", &url]);
    assert_eq!(answer["reason"], "unknown_schema");
    // It is not waited for.
    registry.answer_instead(|_| Some(Answer::of(503, "")));
    let (_, code, stderr) = decode(&wire(1, &order(7)), &["--schema-registry", &url]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("/below/here/schemas/ids/1: 503 Service Unavailable"), "{stderr}");
}

#[test]
fn a_schema_that_is_no_use_is_said_and_where_one_would_help_it_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let other = file(&folder, "order.xsd", "");
    let (_, code, stderr) = decode(b"{}", &["--schema", &other]);
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains("name a file that ends in .avsc, .proto or .json"), "{stderr}");
    let broken = file(&folder, "order.avsc", "{");
    let (_, code, stderr) = decode(b"{}", &["--schema", &broken]);
    assert!(code == Some(1) && stderr.contains("order.avsc: "), "{stderr}");
    let (_, code, stderr) = decode(b"{}", &["--schema", "nothing.avsc"]);
    assert!(code == Some(1) && stderr.contains("nothing.avsc: No such file"), "{stderr}");
    let both = ["--schema", &broken, "--schema-registry", "http://localhost:1"];
    let (_, code, stderr) = decode(b"{}", &both);
    assert!(code == Some(2) && stderr.contains("two sources"), "{stderr}");
    let (answer, code, stderr) = decode(&wire(1, &order(7)), &[]);
    assert_eq!((answer["reason"].as_str(), code), (Some("schema_registry"), Some(0)));
    assert!(stderr.contains("--schema FILE or --schema-registry URL"), "{stderr}");
}

#[test]
fn a_message_that_the_file_does_not_have_is_wrong_usage_and_the_last_part_of_a_name_is_enough() {
    let folder = tempfile::tempdir().expect("a folder");
    let proto = file(
        &folder,
        "order.proto",
        "syntax = \"proto3\"; package acme; message Order { string id = 1; } message Paid { Order of = 1; message By { string name = 1; } }",
    );
    let (answer, code, stderr) =
        decode(b"\x0a\x01x", &["--schema", &proto, "--message", "Paid.By"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(answer["attributes"]["schema_name"], "acme.Paid.By");
    // A header tells the message itself.
    let with_header = wire(3, b"\0\x0a\x01x");
    let (answer, ..) = decode(&with_header, &["--schema", &proto, "--message", "Paid.By"]);
    assert_eq!(answer["attributes"]["schema_name"], "acme.Order");
    let (_, code, stderr) = decode(b"\x0a\x01x", &["--schema", &proto, "--message", "Nope"]);
    assert_eq!(code, Some(2), "{stderr}");
    assert!(
        stderr.starts_with(
            "error: --message Nope: the file has acme.Order, acme.Paid, acme.Paid.By\n"
        ),
        "{stderr}"
    );
    let avro = file(&folder, "order.avsc", ORDER);
    let (_, code, stderr) = decode(&order(7), &["--schema", &avro, "--message", "Order"]);
    assert_eq!(code, Some(2), "{stderr}");
    for (name, text) in [("empty.proto", ""), ("bad.json", "{bad")] {
        let path = file(&folder, name, text);
        let (_, code, stderr) = decode(b"{}", &["--schema", &path]);
        assert_eq!(code, Some(1), "{stderr}");
        assert!(stderr.contains(&format!("--schema {path}: ")), "{stderr}");
    }
}
