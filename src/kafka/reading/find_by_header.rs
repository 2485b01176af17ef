//! Looks for records by the value of a header.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use rdkafka::consumer::Consumer;
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};

use super::assigned_consumer::{read_to_end, reader};
use crate::event::RecordPosition;
use crate::kafka::cluster::REQUEST;
use crate::kafka::{Cluster, Error, ReceivedRecord, Settings};

/// Finds the records of a topic whose header `name` has one of the wanted values, and tells
/// where each is. Reads from the first record at or after `since_ms` (milliseconds
/// since the Unix epoch) to the end of each partition, records of open transactions included, and
/// ends early where all are found. A topic that does not exist holds none.
///
/// # Errors
/// `Error::Client`, `Error::Unreachable`, and `Error::Search` where a partition can't be read to
/// its end.
pub fn find_by_header(
    settings: &Settings,
    topic: &str,
    since_ms: i64,
    name: &str,
    wanted: &HashSet<Vec<u8>>,
) -> Result<HashMap<Vec<u8>, RecordPosition>, Error> {
    let mut found = HashMap::new();
    let what = || format!("looking through {topic}");
    let cluster = Cluster::new(settings)?;
    let count = cluster.partitions(&[topic.to_owned()])?.get(topic).copied().unwrap_or(0);
    let more = [("isolation.level", "read_uncommitted"), ("enable.partition.eof", "true")];
    let consumer = reader(settings, &more, &what())?;
    let mut times = TopicPartitionList::new();
    for partition in 0..count {
        times
            .add_partition_offset(topic, partition, Offset::Offset(since_ms.max(0)))
            .map_err(Error::client(what()))?;
    }
    let starts = consumer.offsets_for_times(times, REQUEST).map_err(Error::client(what()))?;
    let mut open = HashSet::new();
    let mut assignment = TopicPartitionList::new();
    for start in starts.elements() {
        start.error().map_err(Error::client(what()))?;
        // Where nothing is that young, there is nothing to read.
        if let Offset::Offset(offset) = start.offset() {
            assignment
                .add_partition_offset(topic, start.partition(), Offset::Offset(offset))
                .map_err(Error::client(what()))?;
            open.insert(start.partition());
        }
    }
    consumer.assign(&assignment).map_err(Error::client(what()))?;
    if wanted.is_empty() {
        return Ok(found);
    }
    read_to_end(&consumer, topic, open, &what(), |message| {
        let headers = ReceivedRecord::from(message).headers;
        let values = headers.filter(|header| header.name == name.as_bytes());
        for value in values.filter_map(|header| header.value) {
            if wanted.contains(value) {
                let position =
                    RecordPosition { partition: message.partition(), offset: message.offset() };
                found.entry(value.to_vec()).or_insert(position);
            }
        }
        if found.len() < wanted.len() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    Ok(found)
}
