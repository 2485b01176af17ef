//! That the log of one checkpoint is that of another with more leaves behind it.

use serde::{Deserialize, Serialize};

use super::error::ProofError;
use super::json::{Object, form};
use super::path::is_consistent;
use crate::evidence::note::Checkpoint;
use crate::evidence::tree::Hash;

/// What the member `format` holds.
const FORMAT: &str = "audit-consistency/1";

/// All that is needed to see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsistencyProof {
    /// How many leaves the old checkpoint covers.
    pub old_size: u64,
    /// How many leaves the new checkpoint covers.
    pub new_size: u64,
    /// The hashes that lead from the one root to the other.
    pub path: Vec<Hash>,
}

/// The members of the JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Members {
    #[serde(with = "form")]
    format: String,
    #[serde(with = "form")]
    old_size: u64,
    #[serde(with = "form")]
    new_size: u64,
    #[serde(with = "form")]
    path: Vec<Hash>,
}

impl ConsistencyProof {
    /// Reads a proof. It proves nothing until it is checked.
    ///
    /// # Errors
    /// [`ProofError::Json`] and [`ProofError::Format`].
    pub fn read(json: &[u8]) -> Result<Self, ProofError> {
        let Object(members) = serde_json::from_slice::<Object<Members>>(json)?;
        if members.format != FORMAT {
            return Err(ProofError::Format { found: members.format, expected: FORMAT });
        }
        Ok(Self { old_size: members.old_size, new_size: members.new_size, path: members.path })
    }

    /// The proof as JSON, with a line break at its end.
    ///
    /// # Errors
    /// None that a proof of 64-bit sizes has.
    pub fn to_json(&self) -> Result<String, ProofError> {
        let Self { old_size, new_size, path } = self.clone();
        let members = Members { format: FORMAT.to_owned(), old_size, new_size, path };
        Ok(serde_json::to_string_pretty(&members)? + "\n")
    }

    /// Checks it against two checkpoints, whose signatures were found right.
    ///
    /// # Errors
    /// Why it proves nothing; [`ProofError::Inconsistent`] where the log was altered.
    pub fn check(&self, old: &Checkpoint, new: &Checkpoint) -> Result<(), ProofError> {
        if old.origin != new.origin {
            return Err(ProofError::OtherLog(old.origin.to_string(), new.origin.to_string()));
        }
        if old.size > new.size {
            return Err(ProofError::Backwards { old: old.size, new: new.size });
        }
        if old.size == new.size && old.root != new.root {
            // No proof is needed to see it, whichever is there.
            return Err(ProofError::Inconsistent { old: old.size, new: new.size });
        }
        if (self.old_size, self.new_size) != (old.size, new.size) {
            return Err(ProofError::OtherCheckpoints(
                self.old_size,
                self.new_size,
                old.size,
                new.size,
            ));
        }
        if is_consistent(old.size, &old.root, new.size, &new.root, &self.path) {
            Ok(())
        } else {
            Err(ProofError::Inconsistent { old: old.size, new: new.size })
        }
    }
}
