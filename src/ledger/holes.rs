//! The offsets that a batch accounts for and has no row of: transaction markers, aborted and
//! compacted records, as the ingester declared them.

use std::ops::Range;

use super::rows::{BatchClaim, StoredRow};

/// The holes of a batch: the id of the partition, and the offsets. In order within a partition.
pub fn holes(batch: &BatchClaim, rows: &[StoredRow]) -> Vec<(i32, Range<i64>)> {
    let mut holes = Vec::new();
    for range in &batch.ranges {
        if range.row_count >= range.next_offset - range.first_offset {
            continue;
        }
        let of_range = |row: &StoredRow| {
            let offset =
                row.kafka_offset.filter(|_| row.partition_id == Some(range.partition_id))?;
            (range.first_offset..range.next_offset).contains(&offset).then_some(offset)
        };
        let mut offsets: Vec<i64> = rows.iter().filter_map(of_range).collect();
        offsets.sort_unstable();
        offsets.push(range.next_offset);
        let mut expected = range.first_offset;
        for offset in offsets {
            if offset > expected {
                holes.push((range.partition_id, expected..offset));
            }
            expected = offset + 1;
        }
    }
    holes
}

/// Sorts ranges of offsets, and joins those that touch.
pub fn join_ranges(mut ranges: Vec<Range<i64>>) -> Vec<Range<i64>> {
    ranges.sort_unstable_by_key(|range| range.start);
    let mut joined: Vec<Range<i64>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::RangeClaim;
    use crate::time::PostgresMicros;

    #[test]
    fn what_a_range_has_no_row_of_is_a_hole() {
        let range = |partition_id, first_offset, next_offset, row_count| RangeClaim {
            partition_id,
            first_offset,
            next_offset,
            row_count,
        };
        let batch = BatchClaim {
            batch_no: 1,
            first_id: 1,
            last_id: 4,
            created: None,
            is_counted: true,
            roots: Vec::new(),
            ranges: vec![range(1, 0, 2, 2), range(2, 10, 16, 2), range(3, 5, 7, 0)],
        };
        let row = |partition_id, offset| StoredRow {
            id: 1,
            partition_id: Some(partition_id),
            kafka_offset: Some(offset),
            created_at: PostgresMicros(0),
            key: None,
        };
        let rows = [row(1, 0), row(1, 1), row(2, 13), row(2, 11)];
        assert_eq!(holes(&batch, &rows), [(2, 10..11), (2, 12..13), (2, 14..16), (3, 5..7)]);
    }

    #[test]
    fn ranges_that_touch_are_joined_whatever_their_order() {
        let ranges = vec![8..9, 0..2, 2..4, 3..5, 9..10];
        assert_eq!(join_ranges(ranges), [0..5, 8..10]);
        assert_eq!(join_ranges(Vec::new()), Vec::<Range<i64>>::new());
    }
}
