//! That a row is in the log under a checkpoint.

use serde::{Deserialize, Serialize};

use super::batch::STORED;
use super::error::ProofError;
use super::json::{Object, form};
use super::path::leads_to;
use super::row::RowColumns;
use crate::evidence::leaf::{BatchLeaf, RangeFacts};
use crate::evidence::note::{Checkpoint, VerifierKey};
use crate::evidence::tree::{Hash, leaf_hash};

/// What the member `format` holds.
const FORMAT: &str = "audit-proof/1";

/// All that is needed to see that a row is what was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InclusionProof {
    /// The row.
    pub row: RowColumns,
    /// The hashes from the row to the root of its batch, from the bottom up.
    pub row_path: Vec<Hash>,
    /// The batch, whose ids are not null.
    pub batch: BatchLeaf,
    /// The place of the batch's leaf in the log, from 0.
    pub leaf_index: u64,
    /// The hashes from that leaf to the checkpoint's root.
    pub batch_path: Vec<Hash>,
    /// The signed note.
    pub checkpoint: String,
}

/// The members of the JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Members {
    #[serde(with = "form")]
    format: String,
    #[serde(with = "form")]
    row: RowColumns,
    #[serde(with = "form")]
    row_path: Vec<Hash>,
    #[serde(with = "form")]
    batch: BatchLeaf,
    #[serde(with = "form")]
    leaf_index: u64,
    #[serde(with = "form")]
    batch_path: Vec<Hash>,
    #[serde(with = "form")]
    checkpoint: String,
}

/// What a proof proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proven<'a> {
    /// The range of offsets that the row's record is of.
    pub range: &'a RangeFacts,
    /// The checkpoint, whose signature is right.
    pub checkpoint: Checkpoint,
}

impl InclusionProof {
    /// Reads a proof. It proves nothing until it is checked.
    ///
    /// # Errors
    /// [`ProofError::Json`] and [`ProofError::Format`].
    pub fn read(json: &[u8]) -> Result<Self, ProofError> {
        let Object(members) = serde_json::from_slice::<Object<Members>>(json)?;
        if members.format != FORMAT {
            return Err(ProofError::Format { found: members.format, expected: FORMAT });
        }
        Ok(Self {
            row: members.row,
            row_path: members.row_path,
            batch: members.batch,
            leaf_index: members.leaf_index,
            batch_path: members.batch_path,
            checkpoint: members.checkpoint,
        })
    }

    /// The proof as JSON, with a line break at its end.
    ///
    /// # Errors
    /// [`ProofError::Json`] where a batch has no ids, or a time is out of range.
    pub fn to_json(&self) -> Result<String, ProofError> {
        let Self { row, row_path, batch, leaf_index, batch_path, checkpoint } = self.clone();
        let format = FORMAT.to_owned();
        let leaf = leaf_index;
        let members =
            Members { format, row, row_path, batch, leaf_index: leaf, batch_path, checkpoint };
        Ok(serde_json::to_string_pretty(&members)? + "\n")
    }

    /// Checks it against the key.
    ///
    /// # Errors
    /// Why it proves nothing.
    pub fn check(&self, key: &VerifierKey) -> Result<Proven<'_>, ProofError> {
        self.check_under(Checkpoint::verify(self.checkpoint.as_bytes(), key)?)
    }

    /// Checks it against its checkpoint, whoever signed that: what whoever makes a proof can see.
    ///
    /// # Errors
    /// Why it proves nothing.
    pub fn check_under(&self, checkpoint: Checkpoint) -> Result<Proven<'_>, ProofError> {
        let (id, batch_no) = (self.row.id, self.batch.batch_no);
        let (first_id, last_id) =
            self.batch.first_id.zip(self.batch.last_id).ok_or(ProofError::RowCount(batch_no))?;
        let row_count = last_id.checked_sub(first_id).and_then(|rest| rest.checked_add(1));
        let row_count = row_count
            .filter(|row_count| *row_count == i64::from(self.batch.row_count))
            .ok_or(ProofError::RowCount(batch_no))?;
        if !(first_id..=last_id).contains(&id) {
            return Err(ProofError::OtherBatch { id, batch_no, first_id, last_id });
        }
        if let Some(letter) = &self.row.dead_letter
            && letter.event_log_id != id
        {
            return Err(ProofError::OtherDeadLetter { id, found: letter.event_log_id });
        }
        let range = self.range().ok_or(ProofError::NoRange { id, batch_no })?;
        let (index, size) = (self.leaf_index, checkpoint.size);
        if index >= size {
            return Err(ProofError::BehindCheckpoint { index, size });
        }
        let place = id.abs_diff(first_id);
        let row = self.row.leaf_hash()?;
        if !leads_to(&self.batch.row_root, row_count.unsigned_abs(), place, &row, &self.row_path) {
            return Err(ProofError::Row(id));
        }
        let batch = leaf_hash(&self.batch.encode()?);
        if !leads_to(&checkpoint.root, size, index, &batch, &self.batch_path) {
            return Err(ProofError::Batch(batch_no));
        }
        Ok(Proven { range, checkpoint })
    }

    /// The range of stored offsets that the row's own lies in.
    fn range(&self) -> Option<&RangeFacts> {
        let (partition_id, offset) = self.row.partition_id.zip(self.row.kafka_offset)?;
        self.batch.ranges.iter().find(|range| {
            range.partition_id == partition_id
                && range.kind == STORED
                && (range.first_offset..range.next_offset).contains(&offset)
        })
    }
}
