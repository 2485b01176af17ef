//! What a partition is, beyond the number that this database has for it.

use std::sync::Arc;

use uuid::Uuid;

use crate::event::TopicPartition;

/// A partition of one incarnation of a topic of one cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionIdentity {
    /// The Kafka cluster's own id.
    pub cluster_id: Arc<str>,
    /// The topic and the number.
    pub name: TopicPartition,
    /// Kafka's id of the topic, where it is known.
    pub topic_id: Option<Uuid>,
    /// How often the topic was made again, from 1.
    pub incarnation: i32,
}
