//! Sends sample records to Kafka exactly as they are: bytes, nulls, the order of headers and
//! repeated ones.
#![expect(unsafe_code, reason = "header names of any bytes, which rdkafka takes for UTF-8")]

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use rdkafka::bindings;
use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedHeaders, DeliveryResult, Message, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use record_file::{Content, Record};

use crate::error::Error;

/// How long all records together may take.
const SENT_WITHIN: Duration = Duration::from_secs(120);

/// The largest record that is sent; what a topic takes is the topic's own setting.
const MAX_RECORD_BYTES: &str = "1000000000";

/// Where Kafka put a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// The partition.
    pub partition: i32,
    /// The offset in it.
    pub offset: i64,
}

/// Sends the records in their order, waits until all are acknowledged, and tells where each one is.
/// A record without a timestamp gets none; one without a partition goes where its key belongs.
///
/// # Errors
/// When no broker answers, or Kafka refuses a record; some of the others may be written then.
pub fn produce(brokers: &str, records: &[Record]) -> Result<Vec<Placed>, Error> {
    let failed = |error: &KafkaError| Error::Request {
        action: format!("send records to {brokers}"),
        reason: error.to_string(),
    };
    let (delivered, deliveries) = channel();
    let producer: BaseProducer<Deliveries> = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("enable.idempotence", "true")
        .set("linger.ms", "5")
        .set("message.max.bytes", MAX_RECORD_BYTES)
        .set("message.timeout.ms", "60000")
        .set_log_level(RDKafkaLogLevel::Emerg)
        .create_with_context(Deliveries(delivered))
        .map_err(|error| failed(&error))?;
    for (index, record) in records.iter().enumerate() {
        send(&producer, index, record).map_err(|error| refused(index, record, &error))?;
    }
    producer.flush(SENT_WITHIN).map_err(|error| failed(&error))?;
    drop(producer);
    placed(&deliveries, records)
}

fn placed(deliveries: &Receiver<Delivery>, records: &[Record]) -> Result<Vec<Placed>, Error> {
    let mut placed = vec![Placed { partition: -1, offset: -1 }; records.len()];
    for (index, outcome) in deliveries {
        placed[index] = outcome.map_err(|error| refused(index, &records[index], &error))?;
    }
    Ok(placed)
}

fn refused(index: usize, record: &Record, error: &KafkaError) -> Error {
    let next = match error.rdkafka_error_code() {
        Some(RDKafkaErrorCode::InvalidTimestamp) => {
            "; its timestamp_ms is further in the future than the topic's message.timestamp.after.max.ms allows"
        }
        Some(RDKafkaErrorCode::MessageSizeTooLarge | RDKafkaErrorCode::InvalidMessageSize) => {
            "; the topic's max.message.bytes says how large a record may be"
        }
        Some(RDKafkaErrorCode::UnknownPartition) => "; the topic has fewer partitions",
        _ => "",
    };
    Error::Request {
        action: format!("send record {} to {}", index + 1, record.topic),
        reason: format!("{error}{next}"),
    }
}

/// Hands one record to librdkafka. Waits only while its queue is full.
fn send(
    producer: &BaseProducer<Deliveries>,
    index: usize,
    record: &Record,
) -> Result<(), KafkaError> {
    let bytes = |content: &'_ Option<Content>| content.as_ref().map(|content| content.0.clone());
    let (key, value) = (bytes(&record.key), bytes(&record.value));
    let mut message: BaseRecord<'_, [u8], [u8], usize> =
        BaseRecord::with_opaque_to(&record.topic, index);
    message.partition = record.partition;
    message.key = key.as_deref();
    message.payload = value.as_deref();
    // Kafka's own way to say "none"; without it librdkafka would take the time of now.
    message.timestamp = Some(record.timestamp_ms.unwrap_or(-1));
    if !record.headers.is_empty() {
        message.headers = Some(headers(&record.headers));
    }
    loop {
        match producer.send(message) {
            Ok(()) => break,
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), again)) => {
                message = again;
                producer.poll(Duration::from_millis(10));
            }
            Err((error, _)) => return Err(error),
        }
    }
    producer.poll(Duration::ZERO);
    Ok(())
}

/// Headers whose names may be any bytes. rdkafka's own `insert` takes text only.
fn headers(pairs: &[(Content, Option<Content>)]) -> OwnedHeaders {
    // SAFETY: the list is made here, and destroyed after it was copied. librdkafka copies names and
    // values, whose lengths are given; a value of null is one without bytes. A `BorrowedHeaders` is
    // librdkafka's list behind another type.
    unsafe {
        let list = bindings::rd_kafka_headers_new(pairs.len());
        for (name, value) in pairs {
            let (value, size) = match value {
                Some(value) => (value.0.as_ptr().cast(), value.0.len() as isize),
                None => (std::ptr::null(), 0),
            };
            // It fails for read-only lists alone, which this one is not.
            bindings::rd_kafka_header_add(
                list,
                name.0.as_ptr().cast(),
                name.0.len() as isize,
                value,
                size,
            );
        }
        let headers = (*list.cast::<BorrowedHeaders>()).detach();
        bindings::rd_kafka_headers_destroy(list);
        headers
    }
}

type Delivery = (usize, Result<Placed, KafkaError>);

/// Collects what became of the records, each known by its place among them.
struct Deliveries(Sender<Delivery>);

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, index: usize) {
        let outcome = match result {
            Ok(message) => Ok(Placed { partition: message.partition(), offset: message.offset() }),
            Err((error, _)) => Err(error.clone()),
        };
        // The receiver outlives the producer.
        let _ = self.0.send((index, outcome));
    }
}
