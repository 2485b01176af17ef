//! `audit decode`: neither Kafka nor the database is asked.

use std::io::Write as _;
use std::process::{Output, Stdio};

use crate::support::Audit;

fn audit() -> Audit {
    // Whoever asks them gets an error.
    Audit {
        database_url: "postgresql://127.0.0.1:9/none".to_owned(),
        brokers: "127.0.0.1:9".to_owned(),
    }
}

fn decode(arguments: &[&str], stdin: &[u8]) -> Output {
    let mut command = audit().command(&[&["decode"], arguments].concat());
    command.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::piped());
    let spawned = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = spawned.unwrap_or_else(|error| panic!("{error}"));
    if let Some(mut pipe) = child.stdin.take() {
        // Nobody reads it where a file is named instead.
        let _ = pipe.write_all(stdin);
    }
    child.wait_with_output().unwrap_or_else(|error| panic!("{error}"))
}

fn answer(arguments: &[&str], stdin: &[u8]) -> String {
    let output = decode(arguments, stdin);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn complaint(arguments: &[&str], stdin: &[u8]) -> (Option<i32>, String) {
    let output = decode(arguments, stdin);
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_value_is_decoded_with_the_key_and_headers_of_the_command_line() {
    let arguments = [
        "-",
        "--topic",
        "shop.orders-dlt",
        "--key",
        "17",
        "--header",
        "type=OrderPlaced",
        "--header",
        "kafka_dlt-exception-message=a=b",
        "--partition",
        "2",
        "--offset",
        "41",
        "--timestamp",
        "2026-11-22T10:00:00Z",
        "--cluster-id",
        "c",
    ];
    insta::assert_snapshot!(answer(&arguments, b"{\"order\":\n 17}"), @r#"
    stdin: plain JSON
    column             from                                                       value
    event_id           cluster, topic, partition and offset                       096f2390-8d82-5375-a675-17e2fd3538aa
    event_type         header type                                                OrderPlaced
    aggregate_id       the key (other text than a UUID, mapped by UUID v5)        17 (a294ee70-bf4d-58d4-99fa-4bdb73304af2)
    source_service     nowhere                                                    -
    is_dlt             the topic's name                                           true
    payload            the whole value                                            {"order":17}
    created_at         Kafka's timestamp (no time was found)                      2026-11-22T10:00:00.000000Z
    correlation_id     nowhere                                                    -
    attributes         a rule of the audit (key, headers and what has no column)  {"key":"17","headers":[["type","OrderPlaced"],["kafka_dlt-exception-message","a=b"]],"created_at_from":"kafka_timestamp"}
    origin_topic       the topic's name without its ending: a guess               shop.orders
    origin_partition   nowhere                                                    -
    origin_offset      nowhere                                                    -
    origin_timestamp   nowhere                                                    -
    consumer_group     nowhere                                                    -
    exception_class    nowhere                                                    -
    exception_message  headers of Spring Kafka                                    a=b
    stack_trace        nowhere                                                    -
    attempts           nowhere                                                    -
    "#);
}

#[test]
fn a_quarantined_record_is_an_answer_and_no_failure() {
    insta::assert_snapshot!(answer(&["fixtures/quarantine/byte_order_mark.json"], b""), @r#"
    fixtures/quarantine/byte_order_mark.json: quarantined as byte_order_mark: the value starts with a byte order mark
    column          from                                                       value
    event_id        cluster, topic, partition and offset                       07fa4736-d607-516d-b5dd-a161493b4713
    event_type      a rule of the audit                                        audit.Quarantined
    aggregate_id    the key                                                    7b0f6a0e-3d0c-4f64-9a5b-1f0f3b0e8c11
    source_service  nowhere                                                    -
    is_dlt          the topic's name                                           false
    payload         the whole value                                            {"reason":"byte_order_mark","detail":"the value starts with a byte order mark","value_base64":"77u/eyJldmVudF90eXBlIjoiQSJ9","key_base64":"N2IwZjZhMGUtM2QwYy00ZjY0LTlhNWItMWYwZjNiMGU4YzEx"}
    created_at      Kafka's timestamp (no time was found)                      2026-11-22T10:00:01.000000Z
    correlation_id  nowhere                                                    -
    attributes      a rule of the audit (key, headers and what has no column)  {"key":"7b0f6a0e-3d0c-4f64-9a5b-1f0f3b0e8c11","created_at_from":"kafka_timestamp"}
    "#);
}

#[test]
fn formats_for_programs_have_one_object_for_each_record() {
    let files = [
        "fixtures/native/order_created.json",
        "fixtures/dead_letters/spring.json",
        "-",
        "-o",
        "ndjson",
    ];
    let stdin =
        b"{\"record\":{\"topic\":\"t\",\"value\":null}}\n{\"record\":{\"topic\":\"t\",\"value\":\"\"}}";
    let lines = answer(&files, stdin);
    let answers: Vec<serde_json::Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")))
        .collect();
    let told: Vec<_> = answers
        .iter()
        .map(|answer| {
            (answer["record"].as_str(), answer["decoder"].as_str(), answer["reason"].as_str())
        })
        .collect();
    let expected = [
        (Some("fixtures/native/order_created.json"), Some("native envelope"), None),
        (Some("fixtures/dead_letters/spring.json"), Some("native envelope"), None),
        (Some("stdin, record 1"), Some("tombstone"), None),
        (Some("stdin, record 2"), Some("quarantined"), Some("empty")),
    ];
    assert_eq!(told, expected);
    assert_eq!(answers[0]["payload"]["total_amount"], "99.90");
    assert_eq!(answers[0]["origins"]["created_at"], "member occurred_at");
    assert_eq!(answers[0]["dead_letter"], serde_json::Value::Null);
    assert_eq!(answers[1]["dead_letter"]["origin_offset"], 41);
    assert_eq!(answers[1]["dead_letter"]["origin_timestamp"], "2026-11-22T10:00:01.000000Z");
    assert_eq!(answers[3]["detail"], "the value has no bytes");
}

#[test]
fn a_pattern_makes_dead_letters_of_other_topics() {
    let arguments = ["-", "--topic", "parking-lot", "-o", "ndjson"];
    assert!(answer(&arguments, b"1").contains("\"is_dlt\":false"));
    assert!(
        answer(&[&arguments[..], &["--dlt-pattern", "^parking"]].concat(), b"1")
            .contains("\"is_dlt\":true")
    );
}

#[test]
fn what_cannot_be_read_is_named() {
    let (code, stderr) = complaint(&["no/such/file"], b"");
    assert_eq!(code, Some(1));
    assert!(
        stderr.starts_with("error: reading no/such/file: No such file or directory"),
        "{stderr}"
    );
    assert!(complaint(&["src"], b"").1.contains("reading src: Is a directory"));
    let (code, stderr) = complaint(&["-"], br#"{"record":{"topic":"t","valve":1}}"#);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("stdin: record 1 cannot be read: unknown field `valve`"), "{stderr}");
    for wrong in [
        &["-", "--header", "x"][..],
        &["-", "--timestamp", "soon"],
        &["-", "--dlt-pattern", "("],
        &[],
    ] {
        assert_eq!(complaint(wrong, b"1").0, Some(2), "{wrong:?}");
    }
}

#[test]
fn nothing_of_a_record_reaches_a_terminal_as_a_control() {
    let shown = answer(
        &["fixtures/native/terminal_escapes.json", "fixtures/quarantine/terminal_escapes.json"],
        b"",
    );
    assert!(!shown.contains(['\x1b', '\x07', '\u{9b}']), "{shown}");
    assert!(shown.contains("\\u{1b}[31mRed"), "{shown}");
}

#[test]
fn a_file_that_can_not_be_read_fails_it_and_the_others_are_answered() {
    let (code, said) = complaint(&["no/such/file.json", "-o", "json", "-"], b"{}");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("reading no/such/file.json"), "{said}");
    let output = decode(&["no/such/file.json", "-o", "json", "-"], b"{}");
    let rows: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap_or_default();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["record"], "stdin");
}
