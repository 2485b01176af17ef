//! Reads records again, and hashes them as the evidence log does.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};

use super::assigned_consumer::{is_passing, reader};
use crate::event::{Header, Record};
use crate::evidence::Hash;
use crate::evidence::canonical::write_record;
use crate::evidence::tree::leaf_hash;
use crate::kafka::cluster::REQUEST;
use crate::kafka::{Error, LogContext, MessageHeaders, ReceivedRecord, Settings};

/// What it does, in errors.
const READING: &str = "reading records again";

/// How much is fetched ahead, in KiB: several readers are at work.
const AHEAD: &str = "16384";

/// Reads records that `read_committed` shows, of ranges of offsets.
pub struct RecordHasher {
    consumer: BaseConsumer<LogContext>,
    bytes: Vec<u8>,
}

/// What is still to be read of a partition.
struct Rest<'a> {
    ranges: &'a [Range<i64>],
    last: i64,
}

impl RecordHasher {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// `Error::Client`.
    pub fn new(settings: &Settings) -> Result<Self, Error> {
        let more = [
            ("isolation.level", "read_committed"),
            ("enable.partition.eof", "true"),
            ("queued.max.messages.kbytes", AHEAD),
        ];
        Ok(Self { consumer: reader(settings, &more, READING)?, bytes: Vec::new() })
    }

    /// Hands out the hash of each record in the ranges of a topic, with its partition and offset,
    /// those of a partition in order. The ranges of a partition are in order and don't overlap.
    /// What Kafka no longer has is left out.
    ///
    /// # Errors
    /// `Error::Client`, and `Error::Search` where a partition can't be read to the end of its last
    /// range.
    pub fn hash(
        &mut self,
        topic: &str,
        ranges: &BTreeMap<i32, Vec<Range<i64>>>,
        mut each: impl FnMut(i32, i64, Hash),
    ) -> Result<(), Error> {
        const WAIT: Duration = Duration::from_millis(200);
        let failed = || Error::client(READING);
        let mut open: HashMap<i32, Rest<'_>> = HashMap::new();
        let mut assignment = TopicPartitionList::new();
        for (partition, ranges) in ranges {
            let (Some(first), Some(last)) = (ranges.first(), ranges.last()) else { continue };
            assignment
                .add_partition_offset(topic, *partition, Offset::Offset(first.start))
                .map_err(failed())?;
            open.insert(*partition, Rest { ranges, last: last.end - 1 });
        }
        self.consumer.assign(&assignment).map_err(failed())?;
        let mut silent = Duration::ZERO;
        while !open.is_empty() {
            if silent > REQUEST {
                return Err(Error::Search { topic: topic.to_owned() });
            }
            let polled = self.consumer.poll(WAIT);
            silent = if polled.is_some() { Duration::ZERO } else { silent + WAIT };
            let done = match polled {
                Some(Ok(message)) => {
                    let (partition, offset) = (message.partition(), message.offset());
                    let Some(rest) = open.get_mut(&partition) else { continue };
                    if rest.holds(offset) {
                        let record = ReceivedRecord::from(&message);
                        each(partition, offset, hashed(record, &mut self.bytes));
                    }
                    (offset >= rest.last).then_some(partition)
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => Some(partition),
                Some(Err(error)) if error.rdkafka_error_code().is_some_and(is_passing) => {
                    silent += WAIT;
                    None
                }
                Some(Err(source)) => {
                    return Err(Error::Client { what: READING.to_owned(), source });
                }
                None => None,
            };
            if let Some(partition) = done
                && open.remove(&partition).is_some()
            {
                let mut paused = TopicPartitionList::new();
                paused.add_partition(topic, partition);
                self.consumer.pause(&paused).map_err(failed())?;
            }
        }
        Ok(())
    }
}

impl Rest<'_> {
    /// Whether an offset lies in a range. Leaves the ranges behind that end before it.
    fn holds(&mut self, offset: i64) -> bool {
        while let Some((first, rest)) = self.ranges.split_first()
            && first.end <= offset
        {
            self.ranges = rest;
        }
        self.ranges.first().is_some_and(|range| range.contains(&offset))
    }
}

/// The hash of a record's leaf.
fn hashed(record: ReceivedRecord<'_, MessageHeaders<'_>>, bytes: &mut Vec<u8>) -> Hash {
    let headers: Vec<Header<'_>> = record.headers.collect();
    let whole = Record {
        // No part of a leaf.
        cluster_id: "",
        topic: record.topic,
        partition: record.partition,
        offset: record.offset,
        timestamp_ms: record.timestamp_ms,
        key: record.key,
        value: record.value,
        headers: &headers,
    };
    bytes.clear();
    write_record(bytes, &whole, record.timestamp_type);
    leaf_hash(bytes)
}
