//! Records batches in PostgreSQL: waits for a server that is away, finds out what became of a
//! commit that was cut off, and gives up what another process has claimed.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedReceiver;

use super::control::{Counters, Fault, Faults, InFlight, RecordedOffsets, Stop};
use super::encoder::{EncodedBatch, Encoder};
use super::{Error, triage};
use crate::store::{self, Batch, BatchStatus, IdBlock, OffsetRange, Writer, Written};

/// How long a batch is retried after a stop was asked for.
const STOP_LIMIT: Duration = Duration::from_secs(20);

/// The last stage of a lane.
pub(super) struct LaneWriter {
    pub(super) database: store::Settings,
    pub(super) ingester: Arc<str>,
    pub(super) encoder: Encoder,
    pub(super) stop: Arc<Stop>,
    pub(super) faults: Arc<Faults>,
    pub(super) in_flight: Arc<InFlight>,
    pub(super) counters: Arc<Counters>,
    /// Told of every commit.
    pub(super) recorded: Arc<Notify>,
    /// How far it got, for the group's offsets in Kafka.
    pub(super) offsets: Arc<RecordedOffsets>,
}

impl LaneWriter {
    /// Records batches until there are no more or a fault ends the session.
    pub(super) async fn run(self, mut batches: UnboundedReceiver<EncodedBatch>) {
        let mut connection = None;
        let mut leaf_ahead_of = None;
        while let Some(mut encoded) = batches.recv().await {
            // After a fault the rest is dropped: the next session reads it again.
            if self.faults.is_raised() {
                self.in_flight.leave();
                continue;
            }
            match self.record(&mut connection, &mut encoded).await {
                Ok(ids) => {
                    self.count(&encoded);
                    if let (Some(ids), Some(writer)) = (ids, connection.as_mut()) {
                        make_leaf_ahead(writer, ids, &mut leaf_ahead_of).await;
                    }
                }
                Err(fault) => self.faults.raise(fault),
            }
            self.in_flight.leave();
            self.recorded.notify_waiters();
        }
    }

    async fn record(
        &self,
        connection: &mut Option<Writer>,
        encoded: &mut EncodedBatch,
    ) -> Result<Option<IdBlock>, Fault> {
        let ranges = encoded.ranges();
        let mut ids = None;
        let mut in_doubt = false;
        let mut attempt = 0;
        loop {
            let outcome = match self.connected(connection).await {
                Ok(writer) => {
                    self.try_once(writer, encoded, &ranges, &mut ids, &mut in_doubt).await
                }
                Err(error) => Err(error),
            };
            let error = match outcome {
                Ok(true) => return Ok(ids),
                Ok(false) => {
                    return Err(Fault::Restart(
                        "another ingester has claimed a partition of ours".to_owned(),
                    ));
                }
                Err(error) => error,
            };
            let error = match (error.is_refused_data(), connection.as_mut(), ids.as_ref()) {
                (true, Some(writer), Some(ids)) => {
                    match triage::isolate(writer, &self.encoder, encoded, ids, error).await {
                        Ok(()) => continue,
                        Err(triage::Failed::NothingFound(error)) => {
                            return Err(Fault::Fatal(Error::BatchRefused(error)));
                        }
                        Err(triage::Failed::Interrupted(error)) => error,
                    }
                }
                _ => error,
            };
            in_doubt = true;
            self.wait(error, &mut attempt, encoded.events.len()).await?;
        }
    }

    /// Waits before the next attempt, or tells why there is none.
    async fn wait(&self, error: store::Error, attempt: &mut u32, rows: usize) -> Result<(), Fault> {
        if !error.is_transient() {
            return Err(Fault::Fatal(Error::Store(error)));
        }
        if *attempt == 0 {
            tracing::warn!(%error, rows, "can't record a batch now; trying again until it works");
        } else {
            tracing::debug!(%error, attempt, "still can't record the batch");
        }
        let pause = store::back_off(*attempt);
        *attempt += 1;
        // Once a stop was asked for, `wait` returns at once: the pause has to be kept all the same.
        if self.stop.wait(pause).await {
            tokio::time::sleep(pause.min(Duration::from_millis(200))).await;
        }
        if self.stop.requested_for().is_some_and(|since| since > STOP_LIMIT) {
            return Err(Fault::Fatal(Error::StoppedEarly));
        }
        Ok(())
    }

    async fn connected<'a>(
        &self,
        connection: &'a mut Option<Writer>,
    ) -> Result<&'a mut Writer, store::Error> {
        let writer = match connection.take() {
            Some(writer) if !writer.is_closed() => writer,
            _ => {
                Writer::connect(&self.database, &format!("audit ingest {}", self.ingester)).await?
            }
        };
        Ok(connection.insert(writer))
    }

    /// True where the batch is recorded, false where somebody else owns a partition of it now.
    async fn try_once(
        &self,
        writer: &mut Writer,
        encoded: &mut EncodedBatch,
        ranges: &[OffsetRange],
        ids: &mut Option<IdBlock>,
        in_doubt: &mut bool,
    ) -> Result<bool, store::Error> {
        if *in_doubt {
            match writer.status(ranges).await? {
                BatchStatus::Recorded => return Ok(true),
                BatchStatus::Superseded => return Ok(false),
                BatchStatus::Open => *in_doubt = false,
            }
        }
        if ids.is_none() && !encoded.events.is_empty() {
            *ids = Some(writer.reserve_ids(encoded.events.len()).await?);
        }
        if let Some(ids) = ids.as_ref() {
            encoded.number_from(ids.first_id);
        }
        let batch = Batch {
            events: ids.as_ref().map(|ids| (&encoded.events, ids)),
            dead_letters: &encoded.dead_letters,
            ranges,
            ingester: &self.ingester,
        };
        match writer.write(&batch).await? {
            Written::Committed(batch_no) => {
                tracing::debug!(batch_no, rows = encoded.events.len(), "recorded a batch");
                Ok(true)
            }
            // An earlier attempt, whose end was not heard, may have committed after all while this
            // one waited for it.
            Written::Fenced => Ok(writer.status(ranges).await? == BatchStatus::Recorded),
        }
    }

    fn count(&self, encoded: &EncodedBatch) {
        Counters::add(&self.counters.rows, encoded.events.len() as u64);
        Counters::add(&self.counters.batches, 1);
        Counters::add(&self.counters.quarantined, encoded.quarantined);
        encoded.note_offsets(&self.offsets);
    }
}

/// At the first batch in a leaf, makes the one after it: no batch ever has to wait for the lock
/// that this takes.
async fn make_leaf_ahead(writer: &mut Writer, ids: IdBlock, made_ahead_of: &mut Option<String>) {
    if made_ahead_of.as_ref() == Some(&ids.leaf) {
        return;
    }
    match writer.make_leaf_ahead(ids.first_id).await {
        Ok(()) => *made_ahead_of = Some(ids.leaf),
        Err(error) => {
            tracing::info!(%error, "the next partition of event_logs could not be made yet")
        }
    }
}
