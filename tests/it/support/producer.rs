//! Produces records as any service might.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer as _, ThreadedProducer};
use uuid::Uuid;

/// An event in the native envelope, about 350 bytes.
fn native_event(number: usize) -> (String, String) {
    let order = Uuid::from_u128(0x1234_5678_0000_4000_8000_0000_0000_0000 + number as u128 % 1000);
    let event_type = ["OrderCreated", "OrderConfirmed", "OrderShipped"][number % 3];
    let event = serde_json::json!({
        "event_id": Uuid::now_v7(), "event_type": event_type,
        "aggregate_id": order, "source_service": "order-service", "occurred_at": "2026-11-22T10:00:00.123456Z",
        "correlation_id": order, "causation_id": null,
        "payload": { "number": number, "customer_id": format!("C-{number:05}"), "total_amount": "12.30" },
    });
    (order.to_string(), event.to_string())
}

pub(crate) struct Producer(ThreadedProducer<DefaultProducerContext>);

impl Producer {
    pub(crate) fn new(brokers: &str) -> Self {
        Self::with(brokers, &[])
    }

    pub(crate) fn transactional(brokers: &str, id: &str) -> Self {
        let producer = Self::with(brokers, &[("transactional.id", id)]);
        producer.in_transaction(|producer| producer.init_transactions(Duration::from_secs(30)));
        producer
    }

    fn with(brokers: &str, settings: &[(&str, &str)]) -> Self {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", brokers)
            .set("linger.ms", "5")
            .set("enable.idempotence", "true");
        for (name, value) in settings {
            config.set(*name, *value);
        }
        match config.create() {
            Ok(producer) => Self(producer),
            Err(error) => panic!("no producer: {error}"),
        }
    }

    /// A step of a transaction; the coordinator of a fresh broker may ask to be asked again.
    fn in_transaction(
        &self,
        step: impl Fn(&ThreadedProducer<DefaultProducerContext>) -> Result<(), KafkaError>,
    ) {
        for _ in 0..100 {
            match step(&self.0) {
                Ok(()) => return,
                Err(KafkaError::Transaction(error)) if error.is_retriable() => {
                    std::thread::sleep(Duration::from_millis(100));
                }
                Err(error) => panic!("transaction: {error}"),
            }
        }
        panic!("the transaction's coordinator never became ready");
    }

    pub(crate) fn begin(&self) {
        self.in_transaction(rdkafka::producer::Producer::begin_transaction);
    }

    pub(crate) fn commit(&self) {
        self.in_transaction(|producer| producer.commit_transaction(Duration::from_secs(30)));
    }

    pub(crate) fn abort(&self) {
        self.flush();
        self.in_transaction(|producer| producer.abort_transaction(Duration::from_secs(30)));
    }

    pub(crate) fn flush(&self) {
        if let Err(error) = self.0.flush(Duration::from_secs(60)) {
            panic!("not all records were acknowledged: {error}");
        }
    }

    /// Sends events `numbers` to the topic, spread over its partitions by key.
    pub(crate) fn native_events(&self, topic: &str, numbers: std::ops::Range<usize>) {
        for number in numbers {
            let (key, value) = native_event(number);
            self.send(topic, None, Some(key.as_bytes()), Some(value.as_bytes()), &[]);
        }
        self.flush();
    }

    /// Sends one record. Waits only while the producer's own queue is full.
    pub(crate) fn send(
        &self,
        topic: &str,
        partition: Option<i32>,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[(&str, Option<&[u8]>)],
    ) {
        let mut record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(topic);
        record.partition = partition;
        record.key = key;
        record.payload = value;
        if !headers.is_empty() {
            let mut owned = OwnedHeaders::new();
            for (name, value) in headers {
                owned = owned.insert(Header { key: name, value: *value });
            }
            record.headers = Some(owned);
        }
        loop {
            match self.0.send(record) {
                Ok(()) => return,
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), again)) => {
                    record = again;
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err((error, _)) => panic!("{topic}: {error}"),
            }
        }
    }
}
