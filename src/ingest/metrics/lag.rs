//! How far the record lags behind Kafka, and whether both servers answer.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::ends::Ends;
use crate::event::TopicPartition;
use crate::ingest::context::IngestContext;
use crate::ingest::counters::{PartitionLag, Server};
use crate::ledger::unrecorded_offsets;
use crate::{kafka, store};

/// How often the lag is measured.
const INTERVAL: Duration = Duration::from_secs(2);

/// Keeps the lags of the counters up to date until a stop. A measurement that fails is left out.
pub(in crate::ingest) async fn watch(context: IngestContext) {
    let mut ends = HashMap::new();
    loop {
        if let Some(lags) = measure(&context, &mut ends).await {
            context.counters.set_lags(lags);
        }
        if context.stop.wait(INTERVAL).await {
            return;
        }
    }
}

async fn measure(
    context: &IngestContext,
    ends: &mut HashMap<TopicPartition, Ends>,
) -> Option<Vec<PartitionLag>> {
    let (counters, topics) = (&context.counters, context.settings.topics.clone());
    // The record first: of one incarnation it is never ahead of an end that is asked for later.
    let asked = async {
        let session = context.sessions.session().await?;
        store::partition_progress(&session, &context.cluster_id, &topics).await
    };
    let progress = counters.probe(Server::PostgreSql, asked).await;
    let cluster = Arc::clone(&context.cluster);
    let asked = kafka::blocking(move || cluster.all_offsets(&topics));
    let found = counters.probe(Server::Kafka, asked).await.ok()?;
    let recorded: HashMap<_, _> =
        progress.ok()?.into_iter().map(|found| (found.partition, found.recorded)).collect();
    let now = Instant::now();
    ends.retain(|partition, _| found.contains_key(partition));
    let lags = found.into_iter().map(|(partition, found)| {
        let lag = unrecorded_offsets(recorded.get(&partition), &found).max(0);
        let seen = ends.entry(partition.clone()).or_default();
        let behind = seen.behind(now, found.end, found.end - lag);
        PartitionLag { partition, lag: lag.unsigned_abs(), behind }
    });
    Some(lags.collect())
}
