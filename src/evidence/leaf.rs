//! The leaves of the log. Source of the formats: `docs/evidence.md`, "The trees".

mod fields;
mod kind;
mod replay;
mod restart;
mod retirement;

#[cfg(test)]
mod tests;

use uuid::Uuid;

pub use self::fields::MalformedLeaf;
use self::fields::{LeafFields, bigint, time, uuid};
pub use self::kind::LeafKind;
pub use self::replay::{ReplayOutcomeLeaf, ReplayRequestLeaf};
pub use self::restart::RestartLeaf;
pub use self::retirement::RetirementLeaf;
use super::canonical::{CanonicalError, Tuple};
use super::tree::Hash;
use crate::time::PostgresMicros;

/// The first leaf of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallationLeaf {
    /// `audit_installation.id`.
    pub installation: Uuid,
    /// The first batch of the log.
    pub first_batch_no: i64,
    /// When the log began.
    pub begun_at: PostgresMicros,
}

/// A batch with its ranges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchLeaf {
    /// `ingest_batches.batch_no`.
    pub batch_no: i64,
    /// `ingest_batches.first_id`.
    pub first_id: Option<i64>,
    /// `ingest_batches.last_id`.
    pub last_id: Option<i64>,
    /// `ingest_batches.row_count`.
    pub row_count: i32,
    /// `ingest_batches.recorded_at`.
    pub recorded_at: PostgresMicros,
    /// `ingest_batches.ingester`.
    pub ingester: String,
    /// The root over the rows.
    pub row_root: Hash,
    /// The root over the records of Kafka; `None` where it is not known.
    pub record_root: Option<Hash>,
    /// `ingest_batches.min_created_at`.
    pub min_created_at: Option<PostgresMicros>,
    /// `ingest_batches.max_created_at`.
    pub max_created_at: Option<PostgresMicros>,
    /// `ingest_batches.counted`.
    pub counted: bool,
    /// The ranges, in the order of `partition_id` and `first_offset`.
    pub ranges: Vec<RangeFacts>,
    /// When and by whom it was adopted; `None` where it entered the log when it was recorded.
    pub adoption: Option<Adoption>,
}

/// A line of `ingest_batch_ranges`, with the partition that it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RangeFacts {
    /// `kafka_partitions.partition_id`.
    pub partition_id: i32,
    /// `kafka_partitions.cluster_id`.
    pub cluster_id: String,
    /// `kafka_partitions.topic`.
    pub topic: String,
    /// Kafka's id of the topic, as it was known when the batch was recorded.
    pub topic_id: Option<Uuid>,
    /// `kafka_partitions.partition`.
    pub partition: i32,
    /// `kafka_partitions.incarnation`.
    pub incarnation: i32,
    /// The first offset.
    pub first_offset: i64,
    /// One past the last offset.
    pub next_offset: i64,
    /// How many of them are rows.
    pub row_count: i32,
    /// `stored` or `lost`.
    pub kind: String,
}

/// How a batch that was recorded before there was a log came into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adoption {
    /// When.
    pub adopted_at: PostgresMicros,
    /// By whom.
    pub adopted_by: String,
}

/// A batch's leaf around what is known only when it is entered: its number and its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchLeafParts {
    /// Comes before the eight bytes of `batch_no`.
    pub before: Vec<u8>,
    /// Comes between the eight bytes of `batch_no` and those of `recorded_at`.
    pub between: Vec<u8>,
    /// Comes behind the eight bytes of `recorded_at`.
    pub behind: Vec<u8>,
}

/// The length of an int8, as a field has it.
const INT8: [u8; 4] = 8_i32.to_be_bytes();

impl BatchLeaf {
    /// The leaf without its number and its time, which are given when it is entered.
    ///
    /// # Errors
    /// [`CanonicalError::Time`].
    pub fn parts(&self) -> Result<BatchLeafParts, CanonicalError> {
        let kind = if self.adoption.is_some() { LeafKind::Adopted } else { LeafKind::Batch };
        let mut before = vec![kind as u8];
        Tuple::begin(&mut before, 11);
        before.extend_from_slice(&INT8);
        let mut between = Vec::new();
        let mut fields = Tuple::go_on(&mut between);
        fields.bigint(self.first_id);
        fields.bigint(self.last_id);
        fields.integer(Some(self.row_count));
        between.extend_from_slice(&INT8);
        let mut behind = Vec::new();
        let mut fields = Tuple::go_on(&mut behind);
        fields.text(Some(&self.ingester));
        fields.bytes(Some(&self.row_root));
        fields.bytes(self.record_root.as_ref().map(Hash::as_slice));
        fields.time(self.min_created_at)?;
        fields.time(self.max_created_at)?;
        fields.boolean(Some(self.counted));
        behind.extend_from_slice(&(self.ranges.len() as u32).to_be_bytes());
        for range in &self.ranges {
            range.write(&mut behind);
        }
        if let Some(adoption) = &self.adoption {
            let mut fields = Tuple::begin(&mut behind, 2);
            fields.time(Some(adoption.adopted_at))?;
            fields.text(Some(&adoption.adopted_by));
        }
        Ok(BatchLeafParts { before, between, behind })
    }

    /// The whole leaf.
    ///
    /// # Errors
    /// [`CanonicalError::Time`].
    pub fn encode(&self) -> Result<Vec<u8>, CanonicalError> {
        let BatchLeafParts { before, between, behind } = self.parts()?;
        let mut recorded_at = Vec::new();
        Tuple::go_on(&mut recorded_at).time(Some(self.recorded_at))?;
        let recorded_at = recorded_at.strip_prefix(&INT8).ok_or(CanonicalError::Time)?;
        Ok([&before, &self.batch_no.to_be_bytes()[..], &between, recorded_at, &behind].concat())
    }
}

impl RangeFacts {
    fn write(&self, bytes: &mut Vec<u8>) {
        let mut fields = Tuple::begin(bytes, 10);
        fields.integer(Some(self.partition_id));
        fields.text(Some(&self.cluster_id));
        fields.text(Some(&self.topic));
        fields.uuid(self.topic_id);
        fields.integer(Some(self.partition));
        fields.integer(Some(self.incarnation));
        fields.bigint(Some(self.first_offset));
        fields.bigint(Some(self.next_offset));
        fields.integer(Some(self.row_count));
        fields.text(Some(&self.kind));
    }
}

impl InstallationLeaf {
    /// The whole leaf.
    ///
    /// # Errors
    /// [`CanonicalError::Time`].
    pub fn encode(&self) -> Result<Vec<u8>, CanonicalError> {
        let mut leaf = vec![LeafKind::Installation as u8];
        let mut fields = Tuple::begin(&mut leaf, 3);
        fields.uuid(Some(self.installation));
        fields.bigint(Some(self.first_batch_no));
        fields.time(Some(self.begun_at))?;
        Ok(leaf)
    }
    /// Reads a whole leaf.
    ///
    /// # Errors
    /// [`MalformedLeaf`].
    pub fn decode(leaf: &[u8]) -> Result<Self, MalformedLeaf> {
        let mut fields = LeafFields::begin(leaf, LeafKind::Installation, 3)?;
        let read = Self {
            installation: fields.required(uuid)?,
            first_batch_no: fields.required(bigint)?,
            begun_at: fields.required(time)?,
        };
        fields.end()?;
        Ok(read)
    }
}
