//! One membership in the consumer group: threads and tasks from the first claim to the last commit.

use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::batching::batcher::{Batcher, LaneInput, Limits};
use super::batching::encoder::Encoder;
use super::batching::unpacking::SchemaAccess;
use super::context::IngestContext;
use super::error::Error;
use super::fault::{Fault, FirstFault};
use super::group::claims::Claims;
use super::group::consumer::consume;
use super::group::group_context::GroupContext;
use super::group::rebalance::Rebalancer;
use super::in_flight::InFlight;
use super::recorded_offsets::RecordedOffsets;
use super::stop::Stop;
use super::writer_count::writer_count;
use super::writing::database::AuditDatabase;
use super::writing::writer::LaneWriter;
use crate::kafka;

/// How many batches of a lane may be in flight: one is encoded, one waits, one is written.
const IN_FLIGHT: usize = 3;
/// How long a batch is tried again after a stop was requested.
const RETRY_AT_STOP_LIMIT: Duration = Duration::from_secs(20);
/// How long the batches of a revoked partition may take to be committed before it is given away
/// uncommitted. Well below the consumer's max.poll.interval.ms of 5 minutes.
const DRAIN_LIMIT: Duration = Duration::from_secs(30);

/// How long after a stop a writer may still be at work. More than the other limits of a stop.
const WRITER_LIMIT: Duration = Duration::from_secs(35);

/// A lane whose encoder and writer are running.
struct Lane {
    input: LaneInput,
    writer: JoinHandle<()>,
}

/// Runs until a stop (`Ok`) or a fault.
pub(super) async fn run(context: &IngestContext) -> Result<(), Fault> {
    context.counters.is_assigned.store(false, Ordering::Relaxed);
    let faults = Arc::new(FirstFault::default());
    let offsets = Arc::new(RecordedOffsets::default());
    let (mut inputs, mut writers) = (Vec::new(), Vec::new());
    for number in 0..writer_count(context).await {
        let lane = start_lane(context, number, &faults, &offsets)?;
        inputs.push(lane.input);
        writers.push(lane.writer);
    }
    let limits = Limits { rows: context.settings.batch_rows, wait: context.settings.batch_wait };
    let group_context = GroupContext {
        batcher: Mutex::new(Batcher::new(inputs, limits)),
        rebalancer: Rebalancer {
            claimer: claims(context, &faults),
            faults: Arc::clone(&faults),
            counters: Arc::clone(&context.counters),
            drain_limit: DRAIN_LIMIT,
        },
        faults: Arc::clone(&faults),
        stop: Arc::clone(&context.stop),
        refusals: kafka::Refusals::default(),
    };
    let (done, ended) = oneshot::channel();
    let (settings, group) = (Arc::clone(&context.settings), context.group.clone());
    let client_id = Arc::clone(&context.client_id);
    spawn("consumer".to_owned(), move || {
        consume(&settings, &group, &client_id, group_context, &offsets);
        let _ = done.send(());
    })?;
    // The consumer's end closes the lanes, which ends the encoders, which ends the writers.
    if ended.await.is_err() {
        let reason = "the consumer's thread ended unexpectedly";
        faults.raise(Fault::Recoverable(reason.to_owned()));
    }
    for mut writer in writers {
        tokio::select! {
            joined = &mut writer => if joined.is_err() {
                faults.raise(Fault::Recoverable("a writer ended unexpectedly".to_owned()));
            },
            // Waits in PostgreSQL, for a lock that somebody holds. The next run reads it again.
            () = stopped_for(&context.stop, WRITER_LIMIT) => writer.abort(),
        }
    }
    faults.take().map_or(Ok(()), Err)
}

/// Waits until a stop was requested this long ago.
async fn stopped_for(stop: &Stop, limit: Duration) {
    stop.requested().await;
    let since = stop.requested_for().unwrap_or_default();
    tokio::time::sleep(limit.saturating_sub(since)).await;
}

fn start_lane(
    context: &IngestContext,
    number: usize,
    faults: &Arc<FirstFault>,
    offsets: &Arc<RecordedOffsets>,
) -> Result<Lane, Fault> {
    let (to_encoder, batches) = mpsc::channel();
    let (to_writer, encoded) = tokio::sync::mpsc::unbounded_channel();
    let in_flight = Arc::new(InFlight::new(IN_FLIGHT, context.counters.in_flight_bytes.clone()));
    let encoder = Encoder {
        decoder: Arc::clone(&context.settings.decoder),
        cluster_id: Arc::clone(&context.cluster_id),
        schemas: context.schemas.as_ref().map(|shared| SchemaAccess {
            shared: Arc::clone(shared),
            runtime: Handle::current(),
            stop: Arc::clone(&context.stop),
            faults: Arc::clone(faults),
            counters: Arc::clone(&context.counters),
        }),
        hint: Arc::clone(&context.registry_hint),
    };
    let writer = LaneWriter {
        database: AuditDatabase {
            settings: context.settings.database.clone(),
            application: format!("audit ingest {}", context.ingester),
        },
        ingester: Arc::clone(&context.ingester),
        encoder: encoder.clone(),
        stop: Arc::clone(&context.stop),
        stop_limit: RETRY_AT_STOP_LIMIT,
        faults: Arc::clone(faults),
        in_flight: Arc::clone(&in_flight),
        counters: Arc::clone(&context.counters),
        recorded: Arc::clone(&context.recorded),
        offsets: Arc::clone(offsets),
    };
    let (of_encoder, faults) = (Arc::clone(&in_flight), Arc::clone(faults));
    spawn(format!("encoder {number}"), move || {
        let _guard = PanicGuard(faults);
        encoder.run(&batches, &to_writer, &of_encoder);
    })?;
    let writer = tokio::spawn(writer.run(encoded));
    Ok(Lane { input: LaneInput { encoder: to_encoder, in_flight }, writer })
}

fn claims(context: &IngestContext, faults: &Arc<FirstFault>) -> Claims {
    Claims {
        runtime: Handle::current(),
        settings: Arc::clone(&context.settings),
        cluster: Arc::clone(&context.cluster),
        cluster_id: Arc::clone(&context.cluster_id),
        ingester: Arc::clone(&context.ingester),
        stop: Arc::clone(&context.stop),
        faults: Arc::clone(faults),
        counters: Arc::clone(&context.counters),
        refused: Arc::clone(&context.refused),
    }
}

/// Ends the session where its thread panics: without it the lane would stand still, unnoticed.
struct PanicGuard(Arc<FirstFault>);

impl Drop for PanicGuard {
    fn drop(&mut self) {
        if thread::panicking() {
            let reason = "an encoder ended unexpectedly";
            self.0.raise(Fault::Recoverable(reason.to_owned()));
        }
    }
}

fn spawn(name: String, body: impl FnOnce() + Send + 'static) -> Result<(), Fault> {
    let spawned = thread::Builder::new().name(name).spawn(body);
    spawned.map(drop).map_err(|error| Fault::Fatal(Error::Thread(error)))
}
