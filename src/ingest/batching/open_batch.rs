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
