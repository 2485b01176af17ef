//! The ledger's arithmetic. Pure: what a batch claims to hold, against what is there.
//!
//! Two things make a record complete. The ranges of every partition join up from offset 0 to the
//! recorded end (`chain`), and the rows of every batch are the offsets that its ranges claim
//! (`rows`).

mod batch_walk;
mod chain;
mod comparison;
mod count_keys;
mod counts;
mod finding;
mod findings;
mod holes;
mod identity;
mod log;
mod record_roots;
mod rows;

pub use batch_walk::{BatchWalk, Expected, Mismatch, Walked, WholeRow};
pub use chain::{Chain, ChainLink, check_chain};
pub use comparison::{Comparison, KafkaPartition, RecordedPartition, compare, unrecorded_offsets};
pub use count_keys::{CountKey, CountKeys, KeyCount, KeyCounts, hour_of};
pub use counts::check_counts;
pub use finding::{Finding, Severity};
pub use findings::Findings;
pub use holes::{holes, join_ranges};
pub use identity::PartitionIdentity;
pub use log::{
    CheckpointClaim, Judged, LogFound, LogHead, LogWalk, ReplayClaim, StoredLeaf, StoredTile,
    Unanchored, Verdict,
};
pub use record_roots::{RecordClaim, RecordRange, RecordRoots, RecordVerdict};
pub use rows::{BatchClaim, RangeClaim, StoredRow, check_batch};
