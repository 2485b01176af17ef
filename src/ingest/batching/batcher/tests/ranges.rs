//! Whatever happens, the ranges of a partition account for each of its offsets once.

use proptest::prelude::*;

use super::*;

/// What happens to a batcher in the property below.
#[derive(Debug, Clone)]
enum Event {
    /// A record of a partition, behind this many holes.
    Record { partition: i32, holes: i64 },
    /// The consumer passes holes at the end of a partition.
    Holes { partition: i32, holes: i64 },
    /// Time passes, and one batch of each lane is committed.
    Commit,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => (0..4, 0..3_i64).prop_map(|(partition, holes)| Event::Record { partition, holes }),
        1 => (0..4, 1..3_i64).prop_map(|(partition, holes)| Event::Holes { partition, holes }),
        1 => Just(Event::Commit),
    ]
}

proptest! {
    #[test]
    fn the_ranges_of_a_partition_join_without_gaps_and_hold_every_record_once(
        events in proptest::collection::vec(event(), 0..200),
        lane_count in 1..4_usize,
    ) {
        let mut lanes = Lanes::new(lane_count, 2, 4);
        let mut ends = [10_i64; 4];
        let mut pushed = [0; 4];
        let mut flushed = Vec::new();
        for event in events {
            match event {
                Event::Record { partition, holes } => {
                    let end = &mut ends[partition as usize];
                    *end += holes;
                    lanes.push(partition, *end);
                    *end += 1;
                    pushed[partition as usize] += 1;
                }
                Event::Holes { partition, holes } => {
                    ends[partition as usize] += holes;
                    let now = lanes.now;
                    lanes.batcher.account_for_holes(&read_to(ends), now);
                }
                Event::Commit => {
                    lanes.now += LIMITS.wait;
                    commit(&mut lanes, &mut flushed);
                }
            }
            lanes.batcher.flush_due(lanes.now, || read_to(ends));
        }
        for _ in 0..2 {
            commit(&mut lanes, &mut flushed);
            let now = lanes.now;
            lanes.batcher.account_for_holes(&read_to(ends), now);
            lanes.now += LIMITS.wait;
            lanes.batcher.flush_due(lanes.now, || read_to(ends));
            commit(&mut lanes, &mut flushed);
        }
        for partition in 0..4 {
            let parts: Vec<&Part> =
                flushed.iter().filter(|part| part.partition == partition).collect();
            let mut next = 10;
            for part in &parts {
                prop_assert_eq!(part.offsets.0, next);
                next = part.offsets.1;
            }
            prop_assert_eq!(next, ends[partition as usize]);
            let rows: i32 = parts.iter().map(|part| part.rows).sum();
            prop_assert_eq!(rows, pushed[partition as usize]);
        }
    }
}

fn read_to(ends: [i64; 4]) -> Positions {
    positions(&[(0, ends[0]), (1, ends[1]), (2, ends[2]), (3, ends[3])])
}

/// Commits every batch that is in flight.
fn commit(lanes: &mut Lanes, flushed: &mut Vec<Part>) {
    for lane in 0..lanes.batches.len() {
        while let Some(batch) = lanes.batch(lane) {
            flushed.extend(parts(&batch));
            lanes.in_flight[lane].release();
        }
    }
}
