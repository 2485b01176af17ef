//! Dead letters that Kafka Connect and Spring write by themselves: what they say, and their way
//! back.

use std::collections::BTreeMap;

use super::{ORDER, Recorded};
use crate::support::{Captured, CapturedHeader, capture};

/// Topic and topic of dead letters, with what is said of the dead letters in the order of their
/// origins: offset, the ends of the exception's class and of its message.
const TOPICS: [(&str, &str, &[(&str, &str, &str)]); 3] = [
    (
        "shop.events",
        "shop.events-dlq",
        &[
            (
                "0",
                "connect.errors.DataException",
                "set schemas.enable=false in your converter configuration.",
            ),
            ("2", "connect.errors.DataException", "due to serialization error: "),
            ("3", "connect.errors.DataException", "due to serialization error: "),
        ],
    ),
    (
        "stock.events",
        "stock.events-dlt",
        &[
            ("0", "java.lang.IllegalStateException", "threw exception; no stock for \"lamp\""),
            ("1", "serializer.DeserializationException", "failed to deserialize"),
            ("2", "serializer.DeserializationException", "failed to deserialize"),
            ("3", "serializer.DeserializationException", "failed to deserialize"),
        ],
    ),
    (
        "stock.retried",
        "stock.retried-dlt",
        &[
            ("0", "java.lang.IllegalStateException", "still no stock for \"lamp\""),
            ("1", "serializer.DeserializationException", "failed to deserialize"),
        ],
    ),
];

#[test]
fn dead_letters_of_connect_and_spring_tell_where_they_are_from_and_what_failed() {
    let Some(recorded) = Recorded::shared() else { return };
    for (topic, dead_letters, expected) in TOPICS {
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
        assert_eq!(found.len(), expected.len(), "{dead_letters}: {found:?}");
        for (row, (offset, class, message)) in found.iter().zip(expected) {
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
        assert!(groups.contains(&topic) && groups.contains(expected[0].1), "{groups}");
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
    for (topic, dead_letters, expected) in TOPICS {
        let [topic, dead_letters] = [topic, dead_letters].map(|name| recorded.scope.topic(name));
        let before = capture(&recorded.audit.brokers, &topic);
        recorded.audit.succeed(&["replay-dlt", "--topic", &dead_letters, "--yes"]);
        let after = capture(&recorded.audit.brokers, &topic);
        assert_eq!(after.len(), before.len() + expected.len(), "{topic}");
        let died: Vec<&Captured> = before
            .iter()
            .filter(|record| {
                expected.iter().any(|(offset, ..)| *offset == record.offset.to_string())
            })
            .collect();
        assert_eq!(contents(&after[before.len()..]), contents(died), "{topic}");
    }
}

/// Keys, values and headers, without the marks of a replay; how often each is there.
fn contents<'a>(
    records: impl IntoIterator<Item = &'a Captured>,
) -> BTreeMap<(Option<Vec<u8>>, Option<Vec<u8>>, Vec<CapturedHeader>), usize> {
    let mut contents = BTreeMap::new();
    for record in records {
        let headers = record
            .headers
            .iter()
            .filter(|(name, _)| !name.starts_with(b"audit-replay-"))
            .cloned()
            .collect();
        *contents.entry((record.key.clone(), record.value.clone(), headers)).or_default() += 1;
    }
    contents
}
