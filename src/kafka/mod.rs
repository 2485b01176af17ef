//! Kafka: settings, topics and their offsets, the consumer that reads them and the producer.
//! Everything here but the producer blocks the calling thread.

mod assigned_consumer;
mod blocking;
mod cluster;
mod error;
mod find_by_header;
mod first_timestamps;
mod producer;
mod record_batch;
mod setting;
mod settings;
mod topic_ids;

pub use blocking::blocking;
pub use cluster::{Cluster, Offsets};
pub use error::Error;
pub use find_by_header::find_by_header;
pub use first_timestamps::first_timestamps;
pub use producer::{DELIVERY_TIMEOUT, Delivery, OutgoingRecord, Producer, RefusalCause};
pub use record_batch::RecordBatch;
pub use setting::Setting;
pub(crate) use settings::log;
pub use settings::{LogContext, Settings};
