//! Sends a chunk of records at a time: writes intents, sends, writes results.

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::join_all;
use uuid::Uuid;

use super::error::Error;
use super::rate_limiter::RateLimiter;
use super::replayer::Replayer;
use crate::dead_letter::{OwnedHeader, ReplayMark, ReplayStep, headers_from_json, replay_headers};
use crate::event::Header;
use crate::kafka::{Delivery, OutgoingRecord, Producer, RefusalCause};
use crate::store;
use crate::store::{RawDeadLetter, ReplayIntent, ReplayResult};

/// How many bytes close a chunk, so that memory stays bounded whatever the records' sizes are.
const CHUNK_BYTES: i64 = 16 << 20;

/// How to send.
#[derive(Debug, Clone, Default)]
pub struct ReplayOptions {
    /// Who asks for it: a user and a host.
    pub requested_by: String,
    /// Why.
    pub reason: Option<String>,
    /// Records a second; `None` is as fast as can be.
    pub rate: Option<u32>,
}

/// What was sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SendProgress {
    /// How many records Kafka has.
    pub sent: usize,
    /// How many records were refused.
    pub failed: usize,
}

impl SendProgress {
    /// How many of the plan's records were sent or refused.
    pub fn total(&self) -> usize {
        self.sent + self.failed
    }
}

/// A record of a chunk, as it is going to be sent.
struct PreparedRecord {
    intent: ReplayIntent,
    letter: RawDeadLetter,
    /// Its headers; or why its stored ones can't be read.
    headers: Result<Vec<OwnedHeader>, String>,
}

impl Replayer {
    /// Sends the steps in their order until all are sent or `stop` is set. Looks at `stop` between
    /// chunks: after each record where the rate is low. Calls `progress` with what was sent so far,
    /// which it also returns.
    ///
    /// # Errors
    /// Ends at the first error that the next record would meet, too; `progress` knows how far it
    /// came.
    pub async fn send(
        &mut self,
        steps: &[ReplayStep],
        options: &ReplayOptions,
        stop: &AtomicBool,
        mut progress: impl FnMut(SendProgress),
    ) -> Result<SendProgress, Error> {
        let producer = Producer::new(&self.kafka)?;
        let mut limiter = RateLimiter::new(options.rate);
        let mut sent = SendProgress::default();
        let mut left = steps;
        while !left.is_empty() {
            let (chunk, rest) = left.split_at(chunk_length(left, limiter.chunk_length()));
            limiter.wait_for(chunk.len()).await;
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let outcome = self.send_chunk(&producer, chunk, options, &mut sent).await;
            progress(sent);
            outcome?;
            left = rest;
        }
        Ok(sent)
    }

    /// Sends a chunk: writes its intents, hands its records to Kafka, and writes what came of them.
    async fn send_chunk(
        &mut self,
        producer: &Producer,
        steps: &[ReplayStep],
        options: &ReplayOptions,
        sent: &mut SendProgress,
    ) -> Result<(), Error> {
        let records = self.prepare(steps).await?;
        let intents: Vec<ReplayIntent> =
            records.iter().map(|record| record.intent.clone()).collect();
        let requested_at = store::write_replay_intents(
            &mut self.session,
            &intents,
            &options.requested_by,
            options.reason.as_deref(),
        )
        .await?;
        let timestamp_ms = requested_at.timestamp_millis();
        let deliveries: Vec<_> =
            records.iter().map(|record| deliver(producer, record, timestamp_ms)).collect();
        let mut deliveries = join_all(deliveries).await;
        // Sends each record of a request that was too large for the topic by itself: the refusal
        // says nothing of the single records.
        for (record, delivery) in records.iter().zip(&mut deliveries) {
            if matches!(delivery, Delivery::Refused { cause: RefusalCause::RequestSize, .. }) {
                *delivery = deliver(producer, record, timestamp_ms).await;
            }
        }

        let mut results = Vec::with_capacity(records.len());
        let mut trouble = None;
        let mut unknown = 0;
        for (record, delivery) in records.iter().zip(deliveries) {
            let replay_id = record.intent.replay_id;
            let topic = || record.intent.target_topic.clone();
            match delivery {
                Delivery::Delivered(position) => {
                    sent.sent += 1;
                    results.push(ReplayResult { replay_id, result: Ok(position) });
                }
                Delivery::Refused { reason, cause } => {
                    sent.failed += 1;
                    if cause == RefusalCause::Target && trouble.is_none() {
                        trouble = Some(Error::Refused { topic: topic(), reason: reason.clone() });
                    }
                    results.push(ReplayResult { replay_id, result: Err(reason) });
                }
                // Stays pending: the next replay looks for it.
                Delivery::Unknown { reason } => {
                    unknown += 1;
                    if unknown == 1 {
                        trouble = Some(Error::Unknown { topic: topic(), reason, records: 1 });
                    }
                }
            }
        }
        store::write_replay_results(&mut self.session, &results).await?;
        match trouble {
            Some(Error::Unknown { topic, reason, .. }) => {
                Err(Error::Unknown { topic, reason, records: unknown })
            }
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Reads the raw records of a chunk, in the order of its steps.
    async fn prepare(&self, steps: &[ReplayStep]) -> Result<Vec<PreparedRecord>, Error> {
        let row_ids: Vec<i64> = steps.iter().map(|step| step.row_id).collect();
        let mut letters =
            store::raw_dead_letters(&self.session, &row_ids).await?.into_iter().peekable();
        let mut records = Vec::with_capacity(steps.len());
        // Pairs steps and letters, both in the order of the rows. A row that has gone meanwhile
        // can't be sent, and gets no intent.
        for step in steps {
            let Some(letter) = letters.next_if(|letter| letter.row_id == step.row_id) else {
                continue;
            };
            let mark = ReplayMark { replay_id: Uuid::now_v7(), attempt: step.attempt };
            let headers = headers_from_json(&letter.headers)
                .map(|headers| replay_headers(headers, mark))
                .map_err(|error| error.to_string());
            let intent = ReplayIntent {
                replay_id: mark.replay_id,
                row_id: step.row_id,
                attempt: step.attempt,
                target_topic: step.target.to_string(),
                target_partition: step.partition,
            };
            records.push(PreparedRecord { intent, letter, headers });
        }
        Ok(records)
    }
}

/// Hands a record to the producer at once; the future waits for the answer.
fn deliver(
    producer: &Producer,
    record: &PreparedRecord,
    timestamp_ms: i64,
) -> impl Future<Output = Delivery> + use<> {
    let delivery = match &record.headers {
        Err(reason) => {
            Err(Delivery::Refused { reason: reason.clone(), cause: RefusalCause::Record })
        }
        Ok(headers) => {
            let headers: Vec<Header<'_>> = headers
                .iter()
                .map(|header| Header { name: &header.name, value: header.value.as_deref() })
                .collect();
            Ok(producer.send(&OutgoingRecord {
                topic: &record.intent.target_topic,
                partition: record.intent.target_partition,
                timestamp_ms,
                key: record.letter.key.as_deref(),
                value: record.letter.value.as_deref(),
                headers: &headers,
            }))
        }
    };
    async move {
        match delivery {
            Ok(answer) => answer.await,
            Err(refused) => refused,
        }
    }
}

/// How many of the steps make the next chunk: at least one, at most `most`.
fn chunk_length(steps: &[ReplayStep], most: usize) -> usize {
    let mut bytes = 0;
    let fitting = steps.iter().take(most).take_while(|step| {
        let fits = bytes < CHUNK_BYTES;
        bytes += step.byte_size;
        fits
    });
    fitting.count().max(1)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_chunk_is_closed_by_its_size_and_never_empty() {
        let step = |byte_size| ReplayStep {
            row_id: 1,
            byte_size,
            target: Arc::from("t"),
            partition: None,
            attempt: 1,
        };
        assert_eq!(chunk_length(&[step(1), step(1), step(1)], 2), 2);
        assert_eq!(chunk_length(&[step(1), step(1)], 10), 2);
        assert_eq!(chunk_length(&[step(CHUNK_BYTES), step(1)], 10), 1);
        assert_eq!(chunk_length(&[step(CHUNK_BYTES - 1), step(CHUNK_BYTES), step(1)], 10), 2);
        assert_eq!(chunk_length(&[step(i64::MAX)], 10), 1);
    }
}
