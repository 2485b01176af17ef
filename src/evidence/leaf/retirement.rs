//! A leaf of `event_logs` that was retired.

use super::fields::{LeafFields, MalformedLeaf, bigint, text, time};
use super::kind::LeafKind;
use crate::evidence::canonical::{CanonicalError, Tuple};
use crate::time::PostgresMicros;

/// Which rows were dropped, when and by whom, and what they had to fulfil.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetirementLeaf {
    /// The table that was dropped: `event_log_leaves.name`.
    pub name: String,
    /// The first id that it could hold.
    pub first_id: i64,
    /// One past the last.
    pub next_id: i64,
    /// How many rows it held.
    pub rows: i64,
    /// When its oldest event happened; `None` where it held no row.
    pub min_created_at: Option<PostgresMicros>,
    /// When its newest event happened.
    pub max_created_at: Option<PostgresMicros>,
    /// When it was dropped.
    pub retired_at: PostgresMicros,
    /// By whom.
    pub retired_by: String,
    /// The role of the database that they had.
    pub database_role: String,
    /// What it had to fulfil, as text.
    pub condition: String,
}

impl RetirementLeaf {
    /// The whole leaf.
    ///
    /// # Errors
    /// [`CanonicalError::Time`].
    pub fn encode(&self) -> Result<Vec<u8>, CanonicalError> {
        let mut leaf = vec![LeafKind::Retirement as u8];
        let mut fields = Tuple::begin(&mut leaf, 10);
        fields.text(Some(&self.name));
        fields.bigint(Some(self.first_id));
        fields.bigint(Some(self.next_id));
        fields.bigint(Some(self.rows));
        fields.time(self.min_created_at)?;
        fields.time(self.max_created_at)?;
        fields.time(Some(self.retired_at))?;
        fields.text(Some(&self.retired_by));
        fields.text(Some(&self.database_role));
        fields.text(Some(&self.condition));
        Ok(leaf)
    }

    /// Reads a whole leaf.
    ///
    /// # Errors
    /// [`MalformedLeaf`].
    pub fn decode(leaf: &[u8]) -> Result<Self, MalformedLeaf> {
        let mut fields = LeafFields::begin(leaf, LeafKind::Retirement, 10)?;
        let read = Self {
            name: fields.required(text)?,
            first_id: fields.required(bigint)?,
            next_id: fields.required(bigint)?,
            rows: fields.required(bigint)?,
            min_created_at: fields.optional(time)?,
            max_created_at: fields.optional(time)?,
            retired_at: fields.required(time)?,
            retired_by: fields.required(text)?,
            database_role: fields.required(text)?,
            condition: fields.required(text)?,
        };
        fields.end()?;
        Ok(read)
    }
}
