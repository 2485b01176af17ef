//! Sends records byte for byte, and has an answer for every one.
#![expect(unsafe_code, reason = "header names, which rdkafka takes for UTF-8")]

use std::time::Duration;

use rdkafka::bindings;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::OwnedHeaders;
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::types::RDKafkaRespErr;

use super::log_context::LogContext;
use super::{Error, Settings};
use crate::event::{Header, RecordPosition};

/// How long a record is tried before the answer is [`Delivery::Unknown`].
pub const DELIVERY_TIMEOUT: Duration = Duration::from_secs(10);

/// A record to send.
#[derive(Debug, Clone, Copy)]
pub struct OutgoingRecord<'a> {
    /// The topic.
    pub topic: &'a str,
    /// The partition; `None` where the key decides.
    pub partition: Option<i32>,
    /// Its timestamp in milliseconds since the Unix epoch; a topic may replace it by its own time.
    pub timestamp_ms: i64,
    /// The key; `None` is null.
    pub key: Option<&'a [u8]>,
    /// The value; `None` is null.
    pub value: Option<&'a [u8]>,
    /// The headers, in this order.
    pub headers: &'a [Header<'a>],
}

/// What became of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// All replicas in sync have it, there.
    Delivered(RecordPosition),
    /// Kafka does not have it.
    Refused {
        /// Why.
        reason: String,
        /// What made Kafka refuse it.
        cause: RefusalCause,
    },
    /// Kafka may have it or not.
    Unknown {
        /// Why.
        reason: String,
    },
}

/// What made Kafka refuse a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalCause {
    /// The record itself; others may be taken.
    Record,
    /// The size of the request, so the record or those that travelled with it: alone it may be
    /// taken.
    RequestSize,
    /// The target, or the sender's rights: others are refused, too.
    Target,
}

/// An idempotent producer that waits for all replicas in sync.
pub struct Producer {
    client: FutureProducer<LogContext>,
}

impl Producer {
    /// Makes the producer. Connects to nothing yet.
    ///
    /// Keys go to the partitions that Java's own producer, and so Spring, Connect and Streams,
    /// would choose (murmur2); a record without a key goes to any. `-X
    /// partitioner=consistent_random` is what librdkafka's producers do by default.
    ///
    /// # Errors
    /// `Error::Client` where librdkafka refuses a setting.
    pub fn new(settings: &Settings) -> Result<Self, Error> {
        let timeout = DELIVERY_TIMEOUT.as_millis().to_string();
        let mut config = settings.client(&[
            ("partitioner", "murmur2_random"),
            ("linger.ms", "5"),
            // The brokers decide what is too large, not this client; and a batch is small enough
            // for most topics.
            ("message.max.bytes", "1000000000"),
            ("batch.size", "65536"),
        ]);
        config
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("message.timeout.ms", timeout);
        let client = config
            .create_with_context(LogContext::default())
            .map_err(Error::client("making a producer"))?;
        Ok(Self { client })
    }

    /// Hands a record over. The future gives the answer; the record is under way whether or not it
    /// is waited for.
    pub fn send(&self, record: &OutgoingRecord<'_>) -> impl Future<Output = Delivery> + use<> {
        let handed_over = native_headers(record.headers).and_then(|headers| {
            let mut outgoing = FutureRecord::<[u8], [u8]>::to(record.topic)
                .timestamp(record.timestamp_ms)
                .headers(headers);
            outgoing.partition = record.partition;
            outgoing.key = record.key;
            outgoing.payload = record.value;
            self.client.send_result(outgoing).map_err(|(error, _)| error)
        });
        async move {
            match handed_over {
                // What librdkafka does not take is not sent.
                Err(error) => Delivery::Refused { cause: cause(&error), reason: reason(&error) },
                Ok(answer) => match answer.await {
                    Ok(Ok(delivered)) => Delivery::Delivered(RecordPosition {
                        partition: delivered.partition,
                        offset: delivered.offset,
                    }),
                    Ok(Err((error, _))) => answer_of(&error),
                    Err(_) => Delivery::Unknown { reason: "the producer ended".to_owned() },
                },
            }
        }
    }
}

fn native_headers(headers: &[Header<'_>]) -> Result<OwnedHeaders, KafkaError> {
    let owned = OwnedHeaders::new_with_capacity(headers.len());
    let native =
        std::ptr::from_ref(owned.as_borrowed()).cast::<bindings::rd_kafka_headers_t>().cast_mut();
    for header in headers {
        // An empty value has a pointer, and null has none.
        let (value, size) = match header.value {
            Some(value) => (value.as_ptr(), value.len()),
            None => (std::ptr::null(), 0),
        };
        // SAFETY: `owned` is librdkafka's list, which nothing else refers to yet; name and value
        // are copied by their lengths. rdkafka's own function wants a name of UTF-8, which Kafka
        // does not.
        let error = unsafe {
            bindings::rd_kafka_header_add(
                native,
                header.name.as_ptr().cast(),
                header.name.len().cast_signed(),
                value.cast(),
                size.cast_signed(),
            )
        };
        if error != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
            return Err(KafkaError::MessageProduction(error.into()));
        }
    }
    Ok(owned)
}

fn answer_of(error: &KafkaError) -> Delivery {
    let reason = reason(error);
    match (cause(error), error.rdkafka_error_code()) {
        // The broker looked at the record, or at the sender's rights, and appended nothing.
        (cause @ (RefusalCause::Record | RefusalCause::RequestSize), _)
        | (cause, Some(RDKafkaErrorCode::TopicAuthorizationFailed)) => {
            Delivery::Refused { reason, cause }
        }
        _ => Delivery::Unknown { reason },
    }
}

fn cause(error: &KafkaError) -> RefusalCause {
    match error.rdkafka_error_code() {
        Some(RDKafkaErrorCode::MessageSizeTooLarge) => RefusalCause::RequestSize,
        Some(
            RDKafkaErrorCode::InvalidMessageSize
            | RDKafkaErrorCode::InvalidRecord
            | RDKafkaErrorCode::InvalidTimestamp
            | RDKafkaErrorCode::PolicyViolation,
        ) => RefusalCause::Record,
        _ => RefusalCause::Target,
    }
}

fn reason(error: &KafkaError) -> String {
    error.rdkafka_error_code().map_or_else(|| error.to_string(), |code| code.to_string())
}
