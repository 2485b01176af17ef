//! Each recorded partition beside the one that Kafka has.

use std::collections::HashMap;

use crate::cli::shared::ClusterOffsets;
use crate::event::TopicPartition;
use crate::ledger::{Comparison, KafkaPartition, RecordedPartition, compare};
use crate::store::KnownPartition;

/// How the newest incarnation of each partition of Kafka's cluster compares with what Kafka has.
pub(super) struct Comparisons(HashMap<i32, (KafkaPartition, Comparison)>);

impl Comparisons {
    /// Compares what was recorded before Kafka was asked: what was recorded since may be ahead of
    /// the ends that it told.
    pub(super) fn new(
        before: &[KnownPartition],
        known: &[KnownPartition],
        kafka: Option<&ClusterOffsets>,
    ) -> Self {
        let before: HashMap<i32, i64> =
            before.iter().map(|known| (known.partition_id, known.recorded.next_offset)).collect();
        let newest = known.iter().filter(|known| known.is_newest);
        let compared = newest.filter_map(|known| {
            let found = *kafka?.of(&known.cluster_id, &known.partition)?;
            let next_offset = before.get(&known.partition_id).copied().unwrap_or(0);
            let recorded = RecordedPartition { next_offset, ..known.recorded };
            Some((known.partition_id, (found, compare(&recorded, &found))))
        });
        Self(compared.collect())
    }

    /// The partitions whose recorded incarnation Kafka has, and where each begins now.
    pub(super) fn readable(&self, known: &[KnownPartition]) -> HashMap<i32, (TopicPartition, i64)> {
        let readable = known.iter().filter_map(|known| {
            let (found, comparison) = self.of(known.partition_id)?;
            comparison
                .is_same_incarnation()
                .then(|| (known.partition_id, (known.partition.clone(), found.low)))
        });
        readable.collect()
    }

    /// What Kafka has of a partition, and how that compares; `None` where it was not asked about
    /// it, or has no such partition.
    pub(super) fn of(&self, partition_id: i32) -> Option<(KafkaPartition, Comparison)> {
        self.0.get(&partition_id).copied()
    }
}
