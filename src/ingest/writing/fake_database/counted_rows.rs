//! Counts the rows of a batch anew.

use std::collections::BTreeMap;

use super::copied_rows::copied;
use crate::store::Batch;

/// The places of the columns in a row of `event_logs`: type, service, dead letter, partition.
const KEY: [usize; 4] = [2, 4, 5, 8];
/// That of `created_at`.
const CREATED_AT: usize = 7;

const HOUR: i64 = 3_600_000_000;

/// Checks that a batch counts the rows that it copies, whichever of them were replaced.
pub(in crate::ingest) fn assert_counted(batch: &Batch<'_>) {
    let counts = batch.counts.expect("no batch of these tests is scattered");
    let mut expected = BTreeMap::<(Vec<Option<Vec<u8>>>, i64), Vec<i64>>::new();
    let rows = batch.events.map_or(Vec::new(), |(rows, _)| copied(rows, 0..rows.len()));
    for row in rows {
        let time = row[CREATED_AT].as_deref().expect("created_at is not null");
        let time = i64::from_be_bytes(time.try_into().expect("a timestamp has 8 bytes"));
        let key = KEY.map(|place| row[place].clone()).to_vec();
        expected.entry((key, time.div_euclid(HOUR) * HOUR)).or_default().push(time);
    }
    let summed = expected.into_iter().map(|(key, times)| {
        (key, (times.len() as i64, times.iter().min().copied(), times.iter().max().copied()))
    });
    let found = (0..counts.hours.len()).map(|at| {
        let key = vec![
            Some(counts.event_types[at].as_bytes().to_vec()),
            counts.source_services[at].map(|service| service.as_bytes().to_vec()),
            Some(vec![u8::from(counts.is_dlt[at])]),
            Some(counts.partition_ids[at].to_be_bytes().to_vec()),
        ];
        let times = (Some(counts.first_at[at].0), Some(counts.last_at[at].0));
        ((key, counts.hours[at].0), (counts.events[at], times.0, times.1))
    });
    assert_eq!(found.collect::<BTreeMap<_, _>>(), summed.collect::<BTreeMap<_, _>>());
}
