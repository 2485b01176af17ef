//! How long records wait already.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer;
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};

use super::assigned_consumer::reader;
use crate::event::TopicPartition;
use crate::kafka::{Error, Settings};

/// Which records a reader sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// Those of transactions that were committed, up to the first one that is open.
    Committed,
    /// All, those of open and aborted transactions too.
    Uncommitted,
}

/// Kafka's timestamp, in milliseconds since the Unix epoch, of the first record at or behind each
/// of the offsets, by topic and partition. Left out are partitions that give none within `limit`,
/// and records that have no timestamp.
///
/// # Errors
/// `Error::Client`.
pub fn first_timestamps(
    settings: &Settings,
    offsets: &[(TopicPartition, i64)],
    isolation: Isolation,
    limit: Duration,
) -> Result<HashMap<TopicPartition, i64>, Error> {
    let what = || "reading the first records that wait";
    let isolation = match isolation {
        Isolation::Committed => "read_committed",
        Isolation::Uncommitted => "read_uncommitted",
    };
    // One record of each partition is wanted.
    let consumer =
        reader(settings, &[("isolation.level", isolation), ("queued.min.messages", "1")], what())?;
    let mut assignment = TopicPartitionList::new();
    for (partition, offset) in offsets {
        assignment
            .add_partition_offset(&partition.topic, partition.partition, Offset::Offset(*offset))
            .map_err(Error::client(what()))?;
    }
    consumer.assign(&assignment).map_err(Error::client(what()))?;
    let deadline = Instant::now() + limit;
    let mut first = HashMap::new();
    while first.len() < offsets.len() {
        let Some(left) = deadline.checked_duration_since(Instant::now()) else { break };
        // What fails for one partition mends itself or runs into the limit.
        let Some(Ok(message)) = consumer.poll(left) else { continue };
        let key = TopicPartition::new(message.topic(), message.partition());
        if first.contains_key(&key) {
            continue;
        }
        let mut done = TopicPartitionList::new();
        done.add_partition(message.topic(), message.partition());
        consumer.pause(&done).map_err(Error::client(what()))?;
        first.insert(key, message.timestamp().to_millis());
    }
    Ok(first.into_iter().filter_map(|(key, time)| Some((key, time?))).collect())
}
