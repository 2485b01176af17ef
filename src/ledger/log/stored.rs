//! What the database has of the log.

use uuid::Uuid;

use crate::time::PostgresMicros;

/// What the head of the ledger tells of the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogHead {
    /// `audit_installation.id`; `None` where there is none.
    pub installation: Option<Uuid>,
    /// `ledger_head.log_no`.
    pub log_no: i32,
    /// `ledger_head.log_size`.
    pub log_size: i64,
    /// `ledger_head.batch_no`.
    pub batch_no: i64,
    /// `ledger_head.recorded_at`.
    pub recorded_at: Option<PostgresMicros>,
}

/// A line of `evidence_leaves`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredLeaf {
    /// The log.
    pub log_no: i32,
    /// The place in it.
    pub leaf_index: i64,
    /// The number of its kind.
    pub kind: i16,
    /// The batch that it tells of.
    pub batch_no: Option<i64>,
    /// The hash.
    pub hash: Vec<u8>,
    /// The leaf, where it is not made of the ledger.
    pub body: Option<Vec<u8>>,
}

/// A line of `evidence_tiles`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredTile {
    /// The log.
    pub log_no: i32,
    /// The level.
    pub level: i16,
    /// The place on that level.
    pub tile_no: i64,
    /// The hash.
    pub hash: Vec<u8>,
}

/// `leaf 7`, `leaf 7 of log 1`
pub(super) fn leaf_name(log_no: i32, leaf_index: i64) -> String {
    match log_no {
        0 => format!("leaf {leaf_index}"),
        _ => format!("leaf {leaf_index} of log {log_no}"),
    }
}
