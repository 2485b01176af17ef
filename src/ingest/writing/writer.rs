//! Writes batches to PostgreSQL: waits for a server that is away, finds out what became of a
//! commit that was cut off, and gives up what another process has claimed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedReceiver;

use super::database::{BatchConnection, Database, DatabaseError, Refusal};
use super::triage::{Repair, RepairError};
use crate::ingest::batching::encoder::{EncodedBatch, Encoder};
use crate::ingest::counters::{Counters, Wait};
use crate::ingest::error::Error;
use crate::ingest::fault::{Fault, FirstFault};
use crate::ingest::in_flight::InFlight;
use crate::ingest::recorded_offsets::RecordedOffsets;
use crate::ingest::stop::Stop;
use crate::store::{self, Batch, BatchStatus, IdBlock, OffsetRange, Written};

/// How often a batch is repaired. Once is enough but for rows that depend on each other, or on what
/// other lanes record meanwhile.
const MOST_REPAIRS: u32 = 10;

/// How long a batch waits before it takes other ids, where its leaf was closed.
const LEAF_PAUSE: Duration = Duration::from_millis(20);

/// What is said where the thread that hashes ended without a result.
const HASHING_ENDED: &str = "the thread that hashes the rows of a batch ended unexpectedly";

/// How long rows are still given other forms after a stop was requested.
const REPAIR_AT_STOP_LIMIT: Duration = Duration::from_secs(2);

/// The last stage of a lane.
pub(in crate::ingest) struct LaneWriter<D> {
    pub(in crate::ingest) database: D,
    /// The name under which the ledger has its batches.
    pub(in crate::ingest) ingester: Arc<str>,
    pub(in crate::ingest) encoder: Encoder,
    pub(in crate::ingest) stop: Arc<Stop>,
    /// How long a batch is tried again after a stop was requested.
    pub(in crate::ingest) stop_limit: Duration,
    pub(in crate::ingest) faults: Arc<FirstFault>,
    pub(in crate::ingest) in_flight: Arc<InFlight>,
    pub(in crate::ingest) counters: Arc<Counters>,
    /// Notified of every batch.
    pub(in crate::ingest) recorded: Arc<Notify>,
    pub(in crate::ingest) offsets: Arc<RecordedOffsets>,
}

/// A batch on its way into the database.
struct PendingBatch {
    encoded: Arc<EncodedBatch>,
    ranges: Vec<OffsetRange>,
    /// Reserved by the first attempt; `None` where the batch has no rows, too.
    ids: Option<IdBlock>,
    /// Whether an earlier attempt may have been committed.
    in_doubt: bool,
    /// How often rows that PostgreSQL refused were given another form.
    repairs: u32,
}

/// What became of a batch that was not refused.
enum Outcome {
    Recorded,
    /// The leaf of its ids takes no more rows: to be tried again with others.
    LeafClosed,
    /// Another process has claimed one of its partitions.
    Superseded,
}

impl<D: Database> LaneWriter<D> {
    /// Writes batches until there are no more, or a fault ends the session.
    pub(in crate::ingest) async fn run(self, mut batches: UnboundedReceiver<EncodedBatch>) {
        let mut connection = None;
        let mut leaf_ahead_of = None;
        while let Some(encoded) = batches.recv().await {
            // After a fault the rest is dropped: the next session reads it again.
            if !self.faults.is_raised() {
                let ranges = encoded.ranges();
                let mut batch = PendingBatch {
                    encoded: Arc::new(encoded),
                    ranges,
                    ids: None,
                    in_doubt: false,
                    repairs: 0,
                };
                let began = Instant::now();
                match self.record(&mut connection, &mut batch).await {
                    Ok(()) => {
                        self.count(&batch.encoded, began.elapsed());
                        if let (Some(ids), Some(connection)) = (batch.ids, connection.as_mut()) {
                            make_leaf_ahead(connection, ids, &mut leaf_ahead_of).await;
                        }
                    }
                    Err(fault) => self.faults.raise(fault),
                }
                self.recorded.notify_waiters();
            }
            self.in_flight.release();
        }
    }

    /// Tries until the batch is recorded. A fault where that can't come true.
    async fn record(
        &self,
        connection: &mut Option<D::Connection>,
        batch: &mut PendingBatch,
    ) -> Result<(), Fault> {
        let mut failures = 0;
        let mut last_reason = String::new();
        let mut waiting = None;
        loop {
            let error = match self.attempt(connection, batch).await {
                Ok(Outcome::Recorded) => return Ok(()),
                Ok(Outcome::LeafClosed) => continue,
                Ok(Outcome::Superseded) => {
                    let reason = "another ingester has claimed a partition of ours";
                    return Err(Fault::Recoverable(reason.to_owned()));
                }
                Err(error) => error,
            };
            let error = match (error, connection.as_mut()) {
                (DatabaseError::Refused(refusal), Some(connection)) => {
                    match self.repair(connection, batch, refusal).await {
                        Ok(()) => continue,
                        Err(RepairError::Interrupted(error)) => error,
                        Err(RepairError::Unrepairable(error)) => return Err(Fault::Fatal(error)),
                    }
                }
                (error, _) => error,
            };
            // Connects anew, whatever it was: a server that became a standby refuses every write on
            // its old sessions, and another may have taken its place.
            *connection = None;
            waiting.get_or_insert_with(|| self.counters.begin(Wait::PostgreSql));
            batch.in_doubt = true;
            self.pause(error, failures, &mut last_reason, batch.encoded.events.len()).await?;
            failures += 1;
        }
    }

    /// Gives the rows that PostgreSQL refuses another form, a few times at most.
    async fn repair(
        &self,
        connection: &mut D::Connection,
        batch: &mut PendingBatch,
        refusal: Refusal,
    ) -> Result<(), RepairError> {
        batch.repairs += 1;
        let Some(ids) = batch.ids.as_ref().filter(|_| batch.repairs <= MOST_REPAIRS) else {
            return Err(RepairError::Unrepairable(Error::BatchRefused(refusal.error)));
        };
        let is_over = || {
            self.faults.is_raised()
                || self.stop.requested_for().is_some_and(|since| since > REPAIR_AT_STOP_LIMIT)
        };
        let repair = Repair { encoder: &self.encoder, ids, is_over: &is_over };
        repair.run(connection, to_change(&mut batch.encoded)?, refusal).await
    }

    async fn attempt(
        &self,
        connection: &mut Option<D::Connection>,
        batch: &mut PendingBatch,
    ) -> Result<Outcome, DatabaseError> {
        let connection = self.connected(connection).await?;
        if batch.in_doubt {
            match connection.status(&batch.ranges).await? {
                BatchStatus::Recorded => return Ok(Outcome::Recorded),
                BatchStatus::Superseded => return Ok(Outcome::Superseded),
                BatchStatus::Open => batch.in_doubt = false,
            }
        }
        let rows = batch.encoded.events.len();
        if batch.ids.is_none() && rows > 0 {
            batch.ids = Some(connection.reserve_ids(rows).await?);
        }
        if let Some(ids) = &batch.ids {
            to_change(&mut batch.encoded)?.fill_in_ids_from(ids.first_id);
        }
        let counts = batch.encoded.keys.counts();
        let to_write = Batch {
            events: batch.ids.as_ref().map(|ids| (&batch.encoded.events, ids)),
            counts: counts.as_ref(),
            dead_letters: &batch.encoded.dead_letters,
            ranges: &batch.ranges,
            ingester: &self.ingester,
        };
        // Hashes on a thread of its own, while the rows are copied.
        let encoded = Arc::clone(&batch.encoded);
        let mut hashing = tokio::task::spawn_blocking(move || encoded.roots());
        let mut is_hashed = false;
        let roots = async {
            let roots = (&mut hashing).await;
            is_hashed = true;
            let roots = roots.map_err(|_| store::Error::Protocol(HASHING_ENDED.to_owned()))?;
            roots.map_err(store::Error::Evidence)
        };
        let written = connection.write(&to_write, roots).await;
        if !is_hashed {
            // Nobody else has the batch when its rows are given other ids or forms.
            let _ = hashing.await;
        }
        match written? {
            Written::Committed(batch_no) => {
                tracing::debug!(batch_no, rows, "recorded a batch");
                Ok(Outcome::Recorded)
            }
            // Comes back with ids in another leaf, or in the same one, when it is sealed.
            Written::LeafClosed => {
                batch.ids = None;
                tokio::time::sleep(LEAF_PAUSE).await;
                Ok(Outcome::LeafClosed)
            }
            // An earlier attempt whose end was not heard may have committed while this one waited
            // for its locks.
            Written::Fenced => match connection.status(&batch.ranges).await? {
                BatchStatus::Recorded => Ok(Outcome::Recorded),
                BatchStatus::Open | BatchStatus::Superseded => Ok(Outcome::Superseded),
            },
        }
    }

    /// The connection, made anew where there is none or it broke.
    async fn connected<'a>(
        &self,
        connection: &'a mut Option<D::Connection>,
    ) -> Result<&'a mut D::Connection, DatabaseError> {
        let usable = match connection.take() {
            Some(usable) if !usable.is_closed() => usable,
            _ => self.database.connect().await?,
        };
        Ok(connection.insert(usable))
    }

    /// Waits before the next attempt. A fault where there is none.
    async fn pause(
        &self,
        error: DatabaseError,
        failures: u32,
        last_reason: &mut String,
        rows: usize,
    ) -> Result<(), Fault> {
        let error = match error {
            DatabaseError::Transient(error) => error,
            DatabaseError::Fatal(error) | DatabaseError::Refused(Refusal { error, .. }) => {
                return Err(Fault::Fatal(Error::Store(error)));
            }
        };
        let reason = error.to_string();
        if reason == *last_reason {
            tracing::debug!(error = reason, failures, "still can't record the batch");
        } else {
            tracing::warn!(
                error = reason,
                rows,
                "can't record a batch now; trying again until it works"
            );
            *last_reason = reason;
        }
        let pause = store::back_off(failures);
        // After a request to stop `wait` returns at once, and the database needs a pause still.
        if self.stop.wait(pause).await {
            tokio::time::sleep(pause.min(Duration::from_millis(200))).await;
        }
        if self.stop.requested_for().is_some_and(|since| since > self.stop_limit) {
            return Err(Fault::Fatal(Error::StoppedEarly));
        }
        Ok(())
    }

    fn count(&self, encoded: &EncodedBatch, time: Duration) {
        self.counters.rows.inc_by(encoded.events.len() as u64);
        self.counters.batches.inc();
        self.counters.bytes.inc_by(encoded.byte_size() as u64);
        self.counters.batch_seconds.observe(time.as_secs_f64());
        for (reason, rows) in &encoded.quarantined {
            let label = [("reason", reason.as_str())];
            self.counters.quarantined.get_or_create(&label).inc_by(*rows);
        }
        for segment in encoded.segments() {
            self.offsets.set(&segment.partition.identity.name, segment.next_offset);
        }
    }
}

/// The batch, to be changed. Only the thread that hashes it has it, too, and is waited for.
fn to_change(batch: &mut Arc<EncodedBatch>) -> Result<&mut EncodedBatch, DatabaseError> {
    Arc::get_mut(batch)
        .ok_or_else(|| DatabaseError::Fatal(store::Error::Protocol(HASHING_ENDED.to_owned())))
}

/// At the first batch in a leaf, makes the one after it, so that no batch ever waits for the lock
/// that this takes.
async fn make_leaf_ahead(
    connection: &mut impl BatchConnection,
    ids: IdBlock,
    made_ahead_of: &mut Option<String>,
) {
    if made_ahead_of.as_ref() == Some(&ids.leaf) {
        return;
    }
    match connection.make_leaf_ahead(ids.first_id).await {
        Ok(()) => *made_ahead_of = Some(ids.leaf),
        Err(
            DatabaseError::Refused(Refusal { error, .. })
            | DatabaseError::Transient(error)
            | DatabaseError::Fatal(error),
        ) => tracing::info!(%error, "the next partition of event_logs could not be made yet"),
    }
}

#[cfg(test)]
mod tests;
