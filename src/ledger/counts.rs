//! Whether the counts of events are those of the rows.

use super::Finding;
use super::count_keys::{CountKey, CountKeys, KeyCount, KeyCounts};
use crate::count_text::counted;
use crate::time::{Timestamp, timestamp_text};

/// Compares what `event_counts` has with the rows of the batches that it counts. Rows that are
/// missing are known as such: keys may count so many more together. `partition` names a partition
/// by its id.
pub fn check_counts(
    keys: &CountKeys,
    of_rows: &KeyCounts,
    known: &KeyCounts,
    missing_rows: i64,
    partition: impl Fn(i32) -> String,
) -> Vec<Finding> {
    let pairs =
        || (0..).zip(keys.iter()).map(|(number, key)| (key, of_rows.of(number), known.of(number)));
    let events = |count: Option<KeyCount>| count.map_or(0, |count| count.events);
    let surplus: i64 = pairs().map(|(_, rows, known)| (events(known) - events(rows)).max(0)).sum();
    let mut findings = Vec::new();
    for (key, rows, known) in pairs().filter(|(_, rows, known)| rows != known) {
        let text = match (events(known), events(rows)) {
            (counted, found) if counted > found && surplus <= missing_rows => continue,
            (counted, found) if counted == found => "has other times than its rows".to_owned(),
            (counts, found) => {
                format!("counts {}, where the batches have {found}", counted(counts, "event"))
            }
        };
        findings
            .push(Finding::altered("event_counts", format!("{}: {text}", named(key, &partition))));
    }
    findings
}

/// `OrderCreated of order-service in orders.events [0], hour 2026-11-22 10:00:00+00`
fn named(key: CountKey<'_>, partition: impl Fn(i32) -> String) -> String {
    let service = key.source_service.map(|service| format!(" of {service}")).unwrap_or_default();
    let dead = if key.is_dlt { ", dead letters" } else { "" };
    let place = partition(key.partition_id);
    format!(
        "{}{service} in {place}{dead}, hour {}",
        key.event_type,
        timestamp_text(Timestamp::without_zone(key.hour))
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::count_keys::hour_of;
    use crate::time::PostgresMicros;

    /// What is found where the rows have these times (in seconds) of a type, and the counts those.
    fn findings(rows: &[(&str, i64)], known: &[(&str, i64)], missing: i64) -> Vec<String> {
        let mut keys = CountKeys::default();
        let mut sums = |events: &[(&str, i64)]| {
            let mut counts = KeyCounts::default();
            for (event_type, seconds) in events {
                let time = PostgresMicros(seconds * 1_000_000);
                let key = CountKey {
                    hour: hour_of(time),
                    event_type,
                    source_service: None,
                    partition_id: 1,
                    is_dlt: false,
                };
                counts.add_one(keys.number(key), time);
            }
            counts
        };
        let (rows, known) = (sums(rows), sums(known));
        let partition = |id| format!("topic [{id}]");
        let found = check_counts(&keys, &rows, &known, missing, partition);
        found.into_iter().map(|finding| finding.text).collect()
    }

    #[test]
    fn counts_that_are_those_of_the_rows_have_no_findings() {
        let events = [("A", 1), ("A", 3600), ("B", 2)];
        assert!(findings(&events, &events, 0).is_empty());
    }

    #[test]
    fn too_many_too_few_and_other_times_are_named_by_their_key() {
        let rows = [("A", 1), ("A", 2), ("B", 1), ("C", 1)];
        let key =
            |event_type| format!("{event_type} in topic [1], hour 2000-01-01T00:00:00.000000Z");
        assert_eq!(
            findings(&rows, &[("A", 1), ("B", 1), ("B", 1), ("C", 2)], 0),
            [
                format!("{}: counts 1 event, where the batches have 2", key("A")),
                format!("{}: counts 2 events, where the batches have 1", key("B")),
                format!("{}: has other times than its rows", key("C")),
            ]
        );
    }

    #[test]
    fn rows_that_are_missing_are_no_fault_of_the_counts() {
        let known = [("A", 1), ("A", 2), ("B", 1)];
        assert!(findings(&[("A", 1)], &known, 2).is_empty());
        assert_eq!(findings(&[("A", 1)], &known, 1).len(), 2);
        // That nothing counts a row is another matter.
        assert_eq!(findings(&[("A", 1), ("B", 1), ("C", 1)], &known, 2).len(), 1);
    }
}
