//! Where Kafka's partitions end now, for the commands that compare that with the record.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use crate::cli::settings::ResolvedSettings;
use crate::event::TopicPartition;
use crate::kafka;
use crate::kafka::{Cluster, Isolation};
use crate::ledger::KafkaPartition;
use crate::time::UnixMicros;

/// The partitions of a cluster, of some topics.
pub(crate) struct ClusterOffsets {
    /// The cluster's id.
    pub(crate) cluster_id: String,
    /// Where each begins and ends.
    pub(crate) partitions: BTreeMap<TopicPartition, KafkaPartition>,
    /// One past the last record of each, those of open transactions included. Asked for before the
    /// ends.
    high_watermarks: BTreeMap<TopicPartition, i64>,
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
            let high_watermarks = Cluster::high_watermarks(&settings, &topics)?;
            let partitions = cluster.all_offsets(&topics)?;
            Ok(Self { cluster_id, partitions, high_watermarks })
        });
        asked.await.map_err(|error| error.to_string())
    }

    /// A partition, where it is one of this cluster.
    pub(crate) fn of(
        &self,
        cluster_id: &str,
        partition: &TopicPartition,
    ) -> Option<&KafkaPartition> {
        (self.cluster_id == cluster_id).then(|| self.partitions.get(partition)).flatten()
    }

    /// The partitions in which records wait behind an open transaction: where the first of them is,
    /// and how many offsets wait.
    pub(crate) fn open_transactions(&self) -> Vec<(TopicPartition, OpenTransaction)> {
        let open = self.partitions.iter().filter_map(|(partition, found)| {
            let offsets = self.high_watermarks.get(partition)? - found.end;
            let open = OpenTransaction { first_offset: found.end, offsets };
            (offsets > 0).then(|| (partition.clone(), open))
        });
        open.collect()
    }

    /// The same partitions at the same moment, after some time for what was open then: `now` is
    /// asked later, `None` where all that was there is recorded meanwhile. What was written since
    /// is left out.
    pub(crate) fn settled(mut self, now: Option<&Self>) -> Self {
        for (partition, found) in &mut self.partitions {
            let high = self.high_watermarks.get(partition).copied().unwrap_or(found.end);
            found.end = match now.map(|now| now.partitions.get(partition)) {
                None => high,
                Some(Some(now)) => now.end.min(high),
                Some(None) => found.end,
            };
        }
        self
    }

    /// One past the last record of a partition, those of open transactions included.
    pub(crate) fn high_watermark(&self, partition: &TopicPartition) -> Option<i64> {
        self.high_watermarks.get(partition).copied()
    }
}

/// What waits behind an open transaction in a partition: nobody who reads only what is committed
/// sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OpenTransaction {
    /// The last stable offset, where the transaction begins.
    pub(crate) first_offset: i64,
    /// How many offsets wait.
    pub(crate) offsets: i64,
}

/// When the first record at or behind each of the offsets was written, where Kafka tells it within
/// `limit`.
pub(crate) async fn times_at(
    settings: &ResolvedSettings,
    offsets: Vec<(TopicPartition, i64)>,
    isolation: Isolation,
    limit: Duration,
) -> Answer<HashMap<TopicPartition, UnixMicros>> {
    if offsets.is_empty() {
        return Ok(HashMap::new());
    }
    let settings = settings.kafka().map_err(|failure| failure.message().to_owned())?;
    let asked =
        kafka::blocking(move || kafka::first_timestamps(&settings, &offsets, isolation, limit));
    let times = asked.await.map_err(|error| error.to_string())?;
    let micros =
        |(key, time_ms): (TopicPartition, i64)| Some((key, UnixMicros(time_ms.checked_mul(1000)?)));
    Ok(times.into_iter().filter_map(micros).collect())
}
