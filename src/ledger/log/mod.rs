//! The log of the evidence beside the ledger that it tells of: whether each leaf is what was
//! recorded, whether they stand in their order, and whether checkpoints fit them.

mod checkpoints;
mod replays;
mod stored;
mod tiles;
mod walk;

pub use checkpoints::{CheckpointClaim, Judged, Unanchored, Verdict};
pub use replays::ReplayClaim;
pub use stored::{LogHead, StoredLeaf, StoredTile};
pub use walk::{LogFound, LogWalk};
