//! What the rows of a batch have in common, for `event_counts`.

use std::collections::HashMap;
use std::sync::Arc;

use crate::event::Event;
use crate::store::EventCounts;
use crate::time::PostgresMicros;

const HOUR: i64 = 3_600_000_000;

/// A batch counts itself if it has no more keys than this, or few for its rows.
const FEW_KEYS: usize = 64;
/// A key is worth counting in the batch's own transaction if it stands for so many rows on average.
const ROWS_OF_A_KEY: usize = 16;

/// The key of each row. Rows are counted when they are written: until then one of them can be
/// replaced.
#[derive(Debug, Default)]
pub(in crate::ingest) struct RowKeys {
    /// Event types and services, by their numbers.
    names: Vec<Arc<str>>,
    name_numbers: HashMap<Arc<str>, u32>,
    keys: Vec<Key>,
    key_numbers: HashMap<Key, u32>,
    /// The number of each row's key, and its `created_at`.
    rows: Vec<(u32, PostgresMicros)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    hour: PostgresMicros,
    event_type: u32,
    source_service: Option<u32>,
    partition_id: i32,
    is_dlt: bool,
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
        // A key whose rows were all replaced has none.
        let mut sums: Vec<Option<Sum>> = vec![None; self.keys.len()];
        for (number, time) in &self.rows {
            let sum = sums[*number as usize].get_or_insert(Sum::none_at(*time));
            sum.events += 1;
            sum.first_at = sum.first_at.min(*time);
            sum.last_at = sum.last_at.max(*time);
        }
        let mut counts = EventCounts::default();
        for (key, sum) in self.keys.iter().zip(sums) {
            let Some(sum) = sum else { continue };
            counts.hours.push(key.hour);
            counts.event_types.push(self.name(key.event_type));
            counts.source_services.push(key.source_service.map(|number| self.name(number)));
            counts.partition_ids.push(key.partition_id);
            counts.is_dlt.push(key.is_dlt);
            counts.events.push(sum.events);
            counts.first_at.push(sum.first_at);
            counts.last_at.push(sum.last_at);
        }
        Some(counts)
    }

    fn row(&mut self, event: &Event<'_>, partition_id: i32) -> (u32, PostgresMicros) {
        let created_at = PostgresMicros::from(event.created_at);
        let key = Key {
            hour: hour_of(created_at),
            event_type: self.name_number(&event.event_type),
            source_service: event.source_service.as_ref().map(|name| self.name_number(name)),
            partition_id,
            is_dlt: event.is_dlt,
        };
        let next = self.keys.len() as u32;
        let number = *self.key_numbers.entry(key).or_insert(next);
        if number == next {
            self.keys.push(key);
        }
        (number, created_at)
    }

    fn name_number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.name_numbers.get(name) {
            return *number;
        }
        let (number, name) = (self.names.len() as u32, Arc::<str>::from(name));
        self.names.push(Arc::clone(&name));
        self.name_numbers.insert(name, number);
        number
    }

    fn name(&self, number: u32) -> &str {
        &self.names[number as usize]
    }
}

/// The rows of one key.
#[derive(Debug, Clone, Copy)]
struct Sum {
    events: i64,
    first_at: PostgresMicros,
    last_at: PostgresMicros,
}

impl Sum {
    fn none_at(time: PostgresMicros) -> Self {
        Self { events: 0, first_at: time, last_at: time }
    }
}

/// `date_trunc('hour', …)`: rounds down before 2000, too, and leaves the infinities alone.
fn hour_of(time: PostgresMicros) -> PostgresMicros {
    match time.0 {
        i64::MIN | i64::MAX => time,
        micros => PostgresMicros(micros.saturating_sub(micros.rem_euclid(HOUR))),
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

    #[test]
    fn hours_begin_where_postgresql_has_them_begin() {
        let hour = |micros| hour_of(PostgresMicros(micros)).0;
        assert_eq!([hour(0), hour(HOUR - 1), hour(HOUR)], [0, 0, HOUR]);
        assert_eq!([hour(-1), hour(-HOUR), hour(-HOUR - 1)], [-HOUR, -HOUR, -2 * HOUR]);
        assert_eq!([hour(i64::MAX), hour(i64::MIN)], [i64::MAX, i64::MIN]);
    }
}
