//! A batch that is written, and what becomes of it.

use super::copy_buffer::CopyBuffer;
use super::event_counts::EventCounts;
use crate::evidence::Hash;
use crate::evidence::tree::root_of;
use crate::ledger::PartitionIdentity;

/// The channel that is notified of every batch, with its number as the payload.
pub const BATCH_CHANNEL: &str = "audit_batches";

/// What a range of offsets stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RangeKind {
    /// Its records are rows; offsets without a row are holes that Kafka shows to nobody.
    Stored,
    /// Kafka had deleted it before it was read.
    Lost,
}

impl RangeKind {
    /// The value of `ingest_batch_ranges.kind`.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Lost => "lost",
        }
    }
}

/// The offsets of one partition that a batch accounts for, under the epoch of the claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OffsetRange {
    /// `kafka_partitions.partition_id`.
    pub partition_id: i32,
    /// The epoch of the claim.
    pub epoch: i64,
    /// The first offset.
    pub first_offset: i64,
    /// One past the last offset.
    pub next_offset: i64,
    /// How many of them are rows.
    pub row_count: i32,
    /// What the range stands for.
    pub kind: RangeKind,
    /// The partition, as the ledger's log knows it.
    pub identity: PartitionIdentity,
}

/// The block of ids that a batch's rows get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdBlock {
    /// The first id; the others follow it.
    pub first_id: i64,
    /// The leaf of `event_logs` that holds all of them.
    pub leaf: String,
}

/// A batch that is ready to be written: its rows carry their ids.
#[derive(Debug)]
pub struct Batch<'a> {
    /// The rows of `event_logs`, and their ids; `None` where the batch has none.
    pub events: Option<(&'a CopyBuffer, &'a IdBlock)>,
    /// What it adds to `event_counts`; `None` where that is left to be filled in later.
    pub counts: Option<&'a EventCounts<'a>>,
    /// The rows of `dead_letters`.
    pub dead_letters: &'a CopyBuffer,
    /// The ranges, in the order of their partition ids.
    pub ranges: &'a [OffsetRange],
    /// Who writes it.
    pub ingester: &'a str,
}

/// The roots of a batch, as the log has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Roots {
    /// The root over the rows.
    pub row_root: Hash,
    /// The root over the records of Kafka; `None` where no record stands behind the rows.
    pub record_root: Option<Hash>,
}

impl Roots {
    /// The roots of a batch without rows.
    pub fn of_nothing() -> Self {
        let root = root_of([]);
        Self { row_root: root, record_root: Some(root) }
    }
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It is committed under this number.
    Committed(i64),
    /// Another process claimed one of its partitions, or the offsets were recorded already: rolled
    /// back.
    Fenced,
    /// The leaf that its ids lie in was closed, or is being sealed: rolled back. It needs other
    /// ids.
    LeafClosed,
}

/// How a batch stands whose outcome is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchStatus {
    /// Its offsets are recorded, under our own epoch: it was committed.
    Recorded,
    /// Nothing of it is recorded: it can be written again.
    Open,
    /// Another process claimed one of its partitions.
    Superseded,
}
