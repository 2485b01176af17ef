//! How far the record lags behind Kafka.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::context::IngestContext;
use super::counters::Counters;
use crate::ledger::unrecorded_offsets;
use crate::{kafka, store};

/// How often the lag is measured.
const INTERVAL: Duration = Duration::from_secs(2);

/// Keeps `Counters::lag` up to date until a stop. A measurement that fails is left out.
pub(super) async fn watch(context: IngestContext) {
    let (settings, cluster_id) = (&context.settings, &context.cluster_id);
    while !context.stop.wait(INTERVAL).await {
        let Ok(session) = context.sessions.session().await else { continue };
        // The record first: of one incarnation it is never ahead of an end that is asked for later.
        let progress = store::partition_progress(&session, cluster_id, &settings.topics).await;
        let Ok(progress) = progress else { continue };
        drop(session);
        let recorded: HashMap<_, _> =
            progress.into_iter().map(|found| (found.partition, found.recorded)).collect();
        let (cluster, topics) = (Arc::clone(&context.cluster), settings.topics.clone());
        let Ok(found) = kafka::blocking(move || cluster.all_offsets(&topics)).await else {
            continue;
        };
        let lag: i64 = found
            .iter()
            .map(|(partition, found)| unrecorded_offsets(recorded.get(partition), found).max(0))
            .sum();
        Counters::set(&context.counters.lag, lag.unsigned_abs());
    }
}
