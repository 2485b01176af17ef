//! `--until-end`: finds out where the partitions end at the start, and when everything up to there
//! is recorded.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::context::IngestContext;
use super::error::Error;
use super::mutex::lock_mutex;
use crate::event::TopicPartition;
use crate::{kafka, store};

/// How often the progress is checked besides after each batch of this process: another member of
/// the group may record the last one.
const CHECK_INTERVAL: Duration = Duration::from_millis(200);

/// The ends of all partitions now. Only topics of dead letters may be missing.
pub(super) async fn targets(
    context: &IngestContext,
) -> Result<HashMap<TopicPartition, i64>, Error> {
    let settings = &context.settings;
    let (cluster, topics) = (Arc::clone(&context.cluster), settings.topics.clone());
    let all = kafka::blocking(move || cluster.all_offsets(&topics)).await?;
    for topic in &settings.topics {
        let exists = all.keys().any(|found| found.topic == *topic);
        if !exists && !settings.decoder.is_dead_letter_topic(topic) {
            return Err(Error::NoTopic(topic.clone()));
        }
    }
    Ok(all.into_iter().map(|(partition, offsets)| (partition, offsets.end)).collect())
}

/// Requests a stop as soon as every target is recorded, whichever member of the group did it.
pub(super) async fn watch(
    context: IngestContext,
    mut targets: HashMap<TopicPartition, i64>,
) -> Result<(), Error> {
    targets.retain(|_, end| *end > 0);
    loop {
        let committed = context.recorded.notified();
        match remove_recorded(&context, &mut targets).await {
            Ok(()) if targets.is_empty() => {
                context.stop.request();
                return Ok(());
            }
            Ok(()) => {}
            Err(error) if error.is_transient() => {
                tracing::debug!(%error, "can't read how far the partitions are; trying again");
            }
            Err(error) => return Err(error.into()),
        }
        if let Some(text) = refusal(&context, &targets) {
            context.stop.request();
            return Err(Error::PartitionRefused(text));
        }
        tokio::select! {
            () = committed => {}
            () = tokio::time::sleep(CHECK_INTERVAL) => {}
        }
        if context.stop.is_requested() {
            return Ok(());
        }
    }
}

/// Why one of the partitions can't be read to its end.
fn refusal(context: &IngestContext, targets: &HashMap<TopicPartition, i64>) -> Option<String> {
    let refused = lock_mutex(&context.refused);
    targets.keys().find_map(|partition| refused.get(partition)).cloned()
}

/// Removes the targets that are recorded.
async fn remove_recorded(
    context: &IngestContext,
    targets: &mut HashMap<TopicPartition, i64>,
) -> Result<(), store::Error> {
    let session = context.sessions.session().await?;
    let topics = &context.settings.topics;
    for found in store::partition_progress(&session, &context.cluster_id, topics).await? {
        if targets.get(&found.partition).is_some_and(|end| *end <= found.next_offset) {
            targets.remove(&found.partition);
        }
    }
    Ok(())
}
