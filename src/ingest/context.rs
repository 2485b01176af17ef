//! What all sessions of an ingester share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;

use super::batching::unpacking::{RegistryHint, SharedSchemas};
use super::counters::Counters;
use super::settings::IngestSettings;
use super::stop::Stop;
use crate::event::TopicPartition;
use crate::kafka::Cluster;
use crate::store::SessionPool;

/// What all sessions of an ingester share, and what watches its progress.
#[derive(Clone)]
pub(super) struct IngestContext {
    pub(super) settings: Arc<IngestSettings>,
    /// The consumer group.
    pub(super) group: String,
    /// The name under which the ledger has its batches.
    pub(super) ingester: Arc<str>,
    /// The name of the consumer in Kafka.
    pub(super) client_id: Arc<str>,
    /// Sessions for what runs beside the writing.
    pub(super) sessions: SessionPool,
    pub(super) cluster: Arc<Cluster>,
    pub(super) cluster_id: Arc<str>,
    /// The schema registry, where one is given.
    pub(super) schemas: Option<Arc<SharedSchemas>>,
    pub(super) registry_hint: Arc<RegistryHint>,
    pub(super) stop: Arc<Stop>,
    pub(super) counters: Arc<Counters>,
    /// Notified of every batch.
    pub(super) recorded: Arc<Notify>,
    /// The partitions that can't be read, and why.
    pub(super) refused: Arc<Mutex<HashMap<TopicPartition, String>>>,
}
