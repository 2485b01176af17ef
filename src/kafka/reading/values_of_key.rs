//! Reads a topic from its beginning to its end for the records of one key.

use std::collections::HashSet;
use std::time::Duration;

use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};

use super::assigned_consumer::reader;
use super::find_by_header::is_passing;
use crate::kafka::cluster::REQUEST;
use crate::kafka::{Cluster, Error, Settings};

/// The values of the committed records of a topic whose key is this one, in the order of each
/// partition; `None` where there is no such topic.
///
/// # Errors
/// `Error::Client`, `Error::Unreachable`, and `Error::Search` where a partition can't be read to
/// its end.
pub fn values_of_key(
    settings: &Settings,
    topic: &str,
    key: &[u8],
) -> Result<Option<Vec<Vec<u8>>>, Error> {
    const WAIT: Duration = Duration::from_millis(200);
    let what = || format!("reading {topic}");
    let count =
        Cluster::new(settings)?.partitions(&[topic.to_owned()])?.get(topic).copied().unwrap_or(0);
    let mut values = Vec::new();
    if count == 0 {
        return Ok(None);
    }
    let more = [("isolation.level", "read_committed"), ("enable.partition.eof", "true")];
    let consumer = reader(settings, &more, &what())?;
    let mut assignment = TopicPartitionList::new();
    for partition in 0..count {
        assignment
            .add_partition_offset(topic, partition, Offset::Beginning)
            .map_err(Error::client(what()))?;
    }
    consumer.assign(&assignment).map_err(Error::client(what()))?;
    let mut open: HashSet<i32> = (0..count).collect();
    let mut silent = Duration::ZERO;
    while !open.is_empty() {
        match consumer.poll(WAIT) {
            Some(Ok(message)) => {
                silent = Duration::ZERO;
                if let (Some(found), Some(value)) = (message.key(), message.payload())
                    && found == key
                {
                    values.push(value.to_vec());
                }
            }
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                silent = Duration::ZERO;
                open.remove(&partition);
            }
            Some(Err(error)) if error.rdkafka_error_code().is_some_and(is_passing) => {
                silent += WAIT;
            }
            Some(Err(source)) => return Err(Error::Client { what: what(), source }),
            None => silent += WAIT,
        }
        if silent > REQUEST {
            return Err(Error::Search { topic: topic.to_owned() });
        }
    }
    Ok(Some(values))
}
