//! One membership in the consumer group: threads and tasks from the first claim to the last commit.

use std::collections::HashMap;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;

use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot};

use super::batcher::{Batcher, Limits};
use super::claims::Claims;
use super::consumer::consume;
use super::control::{Counters, Fault, Faults, InFlight, RecordedOffsets, Stop};
use super::encoder::Encoder;
use super::rebalance::GroupContext;
use super::writer::LaneWriter;
use super::{Error, IngestSettings};
use crate::event::TopicPartition;
use crate::kafka::Cluster;

/// How many batches of a lane may be under way: one being decoded, one waiting, one being written.
const IN_FLIGHT: usize = 3;

/// What all sessions of an ingester have in common.
#[derive(Clone)]
pub(super) struct IngestContext {
    pub(super) settings: Arc<IngestSettings>,
    pub(super) group: String,
    pub(super) ingester: Arc<str>,
    pub(super) cluster: Arc<Cluster>,
    pub(super) encoder: Encoder,
    pub(super) stop: Arc<Stop>,
    pub(super) counters: Arc<Counters>,
    pub(super) recorded: Arc<Notify>,
    pub(super) refused: Arc<Mutex<HashMap<TopicPartition, String>>>,
}

/// Runs until a stop (`Ok`) or a fault.
pub(super) async fn run(context: &IngestContext) -> Result<(), Fault> {
    let faults = Arc::new(Faults::default());
    let offsets = Arc::new(RecordedOffsets::default());
    let mut lanes = Vec::new();
    let mut writers = Vec::new();
    for lane in 0..context.settings.writers.max(1) {
        let (to_encoder, batches) = mpsc::channel();
        let (to_recorder, encoded) = tokio::sync::mpsc::unbounded_channel();
        let in_flight = Arc::new(InFlight::new(IN_FLIGHT));
        let encoder = context.encoder.clone();
        spawn(format!("encoder {lane}"), move || encoder.run(&batches, &to_recorder))?;
        let writer = LaneWriter {
            database: context.settings.database.clone(),
            ingester: Arc::clone(&context.ingester),
            encoder: context.encoder.clone(),
            stop: Arc::clone(&context.stop),
            faults: Arc::clone(&faults),
            in_flight: Arc::clone(&in_flight),
            counters: Arc::clone(&context.counters),
            recorded: Arc::clone(&context.recorded),
            offsets: Arc::clone(&offsets),
        };
        writers.push(tokio::spawn(writer.run(encoded)));
        lanes.push((to_encoder, in_flight));
    }
    let limits = Limits { rows: context.settings.batch_rows, wait: context.settings.batch_wait };
    let members = GroupContext {
        batcher: Mutex::new(Batcher::new(lanes, limits)),
        claims: Claims {
            runtime: Handle::current(),
            settings: Arc::clone(&context.settings),
            cluster: Arc::clone(&context.cluster),
            cluster_id: Arc::clone(&context.encoder.cluster_id),
            ingester: Arc::clone(&context.ingester),
            stop: Arc::clone(&context.stop),
            faults: Arc::clone(&faults),
            counters: Arc::clone(&context.counters),
            refused: Arc::clone(&context.refused),
        },
        faults: Arc::clone(&faults),
        stop: Arc::clone(&context.stop),
    };
    let (done, ended) = oneshot::channel();
    let (settings, group) = (Arc::clone(&context.settings), context.group.clone());
    spawn("consumer".to_owned(), move || {
        consume(&settings, &group, members, &offsets);
        let _ = done.send(());
    })?;
    // The consumer's end closes the lanes, whose end closes the encoders, whose end closes the
    // writers.
    if ended.await.is_err() {
        faults.raise(Fault::Restart("the consumer's thread ended unexpectedly".to_owned()));
    }
    for writer in writers {
        if writer.await.is_err() {
            faults.raise(Fault::Restart("a writer ended unexpectedly".to_owned()));
        }
    }
    faults.take().map_or(Ok(()), Err)
}

fn spawn(name: String, body: impl FnOnce() + Send + 'static) -> Result<(), Fault> {
    let spawned = thread::Builder::new().name(name).spawn(body);
    spawned.map(drop).map_err(|error| Fault::Fatal(Error::Thread(error)))
}
