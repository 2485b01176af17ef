//! Members of consumer groups, as services have them.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

/// A consumer of a group.
pub(crate) struct GroupReader(BaseConsumer);

impl GroupReader {
    fn new(brokers: &str, group: &str, protocol: &str) -> Self {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", brokers)
            .set("group.id", group)
            .set("client.id", "a-service")
            .set("group.protocol", protocol)
            .set("enable.auto.commit", "false")
            .set("auto.offset.reset", "earliest");
        match config.create() {
            Ok(consumer) => Self(consumer),
            Err(error) => panic!("no consumer: {error}"),
        }
    }

    /// Joins the group by a protocol, `classic` or `consumer` (KIP-848), and waits for its
    /// partitions.
    pub(crate) fn join(brokers: &str, group: &str, protocol: &str, topic: &str) -> Self {
        let reader = Self::new(brokers, group, protocol);
        if let Err(error) = reader.0.subscribe(&[topic]) {
            panic!("{topic}: {error}");
        }
        let began = Instant::now();
        while reader.0.assignment().is_ok_and(|assigned| assigned.count() == 0) {
            assert!(began.elapsed() < Duration::from_secs(60), "{group} gets no partitions");
            let _ = reader.0.poll(Duration::from_millis(50));
        }
        reader
    }

    /// Commits offsets of a group, without a member.
    pub(crate) fn commit_alone(brokers: &str, group: &str, topic: &str, offsets: &[(i32, i64)]) {
        Self::new(brokers, group, "classic").commit(topic, offsets);
    }

    /// Commits the next offset of each partition.
    pub(crate) fn commit(&self, topic: &str, offsets: &[(i32, i64)]) {
        let mut list = TopicPartitionList::new();
        for (partition, offset) in offsets {
            let added = list.add_partition_offset(topic, *partition, Offset::Offset(*offset));
            added.unwrap_or_else(|error| panic!("{topic} [{partition}]: {error}"));
        }
        let began = Instant::now();
        // The coordinator of a fresh group may ask to be asked again.
        while let Err(error) = self.0.commit(&list, CommitMode::Sync) {
            assert!(began.elapsed() < Duration::from_secs(30), "committing {topic}: {error}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}
