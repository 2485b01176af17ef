//! The outbox relay: publishes what waits in the outbox, in order, at least once, and loses
//! nothing.
//!
//! One transaction holds the relay's lock, reads the oldest unpublished events, publishes them,
//! waits until the brokers have each, marks them and commits. Killed before the commit, the events
//! are published again at the next start, with the same ids and bytes: consumers recognise them. Of
//! several instances one holds the lock, so the events of an aggregate leave in the order in which
//! they happened.

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::Pool;
use rdkafka::error::KafkaError;
use rdkafka::producer::{FutureProducer, FutureRecord};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::database::RELAY_LOCK;
use crate::event::Event;
use crate::failure::Failure;
use crate::faults::Faults;
use crate::format::{DoesNotFit, EventWriter};
use crate::stop::Stop;
use crate::totals::Totals;

use super::table;

/// Events in one transaction.
const BATCH: i64 = 500;

/// How often to look without having been woken: for events that an earlier instance left, or
/// another one wrote.
const POLL: Duration = Duration::from_millis(500);

/// How long a stopping service waits for its last events to be taken.
const DRAIN_DEADLINE: Duration = Duration::from_secs(10);

/// The relay can't go on.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// Kafka refuses an event for good.
    #[error("can't publish to {topic}; its events stay in the outbox and go out at the next start")]
    Publish {
        /// The topic.
        topic: String,
        /// Why.
        #[source]
        source: KafkaError,
    },
    /// An event of the outbox does not fit the schema of its topic.
    #[error("can't write the event {event_id} in the format of {topic}; it stays in the outbox")]
    Write {
        /// The event.
        event_id: Uuid,
        /// The topic.
        topic: String,
        /// Why.
        #[source]
        source: DoesNotFit,
    },
    /// The outbox can't be read or written, and not because the database is down.
    #[error("can't use the outbox")]
    Outbox(#[source] Failure),
    /// The service was stopped before its events were taken.
    #[error("stopped before Kafka took every event of the outbox; they go out at the next start")]
    Undrained,
}

pub(crate) struct Relay {
    pub(crate) pool: Pool,
    pub(crate) producer: FutureProducer,
    pub(crate) topic: String,
    pub(crate) writer: EventWriter,
    pub(crate) source_service: &'static str,
    pub(crate) faults: Faults,
    pub(crate) wake: Arc<Notify>,
    pub(crate) totals: Arc<Totals>,
}

impl Relay {
    /// Publishes until it is asked to stop, then what is left. The batch in hand is finished: a
    /// batch cut off would be published again.
    pub(crate) async fn run(self, stop: Stop) -> Result<(), RelayError> {
        let publish = async {
            self.publish_until(&stop).await?;
            self.drain().await
        };
        tokio::select! {
            published = publish => published,
            () = stop.overdue(DRAIN_DEADLINE) => Err(RelayError::Undrained),
        }
    }

    async fn publish_until(&self, stop: &Stop) -> Result<(), RelayError> {
        while !stop.is_requested() {
            match self.publish_batch().await {
                Ok(BATCH) => continue,
                Ok(_) => {}
                Err(RelayError::Outbox(failure)) if failure.is_outage() => {
                    tracing::warn!(%failure, "the outbox can't be used, trying again");
                }
                Err(error) => return Err(error),
            }
            tokio::select! {
                // A wake-up during the batch is kept by Notify, so none is missed.
                () = self.wake.notified() => {}
                () = tokio::time::sleep(POLL) => {}
                () = stop.requested() => {}
            }
        }
        Ok(())
    }

    /// Publishes what is in the outbox now; what another instance adds meanwhile is that one's to
    /// publish.
    async fn drain(&self) -> Result<(), RelayError> {
        let mut last = None;
        loop {
            match self.drained(&mut last).await {
                Ok(true) => return Ok(()),
                // Another instance's relay holds the lock, and publishes them.
                Ok(false) => {}
                Err(RelayError::Outbox(failure)) if failure.is_outage() => {}
                Err(error) => return Err(error),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn drained(&self, last: &mut Option<i64>) -> Result<bool, RelayError> {
        let last = match *last {
            Some(id) => id,
            None => *last.insert(table::last_id(&self.pool).await.map_err(RelayError::Outbox)?),
        };
        while self.publish_batch().await? == BATCH {}
        table::is_published_to(&self.pool, last).await.map_err(RelayError::Outbox)
    }

    /// Publishes the oldest events; says how many. None if another instance publishes at the
    /// moment.
    async fn publish_batch(&self) -> Result<i64, RelayError> {
        let in_outbox = |error: tokio_postgres::Error| RelayError::Outbox(error.into());
        let mut client = self.pool.get().await.map_err(|error| RelayError::Outbox(error.into()))?;
        let transaction = client.transaction().await.map_err(in_outbox)?;
        let lock = transaction.query_one("SELECT pg_try_advisory_xact_lock($1)", &[&RELAY_LOCK]);
        if !lock.await.map_err(in_outbox)?.get::<_, bool>(0) {
            return Ok(0);
        }
        let events = table::unpublished(&transaction, self.source_service, BATCH)
            .await
            .map_err(in_outbox)?;
        if events.is_empty() {
            return Ok(0);
        }
        let twice = self.publish(&events).await?;
        let ids: Vec<i64> = events.iter().map(|(id, _)| *id).collect();
        table::mark_published(&transaction, &ids).await.map_err(in_outbox)?;
        transaction.commit().await.map_err(in_outbox)?;
        self.totals.published(events.len(), twice);
        Ok(i64::try_from(events.len()).unwrap_or(BATCH))
    }

    /// Hands all events to the producer in their order, then waits until the brokers have each of
    /// them. Says how many were published twice.
    async fn publish(&self, events: &[(i64, Event)]) -> Result<usize, RelayError> {
        let refused = |source| RelayError::Publish { topic: self.topic.clone(), source };
        let mut deliveries = Vec::with_capacity(events.len());
        let mut twice = 0;
        for (outbox_id, event) in events {
            let key = event.aggregate_id.to_string();
            let written = self.writer.write(event).await;
            let value = written.map_err(|source| RelayError::Write {
                event_id: event.event_id,
                topic: self.topic.clone(),
                source,
            })?;
            let copies = if self.faults.duplicates(*outbox_id) { 2 } else { 1 };
            twice += copies - 1;
            for _ in 0..copies {
                let record = FutureRecord::to(&self.topic).key(&key).payload(&value);
                deliveries
                    .push(self.producer.send_result(record).map_err(|(error, _)| refused(error))?);
            }
        }
        for delivery in deliveries {
            delivery
                .await
                .map_err(|_| refused(KafkaError::Canceled))?
                .map_err(|(error, _)| refused(error))?;
        }
        Ok(twice)
    }
}
