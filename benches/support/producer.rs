//! A producer of events.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer as _, ThreadedProducer};

use super::events::NativeEvent;

/// Sends records. Waits only while its own queue is full.
pub(crate) struct Producer(ThreadedProducer<DefaultProducerContext>);

impl Producer {
    /// A producer that collects records for up to `linger` before it sends them.
    pub(crate) fn new(brokers: &str, linger: Duration) -> Result<Self, KafkaError> {
        ClientConfig::new()
            .set("bootstrap.servers", brokers)
            .set("linger.ms", linger.as_millis().to_string())
            .set("enable.idempotence", "true")
            .create()
            .map(Self)
    }

    /// Sends one event.
    pub(crate) fn send(&self, topic: &str, event: &NativeEvent) -> Result<(), KafkaError> {
        self.send_bytes(topic, &event.key, event.value.as_bytes())
    }

    /// Sends one record.
    pub(crate) fn send_bytes(
        &self,
        topic: &str,
        key: &str,
        value: &[u8],
    ) -> Result<(), KafkaError> {
        let mut record = BaseRecord::to(topic).key(key).payload(value);
        loop {
            match self.0.send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), unsent)) => {
                    record = unsent;
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err((error, _)) => return Err(error),
            }
        }
    }

    /// Waits until everything is acknowledged.
    pub(crate) fn flush(&self) -> Result<(), KafkaError> {
        self.0.flush(Duration::from_secs(60))
    }
}
