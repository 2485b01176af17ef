//! The first leaf of a log that goes on after a restore.

use uuid::Uuid;

use super::fields::{LeafFields, MalformedLeaf, bigint, hash, integer, text, time, uuid};
use super::kind::LeafKind;
use crate::evidence::canonical::{CanonicalError, Tuple};
use crate::evidence::tree::Hash;
use crate::time::PostgresMicros;

/// Which log ended, how far it was, and why another one began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestartLeaf {
    /// `audit_installation.id`.
    pub installation: Uuid,
    /// The number of the log that begins: `evidence_leaves.log_no`.
    pub number: i32,
    /// The origin of the log that ended.
    pub old_origin: String,
    /// How many leaves the log that ended has.
    pub old_size: i64,
    /// The root over them; `None` where it could not be made any more.
    pub old_root: Option<Hash>,
    /// The last checkpoint that was signed of it; `None` where there is none.
    pub last_checkpoint: Option<String>,
    /// Why.
    pub reason: String,
    /// By whom.
    pub restarted_by: String,
    /// The role of the database that they had.
    pub database_role: String,
    /// When.
    pub restarted_at: PostgresMicros,
}

impl RestartLeaf {
    /// The whole leaf.
    ///
    /// # Errors
    /// [`CanonicalError::Time`].
    pub fn encode(&self) -> Result<Vec<u8>, CanonicalError> {
        let mut leaf = vec![LeafKind::Restart as u8];
        let mut fields = Tuple::begin(&mut leaf, 10);
        fields.uuid(Some(self.installation));
        fields.integer(Some(self.number));
        fields.text(Some(&self.old_origin));
        fields.bigint(Some(self.old_size));
        fields.bytes(self.old_root.as_ref().map(Hash::as_slice));
        fields.text(self.last_checkpoint.as_deref());
        fields.text(Some(&self.reason));
        fields.text(Some(&self.restarted_by));
        fields.text(Some(&self.database_role));
        fields.time(Some(self.restarted_at))?;
        Ok(leaf)
    }

    /// Reads a whole leaf.
    ///
    /// # Errors
    /// [`MalformedLeaf`].
    pub fn decode(leaf: &[u8]) -> Result<Self, MalformedLeaf> {
        let mut fields = LeafFields::begin(leaf, LeafKind::Restart, 10)?;
        let read = Self {
            installation: fields.required(uuid)?,
            number: fields.required(integer)?,
            old_origin: fields.required(text)?,
            old_size: fields.required(bigint)?,
            old_root: fields.optional(hash)?,
            last_checkpoint: fields.optional(text)?,
            reason: fields.required(text)?,
            restarted_by: fields.required(text)?,
            database_role: fields.required(text)?,
            restarted_at: fields.required(time)?,
        };
        fields.end()?;
        Ok(read)
    }
}
