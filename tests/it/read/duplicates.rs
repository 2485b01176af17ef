//! A second delivery of an event is a row like any other, and --dedup keeps the delivery that
//! committed first.

use record_file::{Content, Record};
use sandbox::Sandbox;

use crate::support::{Audit, Database, Oracle};

fn delivery(topic: &str, partition: i32, event: &str, delivery: u32) -> Record {
    let value = format!(
        r#"{{"event_id":"{event}","event_type":"OrderCreated","payload":{{"delivery":{delivery}}}}}"#
    );
    Record {
        topic: topic.to_owned(),
        partition: Some(partition),
        offset: None,
        timestamp_ms: None,
        key: None,
        headers: Vec::new(),
        value: Some(Content(value.into_bytes())),
    }
}

#[test]
fn each_delivery_is_a_row_and_dedup_keeps_the_first_committed() {
    let scope = Sandbox::shared().scope("duplicates");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 2));
    let (twice, once) = ("00000000-0000-4000-8000-00000000000a", "an id that is text");
    // Within one batch, in a later batch, and out of another partition.
    let runs = [
        vec![
            delivery(&topic, 0, twice, 1),
            delivery(&topic, 0, once, 2),
            delivery(&topic, 0, twice, 3),
        ],
        vec![delivery(&topic, 0, twice, 4)],
        vec![delivery(&topic, 1, twice, 5)],
    ];
    for records in &runs {
        sandbox::produce(scope.brokers(), records).unwrap_or_else(|error| panic!("{error}"));
        audit.succeed(&["ingest", "--until-end", "--topics", &topic]);
    }
    let database = Database::open(&audit.database_url);
    assert_eq!(database.event_count(), 5);
    Oracle::read(&database, scope.brokers(), &[&topic]).approve_coverage();

    let of_event = |command: &[&str]| {
        let mut lines: Vec<_> = audit.succeed(command).lines().skip(1).map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let columns = ["--columns", "payload", "-o", "csv"];
    let first = [r#""{""delivery"": 1}""#, r#""{""delivery"": 2}""#];
    assert_eq!(of_event(&[&["query"][..], &columns].concat()).len(), 5);
    assert_eq!(of_event(&[&["query", "--dedup"][..], &columns].concat()), first);
    assert_eq!(of_event(&[&["export", "--dedup"][..], &columns].concat()), first);
    assert_eq!(audit.succeed(&["query", "--dedup", "--count"]).trim(), "2");
    let counted = |command: &[&str], place: &str| {
        let shown: serde_json::Value =
            serde_json::from_str(&audit.succeed(command)).unwrap_or_default();
        shown.pointer(place).cloned()
    };
    assert_eq!(counted(&["stats", "--duplicates", "-o", "json"], "/0/duplicates"), Some(3.into()));
    assert_eq!(counted(&["status", "-o", "json"], "/database/duplicates"), Some(3.into()));
}
