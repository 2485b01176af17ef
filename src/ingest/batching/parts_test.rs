//! A batch whose rows are much larger than its records.

use std::sync::Arc;

use super::open_batch::{OpenBatch, Segment};
use super::test_batch::{TOPIC, claimed, encoder, record};

#[test]
fn a_batch_whose_rows_are_large_is_recorded_in_parts_that_account_for_each_offset_once() {
    // Of two partitions in turn, with holes; 120 MB in all.
    let value = format!("\"{}\"", "a".repeat(3 << 20));
    let mut batch = OpenBatch::default();
    for partition in 0..2 {
        batch.segments.push(Segment::starting_at(Arc::new(claimed(TOPIC, partition)), 0));
    }
    for number in 0..40_i64 {
        let partition = number % 2;
        let mut record = record(TOPIC, partition as i32, number * 3);
        record.value = Some(value.as_bytes());
        batch.records.push(record, partition as u32);
        let segment = &mut batch.segments[partition as usize];
        segment.next_offset = number * 3 + 3;
        segment.row_count += 1;
    }
    let mut next = Some(batch);
    let mut parts = Vec::new();
    while let Some(batch) = next {
        let (part, rest) = encoder().encode(batch).expect("no registry is waited for");
        parts.push(part);
        next = rest;
    }
    assert!(parts.len() > 1, "{} parts", parts.len());
    assert!(parts.iter().all(|part| part.events.byte_size() < 72 << 20));
    for (partition, end) in [(10, 117), (11, 120)] {
        let mut accounted_for = 0;
        let mut rows = 0;
        for part in &parts {
            let ranges = part.ranges();
            for range in ranges.iter().filter(|range| range.partition_id == partition) {
                assert_eq!(range.first_offset, accounted_for);
                accounted_for = range.next_offset;
                rows += range.row_count;
            }
        }
        assert_eq!((accounted_for, rows), (end, 20));
    }
    let rows: usize = parts.iter().map(|part| part.events.len()).sum();
    assert_eq!(rows, 40);
    let last = parts.last().map(|part| part.name_of(part.events.len() - 1));
    assert_eq!(last.as_deref(), Some("orders.events [1] offset 117"));
}
