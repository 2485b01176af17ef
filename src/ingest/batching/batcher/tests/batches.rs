//! What is in a batch, and when it is flushed.

use super::*;

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
    let partition = |index| {
        batch.segments[batch.records.partition_index(index) as usize]
            .partition
            .identity
            .name
            .partition
    };
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
