//! A batch while records are added to it.

use std::sync::Arc;

use crate::ingest::in_flight::HeldBytes;
use crate::kafka::RecordBatch;
use crate::ledger::PartitionIdentity;

/// A partition that this process has claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::ingest) struct ClaimedPartition {
    /// What the ledger and its log know it by.
    pub(in crate::ingest) identity: PartitionIdentity,
    /// `kafka_partitions.partition_id`.
    pub(in crate::ingest) partition_id: i32,
    /// The fence: a batch commits only while the partition's row has this epoch.
    pub(in crate::ingest) epoch: i64,
}

/// The part of a batch that comes from one partition.
#[derive(Debug)]
pub(in crate::ingest) struct Segment {
    pub(in crate::ingest) partition: Arc<ClaimedPartition>,
    pub(in crate::ingest) first_offset: i64,
    /// One past the last offset that the segment accounts for.
    pub(in crate::ingest) next_offset: i64,
    pub(in crate::ingest) row_count: i32,
}

impl Segment {
    /// A segment that accounts for no offset yet.
    pub(in crate::ingest) fn starting_at(
        partition: Arc<ClaimedPartition>,
        first_offset: i64,
    ) -> Self {
        Self { partition, first_offset, next_offset: first_offset, row_count: 0 }
    }

    /// Whether it accounts for any offset. One that was opened for holes may turn out to have none.
    pub(in crate::ingest) fn is_filled(&self) -> bool {
        self.next_offset > self.first_offset
    }
}

/// Records of a lane's partitions, and the offsets that they account for. The partition index of a
/// record is the index of its segment.
#[derive(Debug, Default)]
pub(in crate::ingest) struct OpenBatch {
    pub(in crate::ingest) records: RecordBatch,
    pub(in crate::ingest) segments: Vec<Segment>,
    /// Counts its bytes once it is in flight.
    pub(in crate::ingest) held: HeldBytes,
}

impl OpenBatch {
    /// Takes the records from a place on out of it, with what the segments account for from there
    /// on: two batches, of which the first has to be recorded first.
    pub(super) fn split_off(&mut self, at: usize) -> Self {
        let records = self.records.split_off(at);
        let mut rest = Self {
            records,
            segments: Vec::with_capacity(self.segments.len()),
            held: std::mem::take(&mut self.held),
        };
        for segment in &mut self.segments {
            let next_offset = std::mem::replace(&mut segment.next_offset, segment.first_offset);
            let partition = Arc::clone(&segment.partition);
            rest.segments.push(Segment {
                partition,
                first_offset: segment.first_offset,
                next_offset,
                row_count: std::mem::take(&mut segment.row_count),
            });
        }
        for index in 0..self.records.len() {
            let place = self.records.partition_index(index) as usize;
            let next_offset = self.records.offset(index) + 1;
            let (first, second) = (&mut self.segments[place], &mut rest.segments[place]);
            first.row_count += 1;
            second.row_count -= 1;
            first.next_offset = next_offset;
            second.first_offset = next_offset;
        }
        rest
    }
}
