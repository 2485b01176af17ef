use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use proptest::prelude::*;

use super::*;
use crate::ingest::test_batch::{TOPIC, claimed, record};

/// Far longer than any test waits.
const LONG: Duration = Duration::from_secs(60);

const LIMITS: Limits = Limits { rows: 3, wait: Duration::from_millis(500) };

/// A batcher, and the ends of its lanes.
struct Lanes {
    batcher: Batcher,
    batches: Vec<Receiver<OpenBatch>>,
    in_flight: Vec<Arc<InFlight>>,
    now: Instant,
}

impl Lanes {
    /// Lanes that may have `room` batches in flight, with the partitions `0..partitions`, each from
    /// offset 10.
    fn new(lanes: usize, room: usize, partitions: i32) -> Self {
        let (mut inputs, mut batches, mut in_flight) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..lanes {
            let (encoder, receiver) = channel();
            let bound = Arc::new(InFlight::new(room));
            inputs.push(LaneInput { encoder, in_flight: Arc::clone(&bound) });
            batches.push(receiver);
            in_flight.push(bound);
        }
        let mut batcher = Batcher::new(inputs, LIMITS);
        for partition in 0..partitions {
            batcher.assign(claimed(TOPIC, partition), 10);
        }
        Self { batcher, batches, in_flight, now: Instant::now() }
    }

    fn push(&mut self, partition: i32, offset: i64) {
        self.batcher.push(record(TOPIC, partition, offset), self.now);
    }

    fn flush_due(&mut self, positions: &[(i32, i64)]) {
        self.batcher.flush_due(self.now, || self::positions(positions));
    }

    fn flush_all(&mut self, positions: &[(i32, i64)]) {
        self.now += LIMITS.wait;
        self.flush_due(positions);
    }

    /// The next batch that a lane's encoder would get.
    fn batch(&self, lane: usize) -> Option<OpenBatch> {
        self.batches[lane].try_recv().ok()
    }

    fn segments(&self, lane: usize) -> Vec<Part> {
        self.batch(lane).map(|batch| parts(&batch)).unwrap_or_default()
    }
}

/// A segment: the partition, its first and its next offset, its number of rows.
#[derive(Debug, PartialEq, Eq)]
struct Part {
    partition: i32,
    offsets: (i64, i64),
    rows: i32,
}

fn part(partition: i32, offsets: (i64, i64), rows: i32) -> Part {
    Part { partition, offsets, rows }
}

fn parts(batch: &OpenBatch) -> Vec<Part> {
    let part = |segment: &Segment| Part {
        partition: segment.partition.name.partition,
        offsets: (segment.first_offset, segment.next_offset),
        rows: segment.row_count,
    };
    batch.segments.iter().map(part).collect()
}

fn positions(of: &[(i32, i64)]) -> Positions {
    of.iter().map(|(partition, next)| (TopicPartition::new(TOPIC, *partition), *next)).collect()
}

#[test]
fn a_batch_is_full_at_its_number_of_rows() {
    let mut lanes = Lanes::new(1, 1, 1);
    lanes.push(0, 10);
    lanes.push(0, 11);
    lanes.flush_due(&[]);
    assert!(!lanes.batcher.is_full() && lanes.batch(0).is_none());
    lanes.push(0, 12);
    assert!(lanes.batcher.is_full());
    lanes.flush_due(&[]);
    assert_eq!(lanes.segments(0), [part(0, (10, 13), 3)]);
    assert!(!lanes.batcher.is_full());
}

#[test]
fn a_batch_is_full_at_its_number_of_bytes() {
    let mut lanes = Lanes::new(1, 1, 1);
    let value = vec![b' '; BATCH_BYTES];
    let large = ReceivedRecord { value: Some(&value), ..record(TOPIC, 0, 10) };
    lanes.batcher.push(large, lanes.now);
    assert!(lanes.batcher.is_full());
}

#[test]
fn a_batch_that_is_old_enough_is_flushed_however_small_it_is() {
    let mut lanes = Lanes::new(1, 1, 1);
    assert_eq!(lanes.batcher.due_in(lanes.now), None);
    lanes.push(0, 10);
    lanes.now += LIMITS.wait / 2;
    lanes.push(0, 11);
    assert_eq!(lanes.batcher.due_in(lanes.now), Some(LIMITS.wait / 2));
    lanes.flush_due(&[]);
    assert!(lanes.batch(0).is_none());
    lanes.now += LIMITS.wait / 2;
    lanes.flush_due(&[]);
    assert_eq!(lanes.segments(0), [part(0, (10, 12), 2)]);
}

#[test]
fn every_record_of_a_batch_finds_its_segment() {
    let mut lanes = Lanes::new(1, 1, 2);
    for (partition, offset) in [(1, 10), (0, 10), (1, 11)] {
        lanes.push(partition, offset);
    }
    lanes.flush_due(&[]);
    let batch = lanes.batch(0).expect("the batch is full");
    let partition =
        |index| batch.segments[batch.records.source(index) as usize].partition.name.partition;
    assert_eq!([0, 1, 2].map(partition), [1, 0, 1]);
    assert_eq!([0, 1, 2].map(|index| batch.records.offset(index)), [10, 10, 11]);
}

#[test]
fn a_hole_between_two_records_belongs_to_their_range() {
    let mut lanes = Lanes::new(1, 2, 1);
    lanes.push(0, 12);
    lanes.push(0, 17);
    lanes.flush_all(&[]);
    assert_eq!(lanes.segments(0), [part(0, (10, 18), 2)]);
}

#[test]
fn a_hole_behind_the_last_record_is_recorded_with_the_batch() {
    let mut lanes = Lanes::new(1, 2, 1);
    lanes.push(0, 10);
    lanes.flush_all(&[(0, 14)]);
    assert_eq!(lanes.segments(0), [part(0, (10, 14), 1)]);
    lanes.push(0, 14);
    lanes.flush_all(&[(0, 15)]);
    assert_eq!(lanes.segments(0), [part(0, (14, 15), 1)]);
}

#[test]
fn a_hole_at_the_end_of_a_partition_is_recorded_with_its_position() {
    let mut lanes = Lanes::new(1, 2, 2);
    let (at_end, now) = (positions(&[(0, 10), (1, 12)]), lanes.now);
    lanes.batcher.account_for_holes(&at_end, now);
    lanes.flush_all(&[(0, 10), (1, 13)]);
    assert_eq!(lanes.segments(0), [part(1, (10, 13), 0)]);
}

#[test]
fn a_position_that_did_not_move_makes_no_batch() {
    let mut lanes = Lanes::new(1, 1, 2);
    let now = lanes.now;
    lanes.batcher.account_for_holes(&positions(&[(0, 10), (1, 9)]), now);
    assert_eq!(lanes.batcher.due_in(now), None);
}

#[test]
fn a_batch_that_accounts_for_nothing_is_dropped_and_makes_room() {
    let mut lanes = Lanes::new(1, 1, 1);
    let now = lanes.now;
    lanes.batcher.account_for_holes(&positions(&[(0, 12)]), now);
    // The consumer can't tell its position any more.
    lanes.flush_all(&[]);
    assert!(lanes.batch(0).is_none());
    assert!(lanes.in_flight[0].acquire(Duration::ZERO), "the place was given back");
}

#[test]
fn a_record_that_an_earlier_owner_recorded_is_not_taken() {
    let mut lanes = Lanes::new(1, 1, 1);
    lanes.push(0, 9);
    assert_eq!(lanes.batcher.due_in(lanes.now), None);
    lanes.push(0, 10);
    lanes.push(0, 10);
    lanes.flush_all(&[]);
    assert_eq!(lanes.segments(0), [part(0, (10, 11), 1)]);
}

#[test]
fn a_record_of_a_partition_that_is_not_assigned_is_not_taken() {
    let mut lanes = Lanes::new(1, 1, 2);
    lanes.push(1, 10);
    lanes.flush_all(&[]);
    assert_eq!(lanes.segments(0), [part(1, (10, 11), 1)]);
    lanes.batcher.release(&TopicPartition::new(TOPIC, 1));
    lanes.push(1, 11);
    lanes.push(7, 11);
    lanes.batcher.push(record("payments.events", 0, 11), lanes.now);
    assert_eq!(lanes.batcher.due_in(lanes.now), None);
    assert_eq!(lanes.batcher.partition_count(), 1);
}

#[test]
fn a_partition_goes_to_the_lane_that_has_the_fewest() {
    let mut lanes = Lanes::new(2, 1, 4);
    lanes.batcher.release(&TopicPartition::new(TOPIC, 0));
    lanes.batcher.release(&TopicPartition::new(TOPIC, 2));
    lanes.batcher.assign(claimed(TOPIC, 8), 10);
    for partition in [1, 3, 8] {
        lanes.push(partition, 10);
    }
    lanes.flush_all(&[]);
    assert_eq!(lanes.segments(0), [part(8, (10, 11), 1)]);
    assert_eq!(lanes.segments(1), [part(1, (10, 11), 1), part(3, (10, 11), 1)]);
}

#[test]
fn a_lane_without_room_keeps_its_batch_while_the_others_go_on() {
    let mut lanes = Lanes::new(2, 1, 2);
    assert!(lanes.in_flight[0].acquire(Duration::ZERO));
    lanes.push(0, 10);
    lanes.push(1, 10);
    lanes.flush_all(&[]);
    assert!(lanes.batch(0).is_none());
    assert_eq!(lanes.segments(1), [part(1, (10, 11), 1)]);
    lanes.push(0, 11);
    lanes.in_flight[0].release();
    lanes.flush_due(&[]);
    assert_eq!(lanes.segments(0), [part(0, (10, 12), 2)]);
}

#[test]
fn a_full_lane_waits_until_a_batch_is_committed() {
    let mut lanes = Lanes::new(1, 1, 1);
    for offset in 10..16 {
        lanes.push(0, offset);
        lanes.flush_due(&[]);
    }
    assert!(lanes.batcher.is_full(), "one batch is in flight, the next one is full");
    let Lanes { batcher, batches, in_flight, now } = lanes;
    let (in_flight, batches) = (in_flight, batches);
    let waiting = thread::spawn(move || {
        batcher.wait_for_room(LONG);
        batcher
    });
    in_flight[0].release();
    let batcher = waiting.join().expect("the wait ends");
    let mut lanes = Lanes { batcher, batches, in_flight, now };
    lanes.flush_due(&[]);
    assert_eq!(lanes.segments(0), [part(0, (10, 13), 3)]);
    assert_eq!(lanes.segments(0), [part(0, (13, 16), 3)]);
}

#[test]
fn a_drain_flushes_everything_and_waits_until_it_is_committed() {
    let mut lanes = Lanes::new(2, 1, 2);
    // Lane 0 has a batch in flight already, so that the drain has to wait for room as well.
    for (partition, offset) in [(0, 10), (0, 11), (0, 12), (1, 10)] {
        lanes.push(partition, offset);
    }
    lanes.flush_due(&[]);
    lanes.push(0, 13);
    let Lanes { mut batcher, batches, in_flight, .. } = lanes;
    let commits = Arc::new(AtomicUsize::new(0));
    let committing = thread::spawn({
        let commits = Arc::clone(&commits);
        move || {
            let mut committed = Vec::new();
            for lane in [0, 0, 1] {
                let batch = batches[lane].recv_timeout(LONG).expect("the drain flushes the batch");
                committed.extend(parts(&batch));
                commits.fetch_add(1, Ordering::SeqCst);
                in_flight[lane].release();
            }
            committed
        }
    });
    assert!(batcher.drain(LONG, || positions(&[(0, 15), (1, 11)]), || false));
    assert_eq!(commits.load(Ordering::SeqCst), 3, "the drain waits for the last commit");
    assert_eq!(batcher.due_in(Instant::now()), None);
    assert_eq!(
        committing.join().expect("everything is flushed"),
        [part(0, (10, 13), 3), part(0, (13, 15), 1), part(1, (10, 11), 1)]
    );
}

#[test]
fn a_drain_ends_without_success_when_its_time_is_over() {
    let mut lanes = Lanes::new(1, 1, 1);
    lanes.push(0, 10);
    assert!(!lanes.batcher.drain(Duration::ZERO, Positions::new, || false), "not flushed");
    lanes.flush_all(&[]);
    assert!(!lanes.batcher.drain(Duration::ZERO, Positions::new, || false), "not committed");
    lanes.in_flight[0].release();
    assert!(lanes.batcher.drain(Duration::ZERO, Positions::new, || false));
}

#[test]
fn a_drain_is_given_up_when_the_session_ends() {
    let mut lanes = Lanes::new(1, 1, 1);
    lanes.push(0, 10);
    assert!(!lanes.batcher.drain(LONG, Positions::new, || true), "not flushed");
    lanes.flush_all(&[]);
    assert!(!lanes.batcher.drain(LONG, Positions::new, || true), "not committed");
}

#[test]
fn positions_are_asked_for_once_and_only_when_a_batch_is_flushed() {
    let mut lanes = Lanes::new(2, 1, 2);
    let asked = Cell::new(0);
    let ask = || {
        asked.set(asked.get() + 1);
        Positions::new()
    };
    lanes.push(0, 10);
    lanes.push(1, 10);
    lanes.batcher.flush_due(lanes.now, ask);
    assert_eq!(asked.get(), 0);
    lanes.batcher.flush_due(lanes.now + LIMITS.wait, ask);
    assert_eq!(asked.get(), 1);
}

#[test]
fn an_encoder_that_ended_makes_room_instead_of_a_hang() {
    let mut lanes = Lanes::new(1, 1, 1);
    lanes.batches.clear();
    lanes.push(0, 10);
    assert!(lanes.batcher.drain(LONG, Positions::new, || false));
}

#[test]
fn a_closed_batcher_takes_nothing_and_ends_its_encoders() {
    let mut lanes = Lanes::new(2, 1, 2);
    lanes.push(0, 10);
    lanes.batcher.close();
    lanes.push(0, 11);
    assert_eq!(lanes.batcher.due_in(lanes.now), None);
    assert!(lanes.batches.iter().all(|lane| lane.recv().is_err()));
}

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
