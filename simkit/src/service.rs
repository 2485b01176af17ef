//! Starts what a service consists of, and stops it in the right order.

use std::sync::Arc;

use deadpool_postgres::Pool;
use rdkafka::error::KafkaError;
use tokio::sync::Notify;
use tokio::task::{JoinError, JoinSet};

use crate::args::ServiceArgs;
use crate::consumer::{ConsumeError, Consumer, Handler};
use crate::database::{self, DatabaseError};
use crate::dead_letter::DeadLetters;
use crate::failure::Failure;
use crate::faults::Faults;
use crate::format::{EventReader, EventSchemas, EventWriter, RegistryError};
use crate::kafka::{self, SetupError};
use crate::outbox::{Relay, RelayError};
use crate::stop::{self, Stop};
use crate::totals::Totals;

/// What one service is, compared with another.
pub struct Definition {
    /// Its name, `source_service` of its events and its consumer group unless `--group` says
    /// otherwise.
    pub name: &'static str,
    /// The topic of its own events.
    pub publishes: String,
    /// The topic of the events it reacts to.
    pub consumes: String,
    /// The schemas of its events, for the formats that have one.
    pub schemas: EventSchemas,
    /// Its schema.
    pub migrations: refinery::Runner,
}

/// A service whose database and topics are ready.
pub struct Service {
    definition: Definition,
    args: ServiceArgs,
    faults: Faults,
    pool: Pool,
    writer: EventWriter,
    reader: EventReader,
    wake_relay: Arc<Notify>,
    totals: Arc<Totals>,
}

/// Why a service ended with exit code 1.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// Its database can't be used.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// Kafka can't be used.
    #[error(transparent)]
    Kafka(#[from] SetupError),
    /// The schema registry can't be used.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The dead-letter topic's partitions are not known.
    #[error("can't ask Kafka for the partitions of the dead-letter topic")]
    DeadLetterTopic(#[source] KafkaError),
    /// The relay gave up.
    #[error(transparent)]
    Relay(#[from] RelayError),
    /// The consumer gave up.
    #[error(transparent)]
    Consume(#[from] ConsumeError),
    /// What the service itself does failed.
    #[error("can't write what the service does")]
    Work(#[from] Failure),
    /// The signals of the operating system can't be received.
    #[error("can't listen for signals")]
    Signals(#[source] std::io::Error),
    /// A part ended in a panic.
    #[error("a part of the service broke down")]
    Panic(#[from] JoinError),
}

impl Service {
    /// Brings the schema up to date, creates the topics that are missing, and registers the schemas
    /// of its events.
    ///
    /// # Errors
    /// [`ServiceError`] if the database, Kafka or the schema registry can't be used.
    pub async fn start(
        definition: Definition,
        args: ServiceArgs,
        faults: Faults,
    ) -> Result<Self, ServiceError> {
        let pool = database::open(&args.database_url, &definition.migrations).await?;
        let topics = [&definition.publishes, &definition.consumes];
        let topics: Vec<String> = topics
            .into_iter()
            .flat_map(|topic| [topic.clone(), kafka::dead_letter_topic(topic)])
            .collect();
        kafka::ensure_topics(&args.brokers, &topics).await?;
        let registry = args.registry().await?;
        let (schemas, topic) = (definition.schemas, &definition.publishes);
        let writer = EventWriter::open(args.format, registry.as_ref(), schemas, topic).await?;
        let reader = EventReader::new(registry);
        let (wake_relay, totals) = (Arc::new(Notify::new()), Arc::new(Totals::default()));
        Ok(Self { definition, args, faults, pool, writer, reader, wake_relay, totals })
    }

    /// The service's own database.
    #[must_use]
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// What reads the events of each topic.
    #[must_use]
    pub fn reader(&self) -> EventReader {
        self.reader.clone()
    }

    /// To be notified after a commit that appended to the outbox, so that the relay looks at once.
    #[must_use]
    pub fn wake_relay(&self) -> Arc<Notify> {
        Arc::clone(&self.wake_relay)
    }

    /// Consumes and publishes until `work` ends or a signal asks to stop (SIGTERM, SIGINT), then
    /// stops in order: the event in hand is finished, and then the outbox is emptied. Tells whether
    /// a signal came before `work` had ended.
    ///
    /// # Errors
    /// [`ServiceError`] of the first part that could not go on.
    pub async fn run<H: Handler>(
        self,
        handler: H,
        work: impl Future<Output = Result<(), ServiceError>>,
    ) -> Result<(Arc<Totals>, bool), ServiceError> {
        let Self { definition, args, faults, pool, writer, reader, wake_relay, totals } = self;
        let group = args.group.as_deref().unwrap_or(definition.name);
        let producer = kafka::producer(&args.brokers)?;
        let consumer = Consumer {
            pool: pool.clone(),
            consumer: kafka::consumer(&args.brokers, group)?,
            dead_letters: DeadLetters::of(producer.clone(), &definition.consumes, group)
                .map_err(ServiceError::DeadLetterTopic)?,
            topic: definition.consumes,
            reader,
            handler,
            wake_relay: Arc::clone(&wake_relay),
            totals: Arc::clone(&totals),
        };
        let relay = Relay {
            pool,
            producer,
            topic: definition.publishes,
            writer,
            source_service: definition.name,
            faults,
            wake: wake_relay,
            totals: Arc::clone(&totals),
        };
        let (stop_consumer, stop_relay) = (Stop::new(), Stop::new());
        let mut parts = JoinSet::new();
        parts.spawn({
            let stop = stop_consumer.clone();
            async move { consumer.run(stop).await.map_err(ServiceError::from) }
        });
        parts.spawn({
            let stop = stop_relay.clone();
            async move { relay.run(stop).await.map_err(ServiceError::from) }
        });
        let mut is_interrupted = false;
        let mut ended = tokio::select! {
            worked = work => worked,
            signal = stop::signalled() => {
                is_interrupted = true;
                signal.map_err(ServiceError::Signals)
            }
            // Neither part ends by itself unless it can't go on.
            Some(part) = parts.join_next() => part.map_err(ServiceError::from).flatten(),
        };
        stop_consumer.request();
        while !parts.is_empty() {
            // The relay stops after the consumer: what that still appended to the outbox is
            // published too.
            if parts.len() == 1 {
                stop_relay.request();
            }
            if let Some(part) = parts.join_next().await {
                ended = ended.and(part.map_err(ServiceError::from).flatten());
            }
        }
        ended.map(|()| (totals, is_interrupted))
    }
}
