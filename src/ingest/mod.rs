//! Joins Kafka and PostgreSQL: every record becomes exactly one row.
//!
//! The consumer's thread collects records into batches (`batcher`); a thread for each lane decodes
//! and encodes them (`encode`); a task for each lane writes them (`record`). What is under way is
//! bounded (`control::InFlight`). Which offsets are recorded is decided by PostgreSQL alone: a
//! batch commits only under the claim's epoch, and after any fault the next session (`session`)
//! claims again and reads from what is recorded.

mod batcher;
mod claims;
mod consumer;
mod control;
mod encoder;
mod error;
mod progress;
mod rebalance;
mod session;
mod triage;
mod writer;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

pub use control::{Counters, Stop};
pub use encoder::{write_dead_letter, write_event};
pub use error::Error;

use crate::event::Decoder;
use crate::kafka::{self, Cluster};
use crate::store::{self, Session};
use control::Fault;
use encoder::Encoder;
use session::IngestContext;

/// How long `--until-end` waits for a broker to answer at the start.
const BROKER_LIMIT: Duration = Duration::from_secs(30);

/// What an ingester is told.
#[derive(Debug)]
pub struct IngestSettings {
    /// The audit database.
    pub database: store::Settings,
    /// Kafka.
    pub kafka: kafka::Settings,
    /// The topics to record.
    pub topics: Vec<String>,
    /// The consumer group; `None` for the one that belongs to this database.
    pub group: Option<String>,
    /// A batch is written when it has this many rows …
    pub batch_rows: usize,
    /// … or is this old.
    pub batch_wait: Duration,
    /// How many connections write, each the batches of its own partitions.
    pub writers: usize,
    /// End when everything is recorded that was there at the start.
    pub until_end: bool,
    /// Topics that were deleted and made again, and are to be recorded as a new incarnation.
    pub accept_recreated: Vec<String>,
    /// What makes an event of a record.
    pub decoder: Arc<Decoder>,
}

/// Records until `stop` is requested, or, with `until_end`, until everything is recorded that was
/// there at the start. Returns after everything that was read is committed.
///
/// # Errors
/// What waiting does not mend. A database or a broker that goes away is waited for.
pub async fn run(
    settings: IngestSettings,
    stop: Arc<Stop>,
    counters: Arc<Counters>,
) -> Result<(), Error> {
    let session = Session::open(&settings.database, "audit ingest").await?;
    let group = match &settings.group {
        Some(group) => group.clone(),
        None => {
            let id = store::installation_id(&session).await?.simple().to_string();
            format!("audit-{}", &id[..8])
        }
    };
    drop(session);
    let cluster = Arc::new(Cluster::new(&settings.kafka)?);
    let Some(cluster_id) = cluster_id(&cluster, settings.until_end, &stop).await? else {
        return Ok(());
    };
    let encoder = Encoder { decoder: Arc::clone(&settings.decoder), cluster_id: cluster_id.into() };
    let context = IngestContext {
        settings: Arc::new(settings),
        group,
        ingester: ingester_name().into(),
        cluster,
        encoder,
        stop,
        counters,
        recorded: Arc::new(Notify::new()),
        refused: Arc::new(Mutex::new(HashMap::new())),
    };
    let settings = &context.settings;
    tracing::info!(
        group = context.group,
        brokers = settings.kafka.brokers(),
        database = settings.database.target(),
        topics = settings.topics.join(","),
        "recording"
    );
    let watcher = if settings.until_end {
        Some(tokio::spawn(progress::watch(context.clone(), progress::targets(&context).await?)))
    } else {
        report_missing_topics(&context).await;
        None
    };
    let lag = tokio::spawn(progress::watch_lag(context.clone(), Duration::from_secs(2)));
    let outcome = sessions(&context).await;
    context.stop.request();
    lag.abort();
    outcome?;
    match watcher {
        Some(watcher) => watcher.await.unwrap_or(Ok(())),
        None => Ok(()),
    }
}

/// One session after the other until a stop, or a fault that waiting does not mend.
async fn sessions(context: &IngestContext) -> Result<(), Error> {
    let mut quick_ends = 0;
    loop {
        let began = Instant::now();
        match session::run(context).await {
            Ok(()) => return Ok(()),
            Err(Fault::Fatal(error)) => return Err(error),
            Err(Fault::Restart(reason)) => {
                tracing::warn!(
                    reason,
                    "joining the group again and going on from what is recorded"
                );
            }
        }
        quick_ends = if began.elapsed() < Duration::from_secs(60) { quick_ends + 1 } else { 0 };
        if quick_ends == 5 {
            tracing::error!(
                "sessions keep ending: does another ingester record these topics with another --group?"
            );
        }
        if context.stop.wait(store::back_off(quick_ends)).await {
            return Ok(());
        }
    }
}

/// The cluster's id. Waits for a broker for as long as it takes, but with `--until-end` for 30 s.
/// `None` after a stop.
async fn cluster_id(
    cluster: &Arc<Cluster>,
    until_end: bool,
    stop: &Stop,
) -> Result<Option<String>, Error> {
    let began = Instant::now();
    let mut said = false;
    loop {
        let asking = Arc::clone(cluster);
        match kafka::blocking(move || asking.id(Duration::from_secs(2))).await {
            Ok(id) => return Ok(Some(id)),
            Err(error @ kafka::Error::Unreachable { .. }) => {
                if until_end && began.elapsed() > BROKER_LIMIT {
                    return Err(error.into());
                }
                if !said {
                    tracing::warn!(%error, "waiting for Kafka");
                    said = true;
                }
            }
            Err(error) => return Err(error.into()),
        }
        if stop.wait(Duration::from_millis(500)).await {
            return Ok(None);
        }
    }
}

async fn report_missing_topics(context: &IngestContext) {
    let (cluster, topics) = (Arc::clone(&context.cluster), context.settings.topics.clone());
    if let Ok(found) = kafka::blocking(move || cluster.partitions(&topics)).await {
        for topic in context.settings.topics.iter().filter(|topic| !found.contains_key(*topic)) {
            tracing::warn!(topic, "the topic does not exist yet; waiting for it");
        }
    }
}

/// Who writes a batch, as the ledger and `pg_stat_activity` name it: host and process.
fn ingester_name() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .or_else(|| std::env::var("HOSTNAME").ok())
        .map_or_else(|| "unknown".to_owned(), |host| host.trim().chars().take(24).collect());
    format!("{host}:{}", std::process::id())
}
