//! Reads a topic from its beginning to its end for the records of one key.

use std::ops::ControlFlow;

use rdkafka::consumer::Consumer;
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};

use super::assigned_consumer::{read_to_end, reader};
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
    read_to_end(&consumer, topic, (0..count).collect(), &what(), |message| {
        if let (Some(found), Some(value)) = (message.key(), message.payload())
            && found == key
        {
            values.push(value.to_vec());
        }
        ControlFlow::Continue(())
    })?;
    Ok(Some(values))
}
