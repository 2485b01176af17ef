//! Questions to the cluster: which one it is, which topics and partitions it has, where they begin
//! and end.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};
use uuid::Uuid;

use super::admin;
use super::log_context::LogContext;
use super::{Error, Settings};
use crate::event::TopicPartition;
use crate::ledger::KafkaPartition;

/// How long one request may take.
pub(super) const REQUEST: Duration = Duration::from_secs(10);

/// A client that asks, and reads nothing.
pub struct Cluster {
    pub(super) client: BaseConsumer<LogContext>,
    brokers: String,
}

impl Cluster {
    /// Makes the client. Connects to nothing yet.
    ///
    /// # Errors
    /// `Error::Client` where librdkafka refuses a setting.
    pub fn new(settings: &Settings) -> Result<Self, Error> {
        Self::with(settings, &[])
    }

    fn with(settings: &Settings, more: &[(&str, &str)]) -> Result<Self, Error> {
        let config = settings.client(more);
        let client = config
            .create_with_context(LogContext::default())
            .map_err(Error::client("making a Kafka client"))?;
        Ok(Self { client, brokers: settings.brokers().to_owned() })
    }

    /// The cluster's id, asked for until `timeout`.
    ///
    /// # Errors
    /// `Error::Unreachable`, or `Error::NoClusterId` where a broker answers without one.
    pub fn id(&self, timeout: Duration) -> Result<String, Error> {
        if let Some(id) = self.client.client().fetch_cluster_id(timeout) {
            return Ok(id);
        }
        // The timeout has passed. One short request tells whether the broker is down, or has no id.
        let short = Duration::from_secs(1);
        if self.client.fetch_metadata(None, short).is_err() {
            return Err(self.unreachable());
        }
        // A broker that was just started answers now, and may not have answered before.
        let id = self.client.client().fetch_cluster_id(short);
        id.ok_or_else(|| Error::NoClusterId { brokers: self.brokers.clone() })
    }

    /// How many partitions each topic has; a topic that does not exist is left out.
    ///
    /// # Errors
    /// `Error::Client`, `Error::Unreachable`.
    pub fn partitions(&self, topics: &[String]) -> Result<HashMap<String, i32>, Error> {
        let mut found = HashMap::new();
        for topic in topics {
            let metadata = self
                .client
                .fetch_metadata(Some(topic), REQUEST)
                .map_err(|source| self.failed(topic, source))?;
            for described in metadata.topics().iter().filter(|described| described.name() == topic)
            {
                match described.error().map(RDKafkaErrorCode::from) {
                    None => {
                        let count = i32::try_from(described.partitions().len()).unwrap_or(i32::MAX);
                        found.insert(topic.clone(), count);
                    }
                    Some(RDKafkaErrorCode::UnknownTopicOrPartition) => {}
                    Some(code) => {
                        let source = KafkaError::MetadataFetch(code);
                        return Err(Error::Client {
                            what: format!("asking for topic {topic}"),
                            source,
                        });
                    }
                }
            }
        }
        Ok(found)
    }

    fn failed(&self, topic: &str, source: KafkaError) -> Error {
        match source.rdkafka_error_code() {
            Some(
                RDKafkaErrorCode::BrokerTransportFailure
                | RDKafkaErrorCode::AllBrokersDown
                | RDKafkaErrorCode::OperationTimedOut
                | RDKafkaErrorCode::Authentication,
            ) => self.unreachable(),
            _ => Error::Client { what: format!("asking for topic {topic}"), source },
        }
    }

    /// No broker can be used, for the reason that librdkafka has.
    fn unreachable(&self) -> Error {
        // The reports wait in the client's queue, which nobody else reads: a few are enough.
        for _ in 0..50 {
            if self.client.poll(Duration::from_millis(20)).is_none() {
                break;
            }
        }
        let reason = self.client.context().refusals.last();
        Error::Unreachable { brokers: self.brokers.clone(), reason }
    }

    /// Where a partition of the topic with this id begins and ends now.
    ///
    /// # Errors
    /// `Error::Client`.
    pub fn offsets(
        &self,
        partition: &TopicPartition,
        topic_id: Option<Uuid>,
    ) -> Result<KafkaPartition, Error> {
        let (low, end) = self
            .client
            .fetch_watermarks(&partition.topic, partition.partition, REQUEST)
            .map_err(Error::client(format!("reading the offsets of {partition}")))?;
        Ok(KafkaPartition { topic_id, low, end })
    }

    /// Every partition of the topics, with where it begins and ends; topics that do not exist are
    /// left out.
    ///
    /// # Errors
    /// `Error::Client`, `Error::Unreachable`.
    pub fn all_offsets(
        &self,
        topics: &[String],
    ) -> Result<BTreeMap<TopicPartition, KafkaPartition>, Error> {
        let ids = self.topic_ids(topics)?;
        let partitions = self.all_partitions(topics)?;
        let lows = self.list_offsets(&partitions, Offset::Beginning)?;
        let ends = self.list_offsets(&partitions, Offset::End)?;
        let all = lows.into_iter().filter_map(|(partition, low)| {
            let end = *ends.get(&partition)?;
            let topic_id = ids.get(&partition.topic).copied();
            Some((partition, KafkaPartition { topic_id, low, end }))
        });
        Ok(all.collect())
    }

    /// Where the last record of every partition of the topics lies that a `read_uncommitted`
    /// consumer may see, one past it. What lies between the last stable offset and there waits for
    /// the end of a transaction, where the last stable offset was asked for after this.
    ///
    /// # Errors
    /// As [`Cluster::all_offsets`].
    pub fn high_watermarks(
        settings: &Settings,
        topics: &[String],
    ) -> Result<BTreeMap<TopicPartition, i64>, Error> {
        let cluster = Self::with(settings, &[("isolation.level", "read_uncommitted")])?;
        let partitions = cluster.all_partitions(topics)?;
        cluster.list_offsets(&partitions, Offset::End)
    }

    fn all_partitions(&self, topics: &[String]) -> Result<Vec<TopicPartition>, Error> {
        let counts = self.partitions(topics)?;
        let of_topic = |(topic, count): (&String, &i32)| {
            let topic = topic.clone();
            (0..*count).map(move |number| TopicPartition::new(&topic, number)).collect::<Vec<_>>()
        };
        Ok(counts.iter().flat_map(of_topic).collect())
    }

    /// The first or the last offset of each partition: one request to each broker, however many
    /// partitions it leads.
    fn list_offsets(
        &self,
        partitions: &[TopicPartition],
        place: Offset,
    ) -> Result<BTreeMap<TopicPartition, i64>, Error> {
        const WHAT: &str = "reading the offsets of the partitions";
        if partitions.is_empty() {
            return Ok(BTreeMap::new());
        }
        let mut asked = TopicPartitionList::new();
        for TopicPartition { topic, partition } in partitions {
            // Stands for a time: Kafka takes -1 for the latest offset and -2 for the earliest,
            // which are librdkafka's numbers of them, too (KIP-79).
            asked.add_partition_offset(topic, *partition, place).map_err(Error::client(WHAT))?;
        }
        let found = self.client.offsets_for_times(asked, REQUEST).map_err(Error::client(WHAT))?;
        let mut offsets = BTreeMap::new();
        for element in found.elements() {
            let partition = TopicPartition::new(element.topic(), element.partition());
            let what = || format!("reading the offsets of {partition}");
            element.error().map_err(Error::client(what()))?;
            let Offset::Offset(offset) = element.offset() else {
                let source = KafkaError::OffsetFetch(RDKafkaErrorCode::NoOffset);
                return Err(Error::Client { what: what(), source });
            };
            offsets.insert(partition, offset);
        }
        Ok(offsets)
    }

    /// Kafka's own ids of the topics. A broker that does not tell them (before Kafka 2.8) gives an
    /// empty map.
    ///
    /// # Errors
    /// `Error::Client` where the request fails for another reason.
    pub fn topic_ids(&self, topics: &[String]) -> Result<HashMap<String, Uuid>, Error> {
        admin::topic_ids(self.client.client(), topics, REQUEST)
    }
}
