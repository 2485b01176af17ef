//! Why a proof proves nothing.

use crate::evidence::canonical::CanonicalError;
use crate::evidence::note::NoteError;

/// Why a proof is refused.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// Not the JSON of a proof: `docs/evidence.md` says which members it has.
    #[error("not a proof: {0}")]
    Json(#[from] serde_json::Error),
    /// A proof of another kind, or of another version.
    #[error("the proof's format is '{found}', and not {expected}")]
    Format {
        /// What stands in the proof.
        found: String,
        /// What is read here.
        expected: &'static str,
    },
    /// The checkpoint in it.
    #[error("the proof's checkpoint: {0}")]
    Checkpoint(#[from] NoteError),
    /// The row or the batch can't be hashed.
    #[error("not a proof: {0}")]
    Canonical(#[from] CanonicalError),
    /// The batch came later than the checkpoint.
    #[error("the batch is leaf {index} of the log, and the checkpoint covers only {size}")]
    BehindCheckpoint {
        /// Where the batch's leaf is, from 0.
        index: u64,
        /// How many leaves the checkpoint covers.
        size: u64,
    },
    /// A proof about other checkpoints.
    #[error("the proof is about logs of {0} and {1} leaves, the checkpoints are of {2} and {3}")]
    OtherCheckpoints(u64, u64, u64, u64),
    /// The two checkpoints are of different logs.
    #[error("the checkpoints are of different logs, {0} and {1}")]
    OtherLog(String, String),
    /// The checkpoints were exchanged.
    #[error("the old checkpoint covers {old} leaves, the new one only {new}")]
    Backwards {
        /// How many leaves the old checkpoint covers.
        old: u64,
        /// How many leaves the new checkpoint covers.
        new: u64,
    },
    /// The batch contradicts itself.
    #[error("batch {0} does not have as many ids as rows")]
    RowCount(i64),
    /// The row is of another batch.
    #[error("row {id} is not of batch {batch_no}, whose rows are {first_id} to {last_id}")]
    OtherBatch {
        /// The row's id.
        id: i64,
        /// The batch's number.
        batch_no: i64,
        /// The first id of the batch.
        first_id: i64,
        /// The last id of the batch.
        last_id: i64,
    },
    /// The dead letter is that of another row.
    #[error("the dead letter is of row {found}, and not of row {id}")]
    OtherDeadLetter {
        /// The row's id.
        id: i64,
        /// The id that the dead letter has.
        found: i64,
    },
    /// No record of Kafka that the batch accounts for.
    #[error("row {id} comes from no offset that batch {batch_no} stored")]
    NoRange {
        /// The row's id.
        id: i64,
        /// The batch's number.
        batch_no: i64,
    },
    /// The row's hash does not lead to the root of its batch.
    #[error("row {0} is not what was recorded: its hash does not lead to the root of its batch")]
    Row(i64),
    /// The batch's hash does not lead to the checkpoint's root.
    #[error(
        "batch {0} is not what was recorded: its hash does not lead to the root of the checkpoint"
    )]
    Batch(i64),
    /// The log of the new checkpoint is not that of the old one with more leaves behind it.
    #[error(
        "the log was altered: what the old checkpoint covers ({old} leaves) is not what the new \
         one ({new} leaves) begins with"
    )]
    Inconsistent {
        /// How many leaves the old checkpoint covers.
        old: u64,
        /// How many leaves the new checkpoint covers.
        new: u64,
    },
}

impl ProofError {
    /// Whether all is as it should be but for what it says: then it was altered, or what it is held
    /// against was.
    pub fn is_alteration(&self) -> bool {
        match self {
            Self::Json(_)
            | Self::Format { .. }
            | Self::Checkpoint(_)
            | Self::Canonical(_)
            | Self::BehindCheckpoint { .. }
            | Self::OtherCheckpoints(..)
            | Self::OtherLog(..)
            | Self::Backwards { .. } => false,
            Self::RowCount(_)
            | Self::OtherBatch { .. }
            | Self::OtherDeadLetter { .. }
            | Self::NoRange { .. }
            | Self::Row(_)
            | Self::Batch(_)
            | Self::Inconsistent { .. } => true,
        }
    }
}
