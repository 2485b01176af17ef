//! What lies in a topic, byte for byte.

use std::time::{Duration, Instant};

use audit::kafka::ReceivedRecord;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::metadata::MetadataTopic;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

/// A header: name and value.
pub(crate) type CapturedHeader = (Vec<u8>, Option<Vec<u8>>);

/// A record as it lies in Kafka.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Captured {
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) headers: Vec<CapturedHeader>,
}

impl Captured {
    /// The value of the last header of that name, as text.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let (_, value) = self.headers.iter().rev().find(|(found, _)| found == name.as_bytes())?;
        value.as_ref().map(|value| String::from_utf8_lossy(value).into_owned())
    }
}

/// Every record of a topic up to its end now, in the order of partitions and offsets.
pub(crate) fn capture(brokers: &str, topic: &str) -> Vec<Captured> {
    let consumer: BaseConsumer = match ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "capture")
        .set("enable.auto.commit", "false")
        .create()
    {
        Ok(consumer) => consumer,
        Err(error) => panic!("no consumer: {error}"),
    };
    let limit = Duration::from_secs(10);
    let metadata = match consumer.fetch_metadata(Some(topic), limit) {
        Ok(metadata) => metadata,
        Err(error) => panic!("{topic}: {error}"),
    };
    let mut left = 0;
    let mut assignment = TopicPartitionList::new();
    for partition in metadata.topics().iter().flat_map(MetadataTopic::partitions) {
        let limits = consumer.fetch_watermarks(topic, partition.id(), limit);
        let Ok((low, high)) = limits else { panic!("{topic}: {limits:?}") };
        left += high - low;
        let added = assignment.add_partition_offset(topic, partition.id(), Offset::Offset(low));
        assert!(added.is_ok(), "{added:?}");
    }
    assert!(consumer.assign(&assignment).is_ok());
    let mut records = Vec::new();
    let began = Instant::now();
    while left > 0 {
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "{left} records of {topic} can't be read"
        );
        let Some(Ok(message)) = consumer.poll(Duration::from_millis(200)) else { continue };
        left -= 1;
        let record = ReceivedRecord::from(&message);
        records.push(Captured {
            partition: record.partition,
            offset: record.offset,
            key: record.key.map(<[u8]>::to_vec),
            value: record.value.map(<[u8]>::to_vec),
            headers: record
                .headers
                .map(|header| (header.name.to_vec(), header.value.map(<[u8]>::to_vec)))
                .collect(),
        });
    }
    records.sort_by_key(|record| (record.partition, record.offset));
    records
}
