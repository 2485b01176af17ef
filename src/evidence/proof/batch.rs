//! The batch of a proof: the fields of its leaf by their names.

use serde::de::{Deserializer, Error as _};
use serde::ser::{Error as _, Serializer};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::json::{Array, JsonForm, as_object, form};
use crate::evidence::leaf::{Adoption, BatchLeaf, RangeFacts};
use crate::evidence::tree::Hash;
use crate::time::PostgresMicros;

/// What the offsets of a range may be.
const KINDS: [&str; 2] = [STORED, LOST];
/// They are rows, or holes that Kafka shows to nobody.
pub(super) const STORED: &str = "stored";
/// Kafka had deleted them before they were read.
const LOST: &str = "lost";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Batch {
    #[serde(with = "form")]
    batch_no: i64,
    #[serde(with = "form")]
    first_id: i64,
    #[serde(with = "form")]
    last_id: i64,
    #[serde(with = "form")]
    row_count: i32,
    #[serde(with = "form")]
    recorded_at: PostgresMicros,
    #[serde(with = "form")]
    ingester: String,
    #[serde(with = "form")]
    row_root: Hash,
    #[serde(with = "form")]
    record_root: Option<Hash>,
    #[serde(with = "form")]
    min_created_at: Option<PostgresMicros>,
    #[serde(with = "form")]
    max_created_at: Option<PostgresMicros>,
    #[serde(with = "form")]
    counted: bool,
    #[serde(with = "form")]
    ranges: Array<Range>,
    #[serde(with = "form")]
    adopted: Option<Adopted>,
}
as_object!(Batch);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Range {
    #[serde(with = "form")]
    partition_id: i32,
    #[serde(with = "form")]
    cluster_id: String,
    #[serde(with = "form")]
    topic: String,
    #[serde(with = "form")]
    topic_id: Option<Uuid>,
    #[serde(with = "form")]
    partition: i32,
    #[serde(with = "form")]
    incarnation: i32,
    #[serde(with = "form")]
    first_offset: i64,
    #[serde(with = "form")]
    next_offset: i64,
    #[serde(with = "form")]
    row_count: i32,
    #[serde(with = "form")]
    kind: Kind,
}
as_object!(Range);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Adopted {
    #[serde(with = "form")]
    adopted_at: PostgresMicros,
    #[serde(with = "form")]
    adopted_by: String,
}
as_object!(Adopted);

struct Kind(String);

impl JsonForm for Kind {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let kind = String::deserialize(deserializer)?;
        if KINDS.contains(&kind.as_str()) {
            return Ok(Self(kind));
        }
        Err(D::Error::custom(format!("the kind of a range is {STORED} or {LOST}, not '{kind}'")))
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl JsonForm for BatchLeaf {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let batch = Batch::read(deserializer)?;
        let ranges = batch.ranges.0.into_iter().map(|range| RangeFacts {
            partition_id: range.partition_id,
            cluster_id: range.cluster_id,
            topic: range.topic,
            topic_id: range.topic_id,
            partition: range.partition,
            incarnation: range.incarnation,
            first_offset: range.first_offset,
            next_offset: range.next_offset,
            row_count: range.row_count,
            kind: range.kind.0,
        });
        Ok(Self {
            batch_no: batch.batch_no,
            first_id: Some(batch.first_id),
            last_id: Some(batch.last_id),
            row_count: batch.row_count,
            recorded_at: batch.recorded_at,
            ingester: batch.ingester,
            row_root: batch.row_root,
            record_root: batch.record_root,
            min_created_at: batch.min_created_at,
            max_created_at: batch.max_created_at,
            counted: batch.counted,
            ranges: ranges.collect(),
            adoption: batch.adopted.map(|adopted| Adoption {
                adopted_at: adopted.adopted_at,
                adopted_by: adopted.adopted_by,
            }),
        })
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (Some(first_id), Some(last_id)) = (self.first_id, self.last_id) else {
            return Err(S::Error::custom("a batch without rows proves none"));
        };
        let ranges = self.ranges.iter().cloned().map(|range| Range {
            partition_id: range.partition_id,
            cluster_id: range.cluster_id,
            topic: range.topic,
            topic_id: range.topic_id,
            partition: range.partition,
            incarnation: range.incarnation,
            first_offset: range.first_offset,
            next_offset: range.next_offset,
            row_count: range.row_count,
            kind: Kind(range.kind),
        });
        let batch = Batch {
            batch_no: self.batch_no,
            first_id,
            last_id,
            row_count: self.row_count,
            recorded_at: self.recorded_at,
            ingester: self.ingester.clone(),
            row_root: self.row_root,
            record_root: self.record_root,
            min_created_at: self.min_created_at,
            max_created_at: self.max_created_at,
            counted: self.counted,
            ranges: Array(ranges.collect()),
            adopted: self.adoption.clone().map(|adoption| Adopted {
                adopted_at: adoption.adopted_at,
                adopted_by: adoption.adopted_by,
            }),
        };
        batch.write(serializer)
    }
}
