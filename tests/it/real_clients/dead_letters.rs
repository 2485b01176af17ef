//! Dead letters that Kafka Connect and Spring write by themselves: what they say, and their way
//! back.

use super::{ORDER, Recorded};
use crate::support::{Captured, CapturedHeader, capture};

/// Key, value and headers.
type Content = (Option<Vec<u8>>, Option<Vec<u8>>, Vec<CapturedHeader>);

/// A topic whose events died.
struct Origin {
    topic: &'static str,
    dead_letters: &'static str,
    /// In the order of their origins: offset, the ends of the exception's class and of its message.
    errors: &'static [[&'static str; 3]],
}

const CONVERTER: &str = "connect.errors.DataException";
const LISTENER: &str = "java.lang.IllegalStateException";
const DESERIALIZER: &str = "serializer.DeserializationException";

const ORIGINS: [Origin; 3] = [
    Origin {
        topic: "shop.events",
        dead_letters: "shop.events-dlq",
        errors: &[
            ["0", CONVERTER, "set schemas.enable=false in your converter configuration."],
            ["2", CONVERTER, "due to serialization error: "],
            ["3", CONVERTER, "due to serialization error: "],
        ],
    },
    Origin {
        topic: "stock.events",
        dead_letters: "stock.events-dlt",
        errors: &[
            ["0", LISTENER, "threw exception; no stock for \"lamp\""],
            ["1", DESERIALIZER, "failed to deserialize"],
            ["2", DESERIALIZER, "failed to deserialize"],
            ["3", DESERIALIZER, "failed to deserialize"],
        ],
    },
    Origin {
        topic: "stock.retried",
        dead_letters: "stock.retried-dlt",
        errors: &[
            ["0", LISTENER, "still no stock for \"lamp\""],
            ["1", DESERIALIZER, "failed to deserialize"],
        ],
    },
];

#[test]
fn dead_letters_of_connect_and_spring_tell_where_they_are_from_and_what_failed() {
    let Some(recorded) = Recorded::shared() else { return };
    for Origin { topic, dead_letters, errors } in ORIGINS {
        let [topic, dead_letters] = [topic, dead_letters].map(|name| recorded.scope.topic(name));
        let found = recorded.database.rows(&format!(
            "SELECT origin_topic, origin_partition, origin_offset, exception_class, exception_message,
                origin_timestamp, consumer_group, stack_trace
            FROM dead_letters
            JOIN event_logs ON event_logs.id = dead_letters.event_log_id
            JOIN kafka_partitions USING (partition_id)
            WHERE topic = '{dead_letters}'
            ORDER BY origin_offset"
        ));
        assert_eq!(found.len(), errors.len(), "{dead_letters}: {found:?}");
        for (row, [offset, class, message]) in found.iter().zip(errors) {
            assert_eq!(row[..3], [topic.as_str(), "0", *offset], "{dead_letters}");
            assert!(row[3].ends_with(class), "{row:?}");
            assert!(row[4].ends_with(message), "{row:?}");
            assert!(row[7].contains("\tat org."), "{row:?}");
            if topic.contains("stock") {
                assert!(row[5].starts_with("2026-02-28 23:59:59.999"), "{row:?}");
                assert!(row[6].starts_with("stock-service"), "{row:?}");
            }
        }
        let groups = recorded.audit.succeed(&["dlt", "--topic", &dead_letters, "-o", "ndjson"]);
        assert!(groups.contains(&topic) && groups.contains(errors[0][1]), "{groups}");
    }
}

#[test]
fn a_dead_letter_is_found_by_the_id_that_its_event_had() {
    let Some(recorded) = Recorded::shared() else { return };
    for (topic, id, event_type) in [
        ("shop.events-dlq", "ORDER-4711", "OrderPlaced"),
        ("stock.events-dlt", ORDER, "StockTaken"),
        ("stock.events-dlt", "ORDER-4711", "StockTaken"),
        ("stock.retried-dlt", ORDER, "StockTaken"),
        ("stock.retried-dlt", "ORDER-4711", "StockTaken"),
    ] {
        let types = recorded.types(topic, &["--dlt", "--aggregate", id, "--type", event_type]);
        assert_eq!(types, [event_type], "{topic} {id}");
        let by_error = ["--aggregate", id, "--error", "*Exception*", "--type", event_type];
        assert_eq!(recorded.types(topic, &by_error), [event_type], "{topic} {id}");
    }
}

#[test]
fn dead_letters_of_connect_and_spring_go_back_byte_for_byte() {
    let Some(recorded) = Recorded::shared() else { return };
    for Origin { topic, dead_letters, errors } in ORIGINS {
        let [topic, dead_letters] = [topic, dead_letters].map(|name| recorded.scope.topic(name));
        let before = capture(&recorded.audit.brokers, &topic);
        recorded.audit.succeed(&["replay-dlt", "--topic", &dead_letters, "--yes"]);
        let after = capture(&recorded.audit.brokers, &topic);
        assert_eq!(after.len(), before.len() + errors.len(), "{topic}");
        let died: Vec<&Captured> = before
            .iter()
            .filter(|record| errors.iter().any(|[offset, ..]| *offset == record.offset.to_string()))
            .collect();
        assert_eq!(contents(&after[before.len()..]), contents(died), "{topic}");
    }
}

/// Keys, values and headers, without the marks of a replay, in an order of their own.
fn contents<'a>(records: impl IntoIterator<Item = &'a Captured>) -> Vec<Content> {
    let content = |record: &Captured| {
        let headers = record.headers.iter();
        let own = headers.filter(|(name, _)| !name.starts_with(b"audit-replay-")).cloned();
        (record.key.clone(), record.value.clone(), own.collect())
    };
    let mut contents: Vec<Content> = records.into_iter().map(content).collect();
    contents.sort();
    contents
}
