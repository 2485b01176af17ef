//! What `status`, `config show` and the log tell about schemas.

use sandbox::Sandbox;
use unicode_width::UnicodeWidthStr;

use super::fake::FakeRegistry;
use super::{ORDER, nowhere, order, wire};
use crate::support::{Audit, Database, Producer, Terminal};

const WIDTHS: [u16; 3] = [80, 120, 200];

/// What a command shows on a terminal is no wider than that, and holds some words.
fn assert_fits(audit: &Audit, script: &str, columns: u16, words: &str) {
    let command = audit.shell(&format!("export NO_COLOR=1; {script}"));
    let (_, screen) = Terminal::start(command, columns).end();
    assert!(screen.contains(words), "{screen}");
    let widest = screen.lines().map(UnicodeWidthStr::width).max();
    assert!(widest.is_some_and(|widest| widest <= columns.into()), "{columns}: {screen}");
}

#[test]
fn what_decode_makes_of_a_schema_fits_every_terminal() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).expect("it can be written");
    };
    write("order.avsc", ORDER.as_bytes());
    write("good", &wire(3, &order(1)));
    write("bad", &wire(3, b"\x06o"));
    let nowhere = nowhere();
    let folder = folder.path().display();
    let decode =
        |file: &str| format!("cd {folder} && \"$0\" decode {file} --schema order.avsc --key o-1");
    for columns in WIDTHS {
        let words = "good: plain JSON, by the AVRO schema com.acme.OrderPlaced, id 3";
        assert_fits(&nowhere, &decode("good"), columns, words);
        let (_, screen) = Terminal::start(nowhere.shell(&decode("bad")), columns).end();
        assert!(screen.contains("bad: quarantined as schema_mismatch: "), "{screen}");
    }
}

#[test]
fn status_counts_what_was_quarantined_for_want_of_a_schema_and_names_the_option() {
    let scope = Sandbox::shared().scope("registry_status");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 1));
    let registry = FakeRegistry::start();
    registry.register(1, "AVRO", ORDER, &["orders-value"]);
    registry.register(3, "AVRO", "broken", &["broken-value"]);
    let producer = Producer::new(scope.brokers());
    let send = |id: u32| producer.send(&topic, None, Some(b"k"), Some(&wire(id, &order(1))), &[]);
    [1, 1, 1].into_iter().for_each(send);
    producer.send(&topic, None, Some(b"k"), Some(b"no JSON"), &[]);
    producer.flush();
    let output = audit.run(&["ingest", "--topics", &topic, "--until-end"]);
    let log = String::from_utf8_lossy(&output.stderr);
    assert_eq!(log.matches("records need a schema registry").count(), 1, "{log}");
    assert!(log.contains("--schema-registry URL"), "{log}");
    let url = registry.url();
    [1, 2, 2, 3].into_iter().for_each(send);
    producer.flush();
    let more = audit.run(&["ingest", "--topics", &topic, "--until-end", "--schema-registry", &url]);
    assert!(more.status.success(), "{more:?}");
    assert!(!String::from_utf8_lossy(&more.stderr).contains("records need a schema registry"));
    let output = audit.run(&["status", "-o", "json"]);
    let status: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    assert_eq!(status["database"]["quarantined"], 7);
    assert_eq!(status["database"]["lacking_schemas"], 6);
    let hint =
        "3 rows could not be read without a schema registry: `audit ingest --schema-registry URL`";
    assert!(String::from_utf8_lossy(&output.stderr).contains(hint), "{output:?}");
    let table = audit.succeed(&["status"]);
    let line = table.lines().find(|line| line.starts_with("lacking schemas"));
    let words = "6: 3 schema_registry, 2 unknown_schema, 1 schema_invalid";
    assert!(line.is_some_and(|line| line.contains(words)), "{table}");
    for columns in WIDTHS {
        assert_fits(&audit, "\"$0\" status 2>/dev/null", columns, words);
    }
    let database = Database::open(&audit.database_url);
    assert_eq!(
        database.number("SELECT count(*) FROM event_logs WHERE event_type = 'OrderPlaced'"),
        1
    );
}

#[test]
fn status_of_a_database_without_such_rows_says_nothing_about_schemas() {
    let scope = Sandbox::shared().scope("registry_status_without");
    let audit = Audit::migrated(&scope);
    let output = audit.run(&["status"]);
    let shown = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(!shown.contains("schema"), "{shown}");
    let output = audit.run(&["status", "-o", "json"]);
    let status: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    assert_eq!(status["database"]["lacking_schemas"], 0);
}
