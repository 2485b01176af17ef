//! The kinds of leaves.

/// What a leaf of the log tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum LeafKind {
    /// The first of a log: whose it is.
    Installation = 1,
    /// A batch.
    Batch = 2,
    /// A batch that was recorded before there was a log.
    Adopted = 3,
    /// A replay was asked for.
    ReplayRequest = 4,
    /// What came of a replay.
    ReplayOutcome = 5,
    /// A leaf of `event_logs` was retired.
    Retirement = 6,
    /// The first of a log that goes on after a restore.
    Restart = 7,
}

impl LeafKind {
    /// The kind with this number, as `evidence_leaves.kind` has it.
    pub fn of(number: i16) -> Option<Self> {
        Some(match number {
            1 => Self::Installation,
            2 => Self::Batch,
            3 => Self::Adopted,
            4 => Self::ReplayRequest,
            5 => Self::ReplayOutcome,
            6 => Self::Retirement,
            7 => Self::Restart,
            _ => return None,
        })
    }
}
