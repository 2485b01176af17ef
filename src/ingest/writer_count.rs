//! How many connections write where nobody said.

use std::sync::Arc;
use std::thread;

use super::context::IngestContext;
use crate::kafka;

/// The most that are chosen: each holds its batches in memory, and PostgreSQL has a process for it.
const MOST: usize = 8;

/// As many as were asked for; else as many as the machine has processors or the topics partitions,
/// whichever is fewer.
pub(super) async fn writer_count(context: &IngestContext) -> usize {
    if let Some(writers) = context.settings.writers {
        return writers.max(1);
    }
    let (cluster, topics) = (Arc::clone(&context.cluster), context.settings.topics.clone());
    let found = kafka::blocking(move || cluster.partitions(&topics)).await;
    // Where Kafka does not tell now, the processors decide.
    let count = |count: &i32| usize::try_from(*count).unwrap_or_default();
    let partitions = found.map(|topics| topics.values().map(count).sum()).ok();
    let processors = thread::available_parallelism().map_or(1, usize::from);
    choose(processors, partitions)
}

/// A partition belongs to one connection, so more connections than partitions have nothing to do.
/// Topics without any may get some.
fn choose(processors: usize, partitions: Option<usize>) -> usize {
    let partitions = partitions.filter(|count| *count > 0).unwrap_or(MOST);
    processors.min(partitions).clamp(1, MOST)
}

#[cfg(test)]
mod tests {
    use super::choose;

    #[test]
    fn neither_idle_processors_nor_idle_partitions_get_a_writer() {
        assert_eq!(choose(2, Some(16)), 2);
        assert_eq!(choose(8, Some(3)), 3);
        assert_eq!(choose(64, Some(200)), 8);
        assert_eq!(choose(4, Some(0)), 4);
        assert_eq!(choose(4, None), 4);
        assert_eq!(choose(1, Some(1)), 1);
    }
}
