//! The idempotent consumer: an event has its effect once, however often it is delivered.
//!
//! For each event one transaction records its id in `processed_events`, makes the change and
//! appends what follows from it to the outbox. Only after the commit is the record's offset handed
//! to Kafka. Killed anywhere between, the event arrives again and finds its id.

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Pool, Transaction};
use rdkafka::Message;
use rdkafka::consumer::{Consumer as _, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::message::BorrowedMessage;
use tokio::sync::Notify;

use crate::dead_letter::DeadLetters;
use crate::event::Event;
use crate::failure::Failure;
use crate::format::EventReader;
use crate::stop::Stop;
use crate::totals::{Outcome, Totals};

/// Attempts at an event that fails transiently, the first included.
const ATTEMPTS: u32 = 3;

/// The wait before the second attempt; it doubles from there.
const FIRST_BACKOFF: Duration = Duration::from_millis(50);

/// The longest wait while the database or the schema registry is down.
const LONGEST_BACKOFF: Duration = Duration::from_secs(2);

/// How long a stopping service waits for Kafka to take a dead letter.
const PUBLISH_DEADLINE: Duration = Duration::from_secs(5);

/// What a service does with the events it consumes.
pub trait Handler: Send + Sync + 'static {
    /// Whether this type of event concerns the service. Others are passed over.
    fn handles(&self, event_type: &str) -> bool;

    /// Makes the event's effect, in this transaction and nowhere else.
    ///
    /// # Errors
    /// A [`Failure`], which decides between another attempt and the dead-letter topic.
    fn handle(
        &self,
        transaction: &Transaction<'_>,
        event: &Event,
    ) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// The consumer can't go on.
#[derive(Debug, thiserror::Error)]
pub enum ConsumeError {
    /// The topic can't be subscribed to.
    #[error("can't subscribe to {topic}")]
    Subscribe {
        /// The topic.
        topic: String,
        /// Why.
        #[source]
        source: KafkaError,
    },
    /// Kafka refuses a dead letter for good. The record is not passed over: it comes again at the
    /// next start.
    #[error("can't publish a dead letter of {topic}; its record is read again at the next start")]
    DeadLetter {
        /// The topic that the record came from.
        topic: String,
        /// Why.
        #[source]
        source: KafkaError,
    },
    /// The database refuses to remember that an event was dead-lettered.
    #[error("can't remember a dead-lettered event")]
    Remember(#[source] Failure),
}

pub(crate) struct Consumer<H> {
    pub(crate) pool: Pool,
    pub(crate) consumer: StreamConsumer,
    pub(crate) topic: String,
    pub(crate) reader: EventReader,
    pub(crate) dead_letters: DeadLetters,
    pub(crate) handler: H,
    pub(crate) wake_relay: Arc<Notify>,
    pub(crate) totals: Arc<Totals>,
}

impl<H: Handler> Consumer<H> {
    /// Consumes until it is asked to stop; the event in hand is finished first.
    pub(crate) async fn run(self, stop: Stop) -> Result<(), ConsumeError> {
        let subscribed = self.consumer.subscribe(&[&self.topic]);
        subscribed
            .map_err(|source| ConsumeError::Subscribe { topic: self.topic.clone(), source })?;
        loop {
            let message = tokio::select! {
                biased;
                () = stop.requested() => break,
                message = self.consumer.recv() => message,
            };
            match message {
                Ok(message) => {
                    if !self.settle(&message, &stop).await? {
                        break;
                    }
                    // A partition that another instance has taken meanwhile: it gets the record
                    // again, to no effect.
                    if let Err(error) = self.consumer.store_offset_from_message(&message) {
                        tracing::debug!(%error, "the offset belongs to another instance now");
                    }
                }
                // librdkafka reconnects by itself.
                Err(error) => {
                    tracing::warn!(%error, topic = self.topic, "can't read, trying again");
                }
            }
        }
        // Leaving the group commits the stored offsets, and blocks while it does.
        tokio::task::block_in_place(|| drop(self.consumer));
        Ok(())
    }

    /// Sees to it that the record is processed or dead-lettered. False: the service stops first,
    /// and the record is read again at the next start.
    async fn settle(
        &self,
        message: &BorrowedMessage<'_>,
        stop: &Stop,
    ) -> Result<bool, ConsumeError> {
        let mut backoff = FIRST_BACKOFF;
        let mut attempts = 0;
        loop {
            let failure = match self.attempt(message).await {
                Ok(outcome) => {
                    self.totals.consumed(&outcome);
                    return Ok(true);
                }
                Err(failure) => failure,
            };
            if failure.is_outage() {
                tracing::warn!(%failure, "something that every event needs can't be used, trying again");
            } else {
                attempts += 1;
                if !failure.is_transient() || attempts == ATTEMPTS {
                    return self.give_up(message, &failure, attempts, stop).await;
                }
            }
            if !rest(backoff, stop).await {
                return Ok(false);
            }
            backoff = (backoff * 2).min(LONGEST_BACKOFF);
        }
    }

    /// One attempt at a record, in one transaction.
    async fn attempt(&self, message: &BorrowedMessage<'_>) -> Result<Outcome, Failure> {
        let event = self.reader.read(message.payload()).await?;
        if !self.handler.handles(&event.event_type) {
            return Ok(Outcome::PassedOver);
        }
        let mut client = self.pool.get().await?;
        let transaction = client.transaction().await?;
        let insert = "INSERT INTO processed_events (event_id) VALUES ($1) ON CONFLICT DO NOTHING";
        if transaction.execute(insert, &[&event.event_id]).await? == 0 {
            return Ok(Outcome::AlreadyProcessed);
        }
        self.handler.handle(&transaction, &event).await?;
        transaction.commit().await?;
        self.wake_relay.notify_one();
        Ok(Outcome::Effect)
    }

    /// Publishes the dead letter, then remembers it. Killed between the two, the record is
    /// dead-lettered again.
    async fn give_up(
        &self,
        message: &BorrowedMessage<'_>,
        failure: &Failure,
        attempts: u32,
        stop: &Stop,
    ) -> Result<bool, ConsumeError> {
        let event = self.reader.read(message.payload()).await.ok();
        let event_id = event.map(|event| event.event_id);
        let report = failure.report();
        tokio::select! {
            published = self.dead_letters.publish(message, report, attempts) => published
                .map_err(|source| ConsumeError::DeadLetter { topic: self.topic.clone(), source })?,
            () = stop.overdue(PUBLISH_DEADLINE) => return Ok(false),
        }
        self.totals.dead_lettered();
        tracing::warn!(
            event_id = event_id.map(tracing::field::display),
            partition = message.partition(),
            offset = message.offset(),
            attempts,
            %failure,
            "dead-lettered"
        );
        let Some(event_id) = event_id else { return Ok(true) };
        while let Err(failure) = self.remember_dead_letter(event_id).await {
            if !failure.is_outage() {
                return Err(ConsumeError::Remember(failure));
            }
            if !rest(LONGEST_BACKOFF, stop).await {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn remember_dead_letter(&self, event_id: uuid::Uuid) -> Result<(), Failure> {
        let insert =
            "INSERT INTO dead_lettered_events (event_id) VALUES ($1) ON CONFLICT DO NOTHING";
        self.pool.get().await?.execute(insert, &[&event_id]).await?;
        Ok(())
    }
}

/// Waits; false if the service stops first.
async fn rest(duration: Duration, stop: &Stop) -> bool {
    tokio::select! {
        () = stop.requested() => false,
        () = tokio::time::sleep(duration) => true,
    }
}
