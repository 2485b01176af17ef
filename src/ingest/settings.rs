//! The settings of an ingester.

use std::sync::Arc;
use std::time::Duration;

use crate::event::Decoder;
use crate::{kafka, store};

/// What to record, and how.
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
    /// The most rows of a batch.
    pub batch_rows: usize,
    /// How long the first row of a batch waits at most.
    pub batch_wait: Duration,
    /// How many connections write, each the batches of its own partitions. 0 counts as 1; `None` for
    /// as many as the machine and the topics can use.
    pub writers: Option<usize>,
    /// Whether events are counted and leaves sealed beside the recording.
    pub maintenance: bool,
    /// Whether to end as soon as everything is recorded that was there at the start.
    pub until_end: bool,
    /// Topics that, once deleted and made again, are recorded as a new incarnation.
    pub accept_recreated: Vec<String>,
    /// Makes events of records.
    pub decoder: Arc<Decoder>,
}
