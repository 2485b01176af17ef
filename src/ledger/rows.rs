//! Whether the rows of a batch are what its ranges claim.

use super::Finding;
use crate::count_text::{counted, counted_with};
use crate::time::PostgresMicros;

/// A batch, as the ledger has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchClaim {
    /// Its number.
    pub batch_no: i64,
    /// The id of its first row.
    pub first_id: i64,
    /// The id of its last row.
    pub last_id: i64,
    /// Between which times its events happened, both inclusive, in microseconds; `None` where that
    /// was not noted.
    pub created: Option<(PostgresMicros, PostgresMicros)>,
    /// Whether `event_counts` has its rows.
    pub is_counted: bool,
    /// What the ledger says that the root over its rows is: as it was recorded, and each time that
    /// it was adopted. None of a batch from before the log that was not adopted.
    pub roots: Vec<Vec<u8>>,
    /// The offsets that it accounts for.
    pub ranges: Vec<RangeClaim>,
}

/// A range of a batch that holds rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RangeClaim {
    /// `kafka_partitions.partition_id`.
    pub partition_id: i32,
    /// The first offset.
    pub first_offset: i64,
    /// One past the last offset.
    pub next_offset: i64,
    /// How many of them are rows.
    pub row_count: i64,
}

/// The columns of a row that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredRow {
    /// `event_logs.id`.
    pub id: i64,
    /// `event_logs.partition_id`.
    pub partition_id: Option<i32>,
    /// `event_logs.kafka_offset`.
    pub kafka_offset: Option<i64>,
    /// `event_logs.created_at`, in microseconds.
    pub created_at: PostgresMicros,
    /// The number of what it is counted by; `None` where no ingester wrote it.
    pub key: Option<u32>,
}

/// Compares a batch with the rows whose ids it claims.
pub fn check_batch(batch: &BatchClaim, rows: &[StoredRow]) -> Vec<Finding> {
    let subject = format!("batch {}", batch.batch_no);
    let mut findings = Vec::new();
    let mut offsets: Vec<Vec<i64>> = vec![Vec::new(); batch.ranges.len()];
    for row in rows {
        if batch.created.is_some_and(|(min, max)| !(min..=max).contains(&row.created_at)) {
            findings.push(Finding::altered(
                &subject,
                format!("row {} has a created_at that no event of the batch had", row.id),
            ));
        }
        let place = batch.ranges.iter().position(|range| {
            Some(range.partition_id) == row.partition_id
                && row
                    .kafka_offset
                    .is_some_and(|offset| (range.first_offset..range.next_offset).contains(&offset))
        });
        match (place, row.kafka_offset) {
            (Some(place), Some(offset)) => offsets[place].push(offset),
            _ => findings.push(Finding::altered(
                &subject,
                format!("row {} has an offset that the batch does not account for", row.id),
            )),
        }
    }
    let expected = batch.last_id - batch.first_id + 1;
    let claimed: i64 = batch.ranges.iter().map(|range| range.row_count).sum();
    if claimed != expected {
        findings.push(Finding::altered(
            &subject,
            format!(
                "has {}, but its ranges claim {}",
                counted(expected, "id"),
                counted(claimed, "row")
            ),
        ));
    }
    for (range, offsets) in batch.ranges.iter().zip(&mut offsets) {
        offsets.sort_unstable();
        let stored = offsets.len() as i64;
        offsets.dedup();
        let distinct = offsets.len() as i64;
        if distinct < stored {
            findings.push(Finding::altered(
                &subject,
                format!("{} doubled", counted_with(stored - distinct, "row", ["is", "are"])),
            ));
        }
        if distinct < range.row_count {
            let missing = range.row_count - distinct;
            let (first, last) = (range.first_offset, range.next_offset - 1);
            findings.push(Finding::incomplete(
                &subject,
                format!(
                    "{} missing of offsets {first}–{last} of partition_id {}",
                    counted_with(missing, "row", ["is", "are"]),
                    range.partition_id
                ),
            ));
        }
        if distinct > range.row_count {
            findings.push(Finding::altered(
                &subject,
                format!("{} too many", counted(distinct - range.row_count, "row")),
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const BATCH: i64 = 7;

    fn batch() -> BatchClaim {
        let range = |partition_id, first_offset, next_offset, row_count| RangeClaim {
            partition_id,
            first_offset,
            next_offset,
            row_count,
        };
        BatchClaim {
            batch_no: BATCH,
            first_id: 1,
            last_id: 5,
            created: Some((PostgresMicros(100), PostgresMicros(105))),
            is_counted: true,
            roots: Vec::new(),
            ranges: vec![range(1, 0, 3, 3), range(2, 10, 20, 2)],
        }
    }

    fn rows() -> Vec<StoredRow> {
        [(1, 1, 0), (2, 1, 1), (3, 2, 10), (4, 1, 2), (5, 2, 19)]
            .map(|(id, partition_id, offset)| StoredRow {
                id,
                partition_id: Some(partition_id),
                kafka_offset: Some(offset),
                created_at: PostgresMicros(100 + id),
                key: None,
            })
            .to_vec()
    }

    fn texts(rows: &[StoredRow]) -> Vec<String> {
        check_batch(&batch(), rows).into_iter().map(|finding| finding.text).collect()
    }

    #[test]
    fn a_batch_whose_rows_are_all_there_has_no_findings() {
        assert!(texts(&rows()).is_empty());
    }

    #[test]
    fn a_missing_a_doubled_and_a_foreign_row_are_each_found() {
        let mut missing = rows();
        missing.remove(0);
        assert_eq!(texts(&missing), ["1 row is missing of offsets 0–2 of partition_id 1"]);
        let mut doubled = rows();
        doubled[1].kafka_offset = Some(0);
        assert_eq!(
            texts(&doubled),
            ["1 row is doubled", "1 row is missing of offsets 0–2 of partition_id 1"]
        );
        let mut moved = rows();
        moved[4].created_at = PostgresMicros(106);
        assert_eq!(texts(&moved), ["row 5 has a created_at that no event of the batch had"]);
        let mut foreign = rows();
        foreign[2].partition_id = Some(3);
        assert!(
            texts(&foreign)[0].contains("row 3 has an offset that the batch does not account for")
        );
        foreign[2].partition_id = None;
        assert!(
            texts(&foreign)[0].contains("row 3 has an offset that the batch does not account for")
        );
    }
}
