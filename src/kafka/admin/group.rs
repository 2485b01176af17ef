//! A consumer group, as Kafka tells of it.

use std::collections::BTreeMap;

use crate::event::TopicPartition;

/// The state of a group, in Kafka's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupState {
    /// It has no member, and may have committed offsets.
    Empty,
    /// Every member has its partitions.
    Stable,
    /// Its members are joining.
    PreparingRebalance,
    /// Its members wait for their partitions.
    CompletingRebalance,
    /// It does not exist any more, or never did.
    Dead,
    /// One that librdkafka has no word for, such as KIP-848's Assigning and Reconciling.
    Unknown,
}

impl GroupState {
    /// Kafka's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::Stable => "Stable",
            Self::PreparingRebalance => "PreparingRebalance",
            Self::CompletingRebalance => "CompletingRebalance",
            Self::Dead => "Dead",
            Self::Unknown => "Unknown",
        }
    }
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupMember {
    /// The `client.id` that it gave itself.
    pub client_id: String,
    /// Where it connects from.
    pub host: String,
    /// The partitions that it reads.
    pub partitions: Vec<TopicPartition>,
}

/// A consumer group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerGroup {
    /// Its id.
    pub id: String,
    /// Its state.
    pub state: GroupState,
    /// Its members.
    pub members: Vec<GroupMember>,
    /// The next offset that it wants to read, where it committed one.
    pub committed: BTreeMap<TopicPartition, i64>,
}

impl ConsumerGroup {
    /// How many of its members read a partition of the topic.
    pub fn readers(&self, topic: &str) -> usize {
        let reads = |member: &&GroupMember| member.partitions.iter().any(|one| one.topic == topic);
        self.members.iter().filter(reads).count()
    }

    /// Whether it is known who reads what: a group that rebalances doesn't tell.
    pub fn is_settled(&self) -> bool {
        self.members.is_empty()
            || self.state == GroupState::Stable
            || self.members.iter().any(|member| !member.partitions.is_empty())
    }
}
