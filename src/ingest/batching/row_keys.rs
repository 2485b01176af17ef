//! What the rows of a batch have in common, for `event_counts`.

use crate::event::Event;
use crate::ledger::{CountKey, CountKeys, KeyCounts, hour_of};
use crate::store::EventCounts;
use crate::time::PostgresMicros;

/// A batch counts itself if it has no more keys than this, or few for its rows.
const FEW_KEYS: usize = 64;
/// A key is worth counting in the batch's own transaction if it stands for so many rows on average.
const ROWS_OF_A_KEY: usize = 16;

/// The key of each row. Rows are counted when they are written: until then one of them can be
/// replaced.
#[derive(Debug, Default)]
pub(in crate::ingest) struct RowKeys {
    keys: CountKeys,
    /// The number of each row's key, and its `created_at`.
    rows: Vec<(u32, PostgresMicros)>,
}

impl RowKeys {
    /// Keeps the key of the next row.
    pub(super) fn push(&mut self, event: &Event<'_>, partition_id: i32) {
        let row = self.row(event, partition_id);
        self.rows.push(row);
    }

    /// The row `index` holds another event now.
    pub(super) fn replace(&mut self, index: usize, event: &Event<'_>, partition_id: i32) {
        self.rows[index] = self.row(event, partition_id);
    }

    /// The counts; `None` where the rows are so scattered that there are nearly as many keys.
    pub(in crate::ingest) fn counts(&self) -> Option<EventCounts<'_>> {
        if self.keys.len() > FEW_KEYS.max(self.rows.len() / ROWS_OF_A_KEY) {
            return None;
        }
        let mut sums = KeyCounts::default();
        for (key, created_at) in &self.rows {
            sums.add_one(*key, *created_at);
        }
        let mut counts = EventCounts::default();
        for (number, key) in (0..).zip(self.keys.iter()) {
            // A key whose rows were all replaced has none.
            if let Some(sum) = sums.of(number) {
                counts.push(key, sum);
            }
        }
        Some(counts)
    }

    fn row(&mut self, event: &Event<'_>, partition_id: i32) -> (u32, PostgresMicros) {
        let created_at = PostgresMicros::from(event.created_at);
        let key = CountKey {
            hour: hour_of(created_at),
            event_type: &event.event_type,
            source_service: event.source_service.as_deref(),
            partition_id,
            is_dlt: event.is_dlt,
        };
        (self.keys.number(key), created_at)
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::time::UnixMicros;

    const HOUR: i64 = 3_600_000_000;

    /// Its type, service, partition, whether it is a dead letter, and its time in half hours.
    type Row = (u8, Option<u8>, i32, bool, i64);

    /// A row of the hour that begins at `half_hours`, or half an hour later.
    fn event((event_type, service, _, is_dlt, half_hours): Row) -> Event<'static> {
        Event {
            event_id: Uuid::nil(),
            event_type: Cow::Owned(format!("T{event_type}")),
            aggregate_id: None,
            source_service: service.map(|number| Cow::Owned(format!("s{number}"))),
            is_dlt,
            payload: Cow::Borrowed("{}"),
            created_at: UnixMicros(half_hours * HOUR / 2),
            correlation_id: None,
            attributes: String::new(),
        }
    }

    fn keys_of(rows: &[Row]) -> RowKeys {
        let mut keys = RowKeys::default();
        for row in rows {
            keys.push(&event(*row), row.2);
        }
        keys
    }

    /// How many events, and which times, have each key, by what it means.
    fn expected(rows: &[Row]) -> BTreeMap<String, Vec<i64>> {
        let mut groups = BTreeMap::<String, Vec<i64>>::new();
        for (event_type, service, partition, is_dlt, half_hours) in rows {
            let hour = half_hours.div_euclid(2);
            let key = format!("{hour} T{event_type} {service:?} {partition} {is_dlt}");
            groups.entry(key).or_default().push(*half_hours);
        }
        groups
    }

    fn found(counts: &EventCounts<'_>) -> BTreeMap<String, Vec<i64>> {
        let half_hour = |time: PostgresMicros| {
            (time.0 - PostgresMicros::from(UnixMicros(0)).0).div_euclid(HOUR / 2)
        };
        let number = |name: &str| name[1..].parse::<u8>().ok();
        let groups = (0..counts.hours.len()).map(|at| {
            let key = format!(
                "{} {} {:?} {} {}",
                half_hour(counts.hours[at]).div_euclid(2),
                counts.event_types[at],
                counts.source_services[at].and_then(number),
                counts.partition_ids[at],
                counts.is_dlt[at]
            );
            (
                key,
                vec![
                    counts.events[at],
                    half_hour(counts.first_at[at]),
                    half_hour(counts.last_at[at]),
                ],
            )
        });
        groups.collect()
    }

    fn rows() -> impl Strategy<Value = Vec<Row>> {
        let row = (0..3_u8, proptest::option::of(0..2_u8), 0..2, any::<bool>(), -4..4_i64);
        proptest::collection::vec(row, 0..40)
    }

    proptest! {
        #[test]
        fn each_key_has_the_rows_that_are_written_whichever_were_replaced(
            before in rows(), after in rows(), places in proptest::collection::vec(0..40_usize, 0..10)
        ) {
            let mut keys = keys_of(&before);
            let mut now = before;
            for (place, row) in places.into_iter().zip(after) {
                if place < now.len() {
                    now[place] = row;
                    keys.replace(place, &event(row), row.2);
                }
            }
            let summed: BTreeMap<_, _> = expected(&now)
                .into_iter()
                .map(|(key, times)| {
                    let (min, max) = (times.iter().min(), times.iter().max());
                    (key, vec![times.len() as i64, *min.unwrap_or(&0), *max.unwrap_or(&0)])
                })
                .collect();
            // Up to 64 keys are few for any batch.
            if let Some(counts) = keys.counts() {
                prop_assert_eq!(found(&counts), summed);
            } else {
                prop_assert!(keys.keys.len() > FEW_KEYS);
            }
        }
    }

    #[test]
    fn a_batch_of_scattered_times_does_not_count_itself() {
        let of_hours = |rows: i64, hours: i64| -> Vec<Row> {
            (0..rows).map(|row| (0, None, 1, false, 2 * (row % hours))).collect()
        };
        assert!(keys_of(&of_hours(64, 64)).counts().is_some());
        assert_eq!(keys_of(&of_hours(65, 65)).counts(), None);
        assert!(keys_of(&of_hours(1600, 100)).counts().is_some());
        assert_eq!(keys_of(&of_hours(1600, 101)).counts(), None);
    }
}
