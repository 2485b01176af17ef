//! Topics, through Kafka's administrative requests.

use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::blocking;
use crate::error::Error;

const ANSWERS_WITHIN: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A client for administrative requests that keeps trying quietly while the broker is away.
pub(crate) fn client(brokers: &str) -> Result<AdminClient<DefaultClientContext>, KafkaError> {
    ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("reconnect.backoff.max.ms", "100")
        .set_log_level(RDKafkaLogLevel::Emerg)
        .create()
}

/// Creates a topic, and waits until each of its partitions has a leader. `config` is the topic's
/// own.
///
/// # Errors
/// When it exists ([`Error::Exists`]), or Kafka does not answer or refuses.
pub fn create(
    brokers: &str,
    topic: &str,
    partitions: i32,
    config: &[(&str, &str)],
) -> Result<(), Error> {
    let action = format!("create the topic {topic}");
    let client = client(brokers).map_err(|error| failed(&action, &error))?;
    let mut new = NewTopic::new(topic, partitions, TopicReplication::Fixed(1));
    for (name, value) in config {
        new = new.set(name, value);
    }
    let results = blocking::wait(client.create_topics([&new], &options()))?
        .map_err(|error| failed(&action, &error))?;
    match results.into_iter().next() {
        Some(Err((_, RDKafkaErrorCode::TopicAlreadyExists))) => {
            return Err(Error::Exists { what: "the topic", name: topic.to_string() });
        }
        Some(Err((_, code))) => return Err(failed(&action, &KafkaError::AdminOp(code))),
        Some(Ok(_)) | None => {}
    }
    let deadline = Instant::now() + ANSWERS_WITHIN;
    while !has_leaders(&client, Some(topic), LOOK_EVERY * 20) {
        if Instant::now() > deadline {
            return Err(Error::Request { action, reason: "its partitions have no leader".into() });
        }
        std::thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

/// Whether a broker answers, and each partition (of one topic, or of all) has a leader.
pub(crate) fn has_leaders(
    client: &AdminClient<DefaultClientContext>,
    topic: Option<&str>,
    within: Duration,
) -> bool {
    client.inner().fetch_metadata(topic, within).is_ok_and(|metadata| {
        !metadata.brokers().is_empty()
            && metadata.topics().iter().all(|topic| {
                topic.error().is_none()
                    && topic.partitions().iter().all(|partition| partition.leader() >= 0)
                    && !topic.partitions().is_empty()
            })
    })
}

/// Deletes a topic. Does nothing where no topic has that name.
pub(crate) fn delete(brokers: &str, topic: &str) -> Result<(), Error> {
    let action = format!("delete the topic {topic}");
    let client = client(brokers).map_err(|error| failed(&action, &error))?;
    let results = blocking::wait(client.delete_topics(&[topic], &options()))?
        .map_err(|error| failed(&action, &error))?;
    match results.into_iter().next() {
        Some(Err((_, code))) if code != RDKafkaErrorCode::UnknownTopicOrPartition => {
            Err(failed(&action, &KafkaError::AdminOp(code)))
        }
        _ => Ok(()),
    }
}

/// Deletes the records of a partition before an offset, as Kafka's retention would.
pub(crate) fn delete_records(
    brokers: &str,
    topic: &str,
    partition: i32,
    before_offset: i64,
) -> Result<(), Error> {
    let action = format!("delete the records of {topic}/{partition} before offset {before_offset}");
    let client = client(brokers).map_err(|error| failed(&action, &error))?;
    let mut offsets = TopicPartitionList::new();
    offsets
        .add_partition_offset(topic, partition, Offset::Offset(before_offset))
        .map_err(|error| failed(&action, &error))?;
    let results = blocking::wait(client.delete_records(&offsets, &options()))?
        .map_err(|error| failed(&action, &error))?;
    for element in results.elements() {
        element.error().map_err(|error| failed(&action, &error))?;
    }
    Ok(())
}

fn options() -> AdminOptions {
    AdminOptions::new()
        .operation_timeout(Some(ANSWERS_WITHIN))
        .request_timeout(Some(ANSWERS_WITHIN))
}

fn failed(action: &str, error: &KafkaError) -> Error {
    Error::Request { action: action.to_string(), reason: error.to_string() }
}
