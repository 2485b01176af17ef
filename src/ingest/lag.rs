//! How far the record lags behind Kafka.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::context::IngestContext;
use super::counters::Counters;
use crate::{kafka, store};

/// How often the lag is measured.
const INTERVAL: Duration = Duration::from_secs(2);

/// Keeps `Counters::lag` up to date until a stop. A measurement that fails is left out.
pub(super) async fn watch(context: IngestContext) {
    let (settings, cluster_id) = (&context.settings, &context.cluster_id);
    while !context.stop.wait(INTERVAL).await {
        let (cluster, topics) = (Arc::clone(&context.cluster), settings.topics.clone());
        let ends = kafka::blocking(move || cluster.all_offsets(&topics)).await;
        let Ok(ends) = ends else { continue };
        let mut lags: HashMap<_, _> =
            ends.iter().map(|(partition, offsets)| (partition, offsets.end)).collect();
        let Ok(session) = context.sessions.session().await else { continue };
        let progress = store::partition_progress(&session, cluster_id, &settings.topics).await;
        for recorded in progress.iter().flatten() {
            if let Some(lag) = lags.get_mut(&recorded.partition) {
                *lag -= recorded.next_offset;
            }
        }
        if progress.is_ok() {
            let lag: i64 = lags.values().map(|lag| (*lag).max(0)).sum();
            Counters::set(&context.counters.lag, lag.unsigned_abs());
        }
    }
}
