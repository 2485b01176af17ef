//! How far the partitions are recorded, for the group's offsets in Kafka.

use std::collections::HashMap;
use std::sync::Mutex;

use super::mutex::lock_mutex;
use crate::event::TopicPartition;

/// The next offset of each partition that was recorded since they were last taken.
#[derive(Debug, Default)]
pub(super) struct RecordedOffsets(Mutex<HashMap<TopicPartition, i64>>);

impl RecordedOffsets {
    pub(super) fn set(&self, partition: &TopicPartition, next_offset: i64) {
        lock_mutex(&self.0).insert(partition.clone(), next_offset);
    }

    pub(super) fn take(&self) -> HashMap<TopicPartition, i64> {
        std::mem::take(&mut lock_mutex(&self.0))
    }
}
