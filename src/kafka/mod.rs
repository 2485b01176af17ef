//! Kafka: settings, topics and their offsets, the consumer that reads them and the producer. Everything here but the
//! producer blocks the calling thread.

mod cluster;
mod error;
mod producer;
mod reader;
mod record_batch;
mod search;
mod setting;
mod settings;
mod topic_ids;
mod waiting;

pub use cluster::{Cluster, Offsets};
pub use error::Error;
pub use producer::{Blame, DELIVERY_TIMEOUT, Delivery, OutgoingRecord, Producer};
pub use record_batch::RecordBatch;
pub use search::find_by_header;
pub use setting::Setting;
pub(crate) use settings::log;
pub use settings::{LogContext, Settings};
pub use waiting::first_timestamps;
