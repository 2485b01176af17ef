//! The ingester from its start to its end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::batching::unpacking::SharedSchemas;
use super::context::IngestContext;
use super::counters::{Counters, Wait};
use super::error::Error;
use super::fault::Fault;
use super::group::strangers;
use super::ingester_name::ingester_name;
use super::settings::IngestSettings;
use super::stop::Stop;
use super::until_end::Targets;
use super::{anchoring, maintenance, metrics, session};
use crate::anchor;
use crate::kafka::{self, Cluster};
use crate::registry;
use crate::store::{self, Session, SessionPool};

/// How long `--until-end` waits for a broker to answer at the start.
const BROKER_LIMIT: Duration = Duration::from_secs(30);

/// Records until `stop` is requested, or, with `until_end`, until everything is recorded that was
/// there at the start. Returns after everything that was read is committed.
///
/// # Errors
/// Every variant of [`Error`]: trying again does not help against them. A database or a broker that
/// goes away is waited for.
pub async fn run(
    settings: IngestSettings,
    stop: Arc<Stop>,
    counters: Arc<Counters>,
) -> Result<(), Error> {
    // Ends with this function.
    let mut beside = JoinSet::new();
    if let Some(address) = &settings.metrics {
        let endpoint = metrics::Endpoint::bind(address).await?;
        beside.spawn(endpoint.serve(Arc::clone(&counters)));
    }
    let schemas = settings.schema_registry.as_ref().map(SharedSchemas::new).transpose()?;
    let session = Session::open(&settings.database, "audit ingest").await?;
    session.home().await?.check_identity(&settings.database)?;
    if let Some(anchoring) = &settings.anchoring {
        anchor::check_key(&session, &anchoring.anchor.key).await?;
    }
    let group = match &settings.group {
        Some(group) => group.clone(),
        None => store::default_group(store::installation_id(&session).await?),
    };
    let server_start = store::server_start(&session).await?;
    drop(session);
    let cluster = Arc::new(Cluster::new(&settings.kafka)?);
    beside.spawn(metrics::tell_systemd(Arc::clone(&counters), Arc::clone(&stop)));
    let Some(cluster_id) = cluster_id(&cluster, settings.until_end, &stop, &counters).await? else {
        return if settings.until_end { Err(Error::StoppedAtStart) } else { Ok(()) };
    };
    let ingester = ingester_name();
    let application = format!("audit ingest {ingester} progress");
    let context = IngestContext {
        sessions: SessionPool::new(&settings.database, &application)?,
        settings: Arc::new(settings),
        group,
        client_id: strangers::client_id(&ingester, &server_start).into(),
        ingester: ingester.into(),
        cluster,
        cluster_id: cluster_id.into(),
        schemas: schemas.map(Arc::new),
        registry_hint: Arc::default(),
        stop,
        counters,
        recorded: Arc::new(Notify::new()),
        refused: Arc::new(Mutex::new(HashMap::new())),
    };
    beside.spawn(metrics::lag::watch(context.clone()));
    strangers::refuse_to_join(&context).await?;
    let settings = &context.settings;
    let registry = settings.schema_registry.as_ref().map(registry::Settings::shown);
    tracing::info!(
        group = context.group,
        brokers = settings.kafka.brokers(),
        database = settings.database.target(),
        schema_registry = registry,
        topics = settings.topics.join(","),
        "recording"
    );
    if settings.metrics.is_some() {
        beside.spawn(metrics::watch_database(context.clone()));
    }
    beside.spawn(strangers::watch(context.clone()));
    beside.spawn(maintain(context.clone()));
    beside.spawn(anchoring::keep_on(context.clone()));
    let outcome = if settings.until_end {
        record_until_end(&context).await
    } else {
        report_missing_topics(&context).await;
        sessions(&context).await
    };
    context.stop.request();
    if settings.maintenance {
        let application = format!("audit ingest {} summarising", context.ingester);
        maintenance::finish(&settings.database, &application).await;
    }
    let signed = anchoring::finish(&context).await;
    outcome.and(signed)
}

/// Maintains the database until a stop, unless that is left to others.
async fn maintain(context: IngestContext) {
    if context.settings.maintenance {
        let application = format!("audit ingest {}", context.ingester);
        let (settings, counters) = (&context.settings, &context.counters);
        maintenance::maintain(&settings.database, &application, &context.stop, counters).await;
    }
}

/// Records until everything is recorded that is there now.
async fn record_until_end(context: &IngestContext) -> Result<(), Error> {
    let targets = Targets::find(context).await?;
    let recording = async {
        let outcome = sessions(context).await;
        context.stop.request();
        outcome
    };
    let (recorded, watched) = tokio::join!(recording, targets.watch(context));
    recorded?;
    watched?.finish(context).await
}

/// Runs one session after the other until a stop or a fatal fault.
async fn sessions(context: &IngestContext) -> Result<(), Error> {
    let mut quick_ends = 0;
    loop {
        let began = Instant::now();
        match session::run(context).await {
            Ok(()) => return Ok(()),
            Err(Fault::Fatal(error)) => return Err(error),
            Err(Fault::Recoverable(reason)) => {
                context.counters.restarts.inc();
                tracing::warn!(
                    reason,
                    "joining the group again and going on from what is recorded"
                );
            }
        }
        quick_ends = if began.elapsed() < Duration::from_secs(60) { quick_ends + 1 } else { 0 };
        if quick_ends == 5 {
            tracing::error!(
                "sessions keep ending: does another ingester record these topics with another \
                 --group?"
            );
        }
        if context.stop.wait(store::back_off(quick_ends)).await {
            return Ok(());
        }
    }
}

/// The cluster's id. Waits for a broker without a limit, but with `--until-end` for 30 s. `None`
/// after a stop.
async fn cluster_id(
    cluster: &Arc<Cluster>,
    until_end: bool,
    stop: &Stop,
    counters: &Counters,
) -> Result<Option<String>, Error> {
    let began = Instant::now();
    let (mut told, mut waiting) = (None, None);
    loop {
        let asked = Arc::clone(cluster);
        match kafka::blocking(move || asked.id(Duration::from_secs(2))).await {
            Ok(id) => return Ok(Some(id)),
            Err(error @ kafka::Error::Unreachable { .. }) => {
                if until_end && began.elapsed() > BROKER_LIMIT {
                    return Err(error.into());
                }
                waiting.get_or_insert_with(|| counters.begin(Wait::Kafka));
                // Once for each reason: the next one may come only after the first was mended.
                let reason = error.to_string();
                if told.as_ref() != Some(&reason) {
                    let hint = error.hint().unwrap_or_default();
                    tracing::warn!(%error, hint, "waiting for Kafka");
                    told = Some(reason);
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
