//! `--until-end`: where the partitions end at the start, and whether everything up to there is
//! recorded.

use std::collections::HashMap;
use std::time::Duration;

use super::Error;
use super::control::lock;
use super::session::IngestContext;
use crate::event::TopicPartition;
use crate::{kafka, store};

/// How often it is looked at besides after each batch of ours: another member of the group may
/// record the last one.
const LOOK: Duration = Duration::from_millis(200);

/// The ends of all partitions now. A topic may be missing only where it is one of dead letters.
pub(super) async fn targets(
    context: &IngestContext,
) -> Result<HashMap<TopicPartition, i64>, Error> {
    let settings = &context.settings;
    let (cluster, topics) = (std::sync::Arc::clone(&context.cluster), settings.topics.clone());
    let all = kafka::blocking(move || cluster.all_offsets(&topics)).await?;
    for topic in &settings.topics {
        let exists = all.keys().any(|found| found.topic == *topic);
        if !exists && !settings.decoder.is_dead_letter_topic(topic) {
            return Err(Error::NoTopic(topic.clone()));
        }
    }
    Ok(all.into_iter().map(|(partition, offsets)| (partition, offsets.end)).collect())
}

/// Asks for a stop as soon as every target is recorded, whichever member of the group did it.
pub(super) async fn watch(
    context: IngestContext,
    mut targets: HashMap<TopicPartition, i64>,
) -> Result<(), Error> {
    let mut connection = None;
    targets.retain(|_, end| *end > 0);
    loop {
        let committed = context.recorded.notified();
        match remaining(&context, &mut connection, &mut targets).await {
            Ok(()) if targets.is_empty() => {
                context.stop.request();
                return Ok(());
            }
            Ok(()) => {}
            Err(error) if error.is_transient() => {
                tracing::debug!(%error, "can't see how far the partitions are recorded; looking again");
                connection = None;
            }
            Err(error) => return Err(error.into()),
        }
        if let Some(text) = refusal(&context, &targets) {
            context.stop.request();
            return Err(Error::PartitionRefused(text));
        }
        tokio::select! {
            () = committed => {}
            () = tokio::time::sleep(LOOK) => {}
        }
        if context.stop.is_requested() {
            return Ok(());
        }
    }
}

/// Why one of the partitions can't be read to its end.
fn refusal(context: &IngestContext, targets: &HashMap<TopicPartition, i64>) -> Option<String> {
    let refused = lock(&context.refused);
    targets.keys().find_map(|partition| refused.get(partition)).cloned()
}

async fn remaining(
    context: &IngestContext,
    connection: &mut Option<store::Session>,
    targets: &mut HashMap<TopicPartition, i64>,
) -> Result<(), store::Error> {
    if connection.is_none() {
        let application = format!("audit ingest {} progress", context.ingester);
        *connection =
            Some(store::Session::connect(&context.settings.database, &application).await?);
    }
    let Some(client) = connection else { return Ok(()) };
    for found in
        store::partition_progress(client, &context.encoder.cluster_id, &context.settings.topics)
            .await?
    {
        if targets.get(&found.partition).is_some_and(|end| *end <= found.next_offset) {
            targets.remove(&found.partition);
        }
    }
    Ok(())
}

/// Keeps `Counters::lag` up to date until a stop.
pub(super) async fn watch_lag(context: IngestContext, every: Duration) {
    let mut connection = None;
    while !context.stop.wait(every).await {
        let (cluster, topics) =
            (std::sync::Arc::clone(&context.cluster), context.settings.topics.clone());
        let ends: Result<_, kafka::Error> =
            kafka::blocking(move || cluster.all_offsets(&topics)).await;
        let Ok(ends) = ends else { continue };
        let mut open: HashMap<_, _> =
            ends.iter().map(|(partition, offsets)| (partition, offsets.end)).collect();
        if connection.is_none() {
            let application = format!("audit ingest {} lag", context.ingester);
            connection =
                store::Session::connect(&context.settings.database, &application).await.ok();
        }
        let Some(client) = &connection else { continue };
        match store::partition_progress(
            client,
            &context.encoder.cluster_id,
            &context.settings.topics,
        )
        .await
        {
            Ok(found) => {
                for found in &found {
                    if let Some(end) = open.get_mut(&found.partition) {
                        *end -= found.next_offset;
                    }
                }
                let lag: i64 = open.values().map(|lag| (*lag).max(0)).sum();
                context
                    .counters
                    .lag
                    .store(lag.unsigned_abs(), std::sync::atomic::Ordering::Relaxed);
            }
            Err(_) => connection = None,
        }
    }
}
