//! Kafka: settings, topics and their offsets, and the consumer that reads them. Everything here blocks the calling thread.

mod cluster;
mod error;
mod record_batch;
mod settings;
mod topic_ids;

pub use cluster::{Cluster, Offsets};
pub use error::Error;
pub use record_batch::RecordBatch;
pub(crate) use settings::log;
pub use settings::{LogContext, Settings};
