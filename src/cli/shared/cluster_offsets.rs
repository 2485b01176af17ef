//! Where Kafka's partitions end now, for the commands that compare that with the record.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use chrono::Utc;

use crate::cli::settings::ResolvedSettings;
use crate::event::TopicPartition;
use crate::kafka;
use crate::kafka::{Cluster, Offsets};

/// Where the partitions of a cluster begin and end.
pub(crate) struct ClusterOffsets {
    /// The cluster's id.
    pub(crate) cluster_id: String,
    /// By partition.
    pub(crate) partitions: BTreeMap<TopicPartition, Offsets>,
}

/// Kafka's answer, or why there is no answer.
pub(crate) type Answer<T> = Result<T, String>;

impl ClusterOffsets {
    /// Asks Kafka for these topics, and waits up to `limit` for a broker.
    pub(crate) async fn ask(
        settings: &ResolvedSettings,
        mut topics: Vec<String>,
        limit: Duration,
    ) -> Answer<Self> {
        let settings = settings.kafka().map_err(|failure| failure.message().to_owned())?;
        topics.sort_unstable();
        topics.dedup();
        let asked = kafka::blocking(move || {
            let cluster = Cluster::new(&settings)?;
            let cluster_id = cluster.id(limit)?;
            Ok(Self { cluster_id, partitions: cluster.all_offsets(&topics)? })
        });
        asked.await.map_err(|error| error.to_string())
    }

    /// The offsets of a partition, where it is one of this cluster.
    pub(crate) fn of(&self, cluster_id: &str, partition: &TopicPartition) -> Option<Offsets> {
        (self.cluster_id == cluster_id).then(|| self.partitions.get(partition).copied()).flatten()
    }
}

/// How long the first record waits that is not recorded yet, in seconds, for each of the partitions
/// with their next offsets.
pub(crate) async fn seconds_waiting(
    settings: &ResolvedSettings,
    next_offsets: Vec<(TopicPartition, i64)>,
    limit: Duration,
) -> Answer<HashMap<TopicPartition, i64>> {
    if next_offsets.is_empty() {
        return Ok(HashMap::new());
    }
    let settings = settings.kafka().map_err(|failure| failure.message().to_owned())?;
    let asked =
        kafka::blocking(move || kafka::first_timestamps(&settings, &next_offsets, limit)).await;
    let first = asked.map_err(|error| error.to_string())?;
    let now_ms = Utc::now().timestamp_millis();
    Ok(first.into_iter().map(|(key, time_ms)| (key, (now_ms - time_ms).max(0) / 1000)).collect())
}
