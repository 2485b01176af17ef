//! Dead letters, laid out as Spring Kafka's `DeadLetterPublishingRecoverer` does: the record's raw
//! key, value and headers, then headers that tell of the failure and of the origin. Integers are
//! big-endian, everything else is UTF-8.

use std::time::Duration;

use rdkafka::Timestamp;
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedHeaders, BorrowedMessage, Header, Message, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};

use crate::failure::Report;
use crate::kafka::dead_letter_topic;

/// Publishes what a consumer gave up on.
pub(crate) struct DeadLetters {
    producer: FutureProducer,
    group: String,
    topic: String,
    partitions: i32,
}

impl DeadLetters {
    /// Dead letters of the records of this topic, given up on by this consumer group.
    pub(crate) fn of(
        producer: FutureProducer,
        consumed_topic: &str,
        group: &str,
    ) -> Result<Self, KafkaError> {
        let topic = dead_letter_topic(consumed_topic);
        let metadata = tokio::task::block_in_place(|| {
            producer.client().fetch_metadata(Some(&topic), Duration::from_secs(30))
        })?;
        let partitions = metadata.topics().first().map_or(0, |found| found.partitions().len());
        let partitions = i32::try_from(partitions).unwrap_or(i32::MAX);
        Ok(Self { producer, group: group.to_owned(), topic, partitions })
    }

    /// Publishes a dead letter and waits until the brokers have it. It goes to the partition that
    /// the record came from; if the dead-letter topic has fewer partitions, the producer chooses
    /// one by the key, as Spring does.
    pub(crate) async fn publish(
        &self,
        message: &BorrowedMessage<'_>,
        failure: &Report,
        attempts: u32,
    ) -> Result<(), KafkaError> {
        let origin = Origin {
            topic: message.topic(),
            partition: message.partition(),
            offset: message.offset(),
            timestamp: message.timestamp(),
            consumer_group: &self.group,
        };
        let headers =
            headers(message.headers().map(BorrowedHeaders::detach), &origin, failure, attempts);
        let mut record = FutureRecord::<[u8], [u8]>::to(&self.topic).headers(headers);
        record.key = message.key();
        record.payload = message.payload();
        record.partition = (origin.partition < self.partitions).then_some(origin.partition);
        let delivery = self.producer.send_result(record).map_err(|(error, _)| error)?;
        delivery.await.map_err(|_| KafkaError::Canceled)?.map(drop).map_err(|(error, _)| error)
    }
}

/// Where a dead letter comes from.
struct Origin<'a> {
    topic: &'a str,
    partition: i32,
    offset: i64,
    timestamp: Timestamp,
    consumer_group: &'a str,
}

/// The record's own headers, untouched, and the recoverer's after them. Headers of an earlier hop
/// stay too: the first tells of the root, the last of this hop.
fn headers(
    own: Option<OwnedHeaders>,
    origin: &Origin<'_>,
    failure: &Report,
    attempts: u32,
) -> OwnedHeaders {
    let mut headers = own.unwrap_or_default();
    let mut add = |name: &str, value: &[u8]| {
        let grown = std::mem::take(&mut headers);
        headers = grown.insert(Header { key: &format!("kafka_dlt-{name}"), value: Some(value) });
    };
    add("exception-fqcn", failure.class.as_bytes());
    if let Some((class, _)) = &failure.cause {
        add("exception-cause-fqcn", class.as_bytes());
    }
    add("exception-message", failure.message.as_bytes());
    add("exception-stacktrace", stack_trace(origin, failure, attempts).as_bytes());
    let (timestamp, timestamp_type) = match origin.timestamp {
        Timestamp::CreateTime(milliseconds) => (milliseconds, "CreateTime"),
        Timestamp::LogAppendTime(milliseconds) => (milliseconds, "LogAppendTime"),
        Timestamp::NotAvailable => (-1, "NoTimestampType"),
    };
    add("original-topic", origin.topic.as_bytes());
    add("original-partition", &origin.partition.to_be_bytes());
    add("original-offset", &origin.offset.to_be_bytes());
    add("original-timestamp", &timestamp.to_be_bytes());
    add("original-timestamp-type", timestamp_type.as_bytes());
    add("original-consumer-group", origin.consumer_group.as_bytes());
    headers
}

/// The chain of errors in the form of a Java stack trace. Rust has no frames to show; what it was
/// doing stands for them.
fn stack_trace(origin: &Origin<'_>, failure: &Report, attempts: u32) -> String {
    let Origin { topic, partition, offset, .. } = origin;
    let plural = if attempts == 1 { "" } else { "s" };
    let mut trace = format!(
        "{}: {}\n\tat {topic}-{partition}@{offset}, given up after {attempts} attempt{plural}\n",
        failure.class, failure.message
    );
    if let Some((class, message)) = &failure.cause {
        trace.push_str(&format!("Caused by: {class}: {message}\n"));
    }
    trace
}
