//! The first leaf of a log that was begun anew. Source of the format: `docs/evidence.md`, "The
//! trees".

use uuid::Uuid;

use super::canonical::{CanonicalError, Tuple};
use super::leaf::LeafKind;
use super::tree::Hash;
use crate::time::PostgresMicros;

/// What the log before was, and why another one was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestartLeaf {
    /// `audit_installation.id`.
    pub installation: Uuid,
    /// The log that begins with this leaf: how often it was begun anew.
    pub number: i32,
    /// The name of the log before.
    pub old_origin: String,
    /// How many leaves the database had of it.
    pub old_size: i64,
    /// The root over them; `None` where it could not be made any more.
    pub old_root: Option<Hash>,
    /// The last checkpoint of the log before that was known; `None` where none was signed.
    pub last_checkpoint: Option<String>,
    /// Why.
    pub reason: String,
    /// Who: the user of the operating system, and the host.
    pub restarted_by: String,
    /// The database's role.
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
}
