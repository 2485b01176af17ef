//! One membership in the consumer group: threads and tasks from the first claim to the last commit.

use std::collections::HashMap;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;

use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot};

use super::claims::Claims;
use super::consume::consume;
use super::control::{Counters, Fault, Faults, InFlight, RecordedOffsets, Stop};
use super::encode::Encoder;
use super::intake::{Intake, Limits};
use super::rebalance::Context;
use super::record::Recorder;
use super::{Error, IngestSettings};
use crate::kafka::Cluster;

/// How many batches of a lane may be under way: one being decoded, one waiting, one being written.
const IN_FLIGHT: usize = 3;

/// What all sessions of an ingester have in common.
#[derive(Clone)]
pub(super) struct Parts {
    pub(super) settings: Arc<IngestSettings>,
    pub(super) group: String,
    pub(super) ingester: Arc<str>,
    pub(super) cluster: Arc<Cluster>,
    pub(super) encoder: Encoder,
    pub(super) stop: Arc<Stop>,
    pub(super) counters: Arc<Counters>,
    pub(super) recorded: Arc<Notify>,
    pub(super) refused: Arc<Mutex<HashMap<(String, i32), String>>>,
}

/// Runs until a stop (`Ok`) or a fault.
pub(super) async fn run(parts: &Parts) -> Result<(), Fault> {
    let faults = Arc::new(Faults::default());
    let offsets = Arc::new(RecordedOffsets::default());
    let mut lanes = Vec::new();
    let mut recorders = Vec::new();
    for lane in 0..parts.settings.writers.max(1) {
        let (to_encoder, batches) = mpsc::channel();
        let (to_recorder, encoded) = tokio::sync::mpsc::unbounded_channel();
        let in_flight = Arc::new(InFlight::new(IN_FLIGHT));
        let encoder = parts.encoder.clone();
        spawn(format!("encoder {lane}"), move || encoder.run(&batches, &to_recorder))?;
        let recorder = Recorder {
            database: parts.settings.database.clone(),
            ingester: Arc::clone(&parts.ingester),
            encoder: parts.encoder.clone(),
            stop: Arc::clone(&parts.stop),
            faults: Arc::clone(&faults),
            in_flight: Arc::clone(&in_flight),
            counters: Arc::clone(&parts.counters),
            recorded: Arc::clone(&parts.recorded),
            offsets: Arc::clone(&offsets),
        };
        recorders.push(tokio::spawn(recorder.run(encoded)));
        lanes.push((to_encoder, in_flight));
    }
    let limits = Limits { rows: parts.settings.batch_rows, wait: parts.settings.batch_wait };
    let context = Context {
        intake: Mutex::new(Intake::new(lanes, limits)),
        claims: Claims {
            runtime: Handle::current(),
            settings: Arc::clone(&parts.settings),
            cluster: Arc::clone(&parts.cluster),
            cluster_id: Arc::clone(&parts.encoder.cluster_id),
            ingester: Arc::clone(&parts.ingester),
            stop: Arc::clone(&parts.stop),
            faults: Arc::clone(&faults),
            counters: Arc::clone(&parts.counters),
            refused: Arc::clone(&parts.refused),
        },
        faults: Arc::clone(&faults),
        stop: Arc::clone(&parts.stop),
    };
    let (done, ended) = oneshot::channel();
    let (settings, group) = (Arc::clone(&parts.settings), parts.group.clone());
    let consumer_faults = Arc::clone(&faults);
    spawn("consumer".to_owned(), move || {
        if let Err(fault) = consume(&settings, &group, context, &offsets) {
            consumer_faults.raise(fault);
        }
        let _ = done.send(());
    })?;
    // The consumer's end closes the lanes, whose end closes the encoders, whose end closes the recorders.
    if ended.await.is_err() {
        faults.raise(Fault::Restart("the consumer's thread ended unexpectedly".to_owned()));
    }
    for recorder in recorders {
        if recorder.await.is_err() {
            faults.raise(Fault::Restart("a recorder ended unexpectedly".to_owned()));
        }
    }
    faults.take().map_or(Ok(()), Err)
}

fn spawn(name: String, body: impl FnOnce() + Send + 'static) -> Result<(), Fault> {
    let spawned = thread::Builder::new().name(name).spawn(body);
    spawned.map(drop).map_err(|error| Fault::Fatal(Error::Thread(error)))
}
