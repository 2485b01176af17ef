//! Walks along whole rows beside the batches that claim them, each row once: counts them, finds
//! what does not fit, and computes the root over the rows of each batch.

use std::ops::{Range, RangeInclusive};
use std::sync::Arc;
use std::vec::IntoIter;

use super::rows::{BatchClaim, StoredRow, check_batch};
use super::{CountKey, CountKeys, Finding, KeyCounts, Severity, holes, hour_of};
use crate::count_text::counted_with;
use crate::evidence::canonical::RowForm;
use crate::evidence::tree::{RootBuilder, leaf_hash};
use crate::time::PostgresMicros;

/// A row of `event_logs`, whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WholeRow<'a> {
    /// `event_logs.id`.
    pub id: i64,
    /// `event_logs.event_type`.
    pub event_type: &'a str,
    /// `event_logs.source_service`.
    pub source_service: Option<&'a str>,
    /// `event_logs.is_dlt`.
    pub is_dlt: bool,
    /// `event_logs.created_at`.
    pub created_at: PostgresMicros,
    /// `event_logs.partition_id`.
    pub partition_id: Option<i32>,
    /// `event_logs.kafka_offset`.
    pub kafka_offset: Option<i64>,
    /// Its tuple, as COPY writes it.
    pub event: &'a [u8],
    /// The tuple of its line of `dead_letters`; `None` where it has none.
    pub dead_letter: Option<&'a [u8]>,
}

/// What the log says that bears on the rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    /// The numbers of the batches that lie under a checkpoint, in order.
    pub covered: Vec<RangeInclusive<i64>>,
    /// The ids of rows that were retired, in order.
    pub retired: Vec<Range<i64>>,
}

/// A batch whose rows give another root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mismatch {
    /// Its number.
    pub batch_no: i64,
    /// The id of its first row.
    pub first_id: i64,
    /// The id of its last row.
    pub last_id: i64,
}

/// What was found along the way.
#[derive(Debug, Default)]
pub struct Walked {
    /// How many rows there are.
    pub rows: u64,
    /// How many of them are in a batch.
    pub in_batches: u64,
    /// What is wrong; batches whose root is another are in `mismatches` instead.
    pub findings: Vec<Finding>,
    /// Batches whose rows are all there, and give another root than the ledger tells.
    pub mismatches: Vec<Mismatch>,
    /// How many rows were retired.
    pub retired_rows: i64,
    /// The holes: the id of the partition, and the offsets.
    pub holes: Vec<(i32, Range<i64>)>,
    /// What the rows of counted batches are counted by.
    pub keys: CountKeys,
    /// How many each key has.
    pub counts: KeyCounts,
    /// How many rows of counted batches are not there.
    pub missing_rows: i64,
    /// How many rows the other batches have.
    pub uncounted_rows: i64,
}

/// A walk along some batches, and the rows up to the last of them.
#[derive(Debug)]
pub struct BatchWalk {
    expected: Arc<Expected>,
    batches: IntoIter<BatchClaim>,
    batch: Option<Begun>,
    form: RowForm,
    walked: Walked,
}

/// A batch whose rows come now.
#[derive(Debug)]
struct Begun {
    claim: BatchClaim,
    rows: Vec<StoredRow>,
    root: RootBuilder,
}

impl BatchWalk {
    /// Begins before the first of these batches, which have rows and stand in the order of their
    /// ids.
    pub fn begin(batches: Vec<BatchClaim>, expected: Arc<Expected>) -> Self {
        let mut batches = batches.into_iter();
        let batch = batches.next().map(Begun::new);
        Self { expected, batches, batch, form: RowForm::default(), walked: Walked::default() }
    }

    /// Goes on to the next row, in the order of the ids.
    pub fn row(&mut self, row: &WholeRow<'_>) {
        self.walked.rows += 1;
        while self.batch.as_ref().is_some_and(|batch| batch.claim.last_id < row.id) {
            self.end_batch();
        }
        let Some(batch) = self.batch.as_mut().filter(|batch| batch.claim.first_id <= row.id) else {
            let text = "is in no batch: it was not recorded by ingest";
            self.walked.findings.push(Finding::altered(format!("row {}", row.id), text));
            return;
        };
        match self.form.of(row.event, row.dead_letter) {
            Ok(form) => batch.root.push(leaf_hash(form)),
            Err(error) => {
                let subject = format!("row {}", row.id);
                let text = format!("can't be what was recorded: {error}");
                self.walked.findings.push(Finding::altered(subject, text));
            }
        }
        let key = row.partition_id.map(|partition_id| {
            self.walked.keys.number(CountKey {
                hour: hour_of(row.created_at),
                event_type: row.event_type,
                source_service: row.source_service,
                partition_id,
                is_dlt: row.is_dlt,
            })
        });
        batch.rows.push(StoredRow {
            id: row.id,
            partition_id: row.partition_id,
            kafka_offset: row.kafka_offset,
            created_at: row.created_at,
            key,
        });
    }

    /// Ends behind the last batch.
    pub fn finish(mut self) -> Walked {
        while self.batch.is_some() {
            self.end_batch();
        }
        self.walked
    }

    fn end_batch(&mut self) {
        let next = self.batches.next().map(Begun::new);
        let Some(batch) = std::mem::replace(&mut self.batch, next) else { return };
        let Begun { claim, rows, root } = batch;
        let walked = &mut self.walked;
        let found = rows.len() as i64;
        let missing = claim.last_id - claim.first_id + 1 - found;
        walked.in_batches += rows.len() as u64;
        if claim.is_counted {
            for row in &rows {
                if let Some(key) = row.key {
                    walked.counts.add_one(key, row.created_at);
                }
            }
            walked.missing_rows += missing;
        } else {
            walked.uncounted_rows += found;
        }
        let retired = self.expected.retired_of(&claim);
        let mut findings = check_batch(&claim, &rows);
        if retired > 0 {
            walked.retired_rows += retired.min(missing);
            // Of what is there nothing can be said but that it belongs there.
            if missing <= retired {
                findings.retain(|finding| finding.severity == Severity::Altered);
            }
            walked.findings.append(&mut findings);
            return;
        }
        walked.findings.append(&mut findings);
        walked.holes.extend(holes(&claim, &rows));
        if missing > 0 {
            if self.expected.covers(claim.batch_no) {
                let lacks = counted_with(missing, "row", ["is", "are"]);
                let text = format!("{lacks} no longer there, and under a checkpoint");
                let subject = format!("batch {}", claim.batch_no);
                walked.findings.push(Finding::altered(subject, text));
            }
        } else if claim.roots.iter().any(|known| *known != root.root()) {
            let BatchClaim { batch_no, first_id, last_id, .. } = claim;
            walked.mismatches.push(Mismatch { batch_no, first_id, last_id });
        }
    }
}

impl Begun {
    fn new(claim: BatchClaim) -> Self {
        Self { claim, rows: Vec::new(), root: RootBuilder::default() }
    }
}

impl Expected {
    /// Whether a batch lies under a checkpoint.
    pub fn covers(&self, batch_no: i64) -> bool {
        let behind = self.covered.partition_point(|range| *range.end() < batch_no);
        self.covered.get(behind).is_some_and(|range| range.contains(&batch_no))
    }

    /// How many ids of a batch were retired.
    fn retired_of(&self, claim: &BatchClaim) -> i64 {
        let overlap = |ids: &Range<i64>| {
            ids.end.min(claim.last_id + 1).saturating_sub(ids.start.max(claim.first_id)).max(0)
        };
        self.retired.iter().map(overlap).sum()
    }
}

impl Walked {
    /// Adds what was found along the batches behind these.
    pub fn append(&mut self, behind: Self) {
        self.rows += behind.rows;
        self.in_batches += behind.in_batches;
        self.findings.extend(behind.findings);
        self.mismatches.extend(behind.mismatches);
        self.retired_rows += behind.retired_rows;
        self.holes.extend(behind.holes);
        self.missing_rows += behind.missing_rows;
        self.uncounted_rows += behind.uncounted_rows;
        for (number, key) in (0..).zip(behind.keys.iter()) {
            if let Some(count) = behind.counts.of(number) {
                self.counts.add(self.keys.number(key), count);
            }
        }
    }
}
