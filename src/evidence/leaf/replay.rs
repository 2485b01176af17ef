//! The replays of dead letters: the columns of `dlt_replays`, in two leaves.

use uuid::Uuid;

use super::fields::{LeafFields, MalformedLeaf, bigint, integer, text, time, uuid};
use super::kind::LeafKind;
use crate::evidence::canonical::{CanonicalError, Tuple};
use crate::time::PostgresMicros;

/// A replay that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayRequestLeaf {
    /// `dlt_replays.replay_id`.
    pub replay_id: Uuid,
    /// The dead letter.
    pub event_log_id: i64,
    /// How often its event is replayed with this.
    pub attempt: i32,
    /// By whom.
    pub requested_by: String,
    /// The role of the database that they had.
    pub database_role: String,
    /// When.
    pub requested_at: PostgresMicros,
    /// Why.
    pub reason: Option<String>,
    /// Where it was to go.
    pub target_topic: String,
    /// The partition that was asked for; `None` where the key decides.
    pub target_partition: Option<i32>,
}

impl ReplayRequestLeaf {
    /// The whole leaf.
    ///
    /// # Errors
    /// [`CanonicalError::Time`].
    pub fn encode(&self) -> Result<Vec<u8>, CanonicalError> {
        let mut leaf = vec![LeafKind::ReplayRequest as u8];
        let mut fields = Tuple::begin(&mut leaf, 9);
        fields.uuid(Some(self.replay_id));
        fields.bigint(Some(self.event_log_id));
        fields.integer(Some(self.attempt));
        fields.text(Some(&self.requested_by));
        fields.text(Some(&self.database_role));
        fields.time(Some(self.requested_at))?;
        fields.text(self.reason.as_deref());
        fields.text(Some(&self.target_topic));
        fields.integer(self.target_partition);
        Ok(leaf)
    }

    /// Reads a whole leaf.
    ///
    /// # Errors
    /// [`MalformedLeaf`].
    pub fn decode(leaf: &[u8]) -> Result<Self, MalformedLeaf> {
        let mut fields = LeafFields::begin(leaf, LeafKind::ReplayRequest, 9)?;
        let read = Self {
            replay_id: fields.required(uuid)?,
            event_log_id: fields.required(bigint)?,
            attempt: fields.required(integer)?,
            requested_by: fields.required(text)?,
            database_role: fields.required(text)?,
            requested_at: fields.required(time)?,
            reason: fields.optional(text)?,
            target_topic: fields.required(text)?,
            target_partition: fields.optional(integer)?,
        };
        fields.end()?;
        Ok(read)
    }
}

/// What came of a replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayOutcomeLeaf {
    /// `dlt_replays.replay_id`.
    pub replay_id: Uuid,
    /// `sent` or `failed`.
    pub state: String,
    /// Where it is in Kafka; `None` where it is not there.
    pub new_partition: Option<i32>,
    /// Its offset.
    pub new_offset: Option<i64>,
    /// Why it is not in Kafka.
    pub error: Option<String>,
    /// When that was known.
    pub resolved_at: PostgresMicros,
}

impl ReplayOutcomeLeaf {
    /// The whole leaf.
    ///
    /// # Errors
    /// [`CanonicalError::Time`].
    pub fn encode(&self) -> Result<Vec<u8>, CanonicalError> {
        let mut leaf = vec![LeafKind::ReplayOutcome as u8];
        let mut fields = Tuple::begin(&mut leaf, 6);
        fields.uuid(Some(self.replay_id));
        fields.text(Some(&self.state));
        fields.integer(self.new_partition);
        fields.bigint(self.new_offset);
        fields.text(self.error.as_deref());
        fields.time(Some(self.resolved_at))?;
        Ok(leaf)
    }

    /// Reads a whole leaf.
    ///
    /// # Errors
    /// [`MalformedLeaf`].
    pub fn decode(leaf: &[u8]) -> Result<Self, MalformedLeaf> {
        let mut fields = LeafFields::begin(leaf, LeafKind::ReplayOutcome, 6)?;
        let read = Self {
            replay_id: fields.required(uuid)?,
            state: fields.required(text)?,
            new_partition: fields.optional(integer)?,
            new_offset: fields.optional(bigint)?,
            error: fields.optional(text)?,
            resolved_at: fields.required(time)?,
        };
        fields.end()?;
        Ok(read)
    }
}
