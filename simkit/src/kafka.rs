//! Kafka's settings, in one place.

use std::collections::HashSet;
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::MetadataTopic;
use rdkafka::producer::FutureProducer;
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};

/// How long to wait for the brokers at the start.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// Partitions of a topic that is made here.
const PARTITIONS: i32 = 4;

/// The replication factor that means "the broker's own default".
const REPLICATION_OF_THE_BROKER: i32 = -1;

/// Kafka can't be used.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A setting was refused.
    #[error("Kafka's settings were refused")]
    Settings(#[source] KafkaError),
    /// No broker answered.
    #[error("no Kafka broker answered at {brokers}; is it up, and does --brokers name it?")]
    Unreachable {
        /// The brokers asked.
        brokers: String,
        /// Why.
        #[source]
        source: KafkaError,
    },
    /// A topic could not be made.
    #[error("can't create the topic {topic} ({code}); create it by hand, or let this client do so")]
    CreateTopic {
        /// The topic.
        topic: String,
        /// What the broker said.
        code: RDKafkaErrorCode,
    },
    /// A topic was made, and did not appear.
    #[error("the topic {topic} was created and is still not known to the brokers at {brokers}")]
    TopicMissing {
        /// The topic.
        topic: String,
        /// The brokers asked.
        brokers: String,
    },
}

/// The dead-letter topic of a topic, named as Spring Kafka does since 3.3.
#[must_use]
pub fn dead_letter_topic(topic: &str) -> String {
    format!("{topic}-dlt")
}

/// A producer that never reorders the records of a key, never doubles one by its own retries, and
/// waits for the brokers as long as it takes: giving up on one record while a later one gets
/// through would change their order.
///
/// # Errors
/// [`SetupError::Settings`].
pub fn producer(brokers: &str) -> Result<FutureProducer, SetupError> {
    client(brokers)
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("message.timeout.ms", "0")
        .set("linger.ms", "2")
        .create()
        .map_err(SetupError::Settings)
}

/// A consumer in a group. An offset is committed only after it was stored by hand, which is done
/// after the effect; the short session lets another instance take over quickly.
///
/// # Errors
/// [`SetupError::Settings`].
pub fn consumer(brokers: &str, group: &str) -> Result<StreamConsumer, SetupError> {
    client(brokers)
        .set("group.id", group)
        .set("enable.auto.commit", "true")
        .set("auto.commit.interval.ms", "500")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "earliest")
        .set("isolation.level", "read_committed")
        .set("session.timeout.ms", "6000")
        .set("heartbeat.interval.ms", "500")
        .set("queued.max.messages.kbytes", "8192")
        .create()
        .map_err(SetupError::Settings)
}

/// Reads whole topics from their beginning, as no member of any group.
pub struct TopicReader(StreamConsumer);

impl TopicReader {
    /// Starts to read all partitions of the topics.
    ///
    /// # Errors
    /// [`SetupError`] if no broker answers within 30 s.
    pub fn new(brokers: &str, topics: &[String]) -> Result<Self, SetupError> {
        let reader: StreamConsumer = client(brokers)
            .set("group.id", "unused: partitions are assigned by hand, and nothing is committed")
            .set("enable.auto.commit", "false")
            .set("auto.offset.reset", "earliest")
            .create()
            .map_err(SetupError::Settings)?;
        let unreachable = |source| SetupError::Unreachable { brokers: brokers.to_owned(), source };
        let mut assignment = TopicPartitionList::new();
        for topic in topics {
            let metadata =
                tokio::task::block_in_place(|| reader.fetch_metadata(Some(topic), START_TIMEOUT))
                    .map_err(unreachable)?;
            for partition in metadata.topics().iter().flat_map(MetadataTopic::partitions) {
                assignment
                    .add_partition_offset(topic, partition.id(), Offset::Beginning)
                    .map_err(SetupError::Settings)?;
            }
        }
        reader.assign(&assignment).map_err(SetupError::Settings)?;
        Ok(Self(reader))
    }

    /// The value of the next record, which may be null; waits for one. Cancelling the wait loses
    /// none.
    pub async fn next(&self) -> Option<Vec<u8>> {
        loop {
            match self.0.recv().await {
                Ok(message) => return message.payload().map(<[u8]>::to_vec),
                // librdkafka reconnects by itself.
                Err(error) => tracing::warn!(%error, "can't read, trying again"),
            }
        }
    }
}

/// Creates the topics that do not exist, so that a bare Kafka works, and waits until the brokers
/// know them.
///
/// # Errors
/// [`SetupError`] if no broker answers within 30 s or a topic can't be made.
pub async fn ensure_topics(brokers: &str, topics: &[String]) -> Result<(), SetupError> {
    let admin: AdminClient<DefaultClientContext> =
        client(brokers).create().map_err(SetupError::Settings)?;
    let missing = missing_topics(&admin, brokers, topics)?;
    let new: Vec<_> = missing
        .iter()
        .map(|topic| {
            NewTopic::new(topic, PARTITIONS, TopicReplication::Fixed(REPLICATION_OF_THE_BROKER))
        })
        .collect();
    if new.is_empty() {
        return Ok(());
    }
    let unreachable = |source| SetupError::Unreachable { brokers: brokers.to_owned(), source };
    let options = AdminOptions::new().operation_timeout(Some(START_TIMEOUT));
    for result in admin.create_topics(&new, &options).await.map_err(unreachable)? {
        match result {
            // Another instance was quicker.
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((topic, code)) => return Err(SetupError::CreateTopic { topic, code }),
        }
    }
    for _ in 0..100 {
        if missing_topics(&admin, brokers, topics)?.is_empty() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(SetupError::TopicMissing { topic: missing.join(", "), brokers: brokers.to_owned() })
}

/// Asks for all topics: asking for one by name may create it, with the broker's settings.
fn missing_topics(
    admin: &AdminClient<DefaultClientContext>,
    brokers: &str,
    topics: &[String],
) -> Result<Vec<String>, SetupError> {
    let metadata =
        tokio::task::block_in_place(|| admin.inner().fetch_metadata(None, START_TIMEOUT))
            .map_err(|source| SetupError::Unreachable { brokers: brokers.to_owned(), source })?;
    let known: HashSet<&str> = metadata
        .topics()
        .iter()
        .filter(|topic| !topic.partitions().is_empty())
        .map(MetadataTopic::name)
        .collect();
    Ok(topics.iter().filter(|topic| !known.contains(topic.as_str())).cloned().collect())
}

fn client(brokers: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers);
    config
}
