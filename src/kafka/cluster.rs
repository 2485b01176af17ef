//! Questions to the cluster: which one it is, which topics and partitions it has, where they begin
//! and end.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode;
use uuid::Uuid;

use super::log_context::LogContext;
use super::topic_ids;
use super::{Error, Settings};
use crate::event::TopicPartition;

/// How long one request may take.
pub(super) const REQUEST: Duration = Duration::from_secs(10);

/// Where a partition begins and ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offsets {
    /// The first offset that Kafka still has.
    pub low: i64,
    /// The last stable offset: one past the last record that a `read_committed` consumer may see.
    pub end: i64,
}

/// A client that asks, and reads nothing.
pub struct Cluster {
    client: BaseConsumer<LogContext>,
    brokers: String,
}

impl Cluster {
    /// Makes the client. Connects to nothing yet.
    ///
    /// # Errors
    /// `Error::Client` where librdkafka refuses a setting.
    pub fn new(settings: &Settings) -> Result<Self, Error> {
        let config = settings.client(&[]);
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
        match self.client.fetch_metadata(None, Duration::from_secs(1)) {
            Ok(_) => Err(Error::NoClusterId { brokers: self.brokers.clone() }),
            Err(_) => Err(self.unreachable()),
        }
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
                        let source = rdkafka::error::KafkaError::MetadataFetch(code);
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

    fn failed(&self, topic: &str, source: rdkafka::error::KafkaError) -> Error {
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

    /// Where a partition begins and ends now.
    ///
    /// # Errors
    /// `Error::Client`.
    pub fn offsets(&self, partition: &TopicPartition) -> Result<Offsets, Error> {
        let (low, end) = self
            .client
            .fetch_watermarks(&partition.topic, partition.partition, REQUEST)
            .map_err(Error::client(format!("reading the offsets of {partition}")))?;
        Ok(Offsets { low, end })
    }

    /// Where every partition of the topics begins and ends; topics that do not exist are left out.
    ///
    /// # Errors
    /// As [`Cluster::partitions`] and [`Cluster::offsets`].
    pub fn all_offsets(
        &self,
        topics: &[String],
    ) -> Result<BTreeMap<TopicPartition, Offsets>, Error> {
        let partitions = self.partitions(topics)?;
        let mut all = BTreeMap::new();
        for topic in topics {
            for partition in 0..partitions.get(topic).copied().unwrap_or(0) {
                let partition = TopicPartition::new(topic, partition);
                let offsets = self.offsets(&partition)?;
                all.insert(partition, offsets);
            }
        }
        Ok(all)
    }

    /// Kafka's own ids of the topics. A broker that does not tell them (before Kafka 2.8) gives an
    /// empty map.
    ///
    /// # Errors
    /// `Error::Client` where the request fails for another reason.
    pub fn topic_ids(&self, topics: &[String]) -> Result<HashMap<String, Uuid>, Error> {
        topic_ids::describe(self.client.client(), topics, REQUEST)
    }
}
