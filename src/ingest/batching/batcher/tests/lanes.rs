//! Full lanes, drains and ends.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::*;

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
