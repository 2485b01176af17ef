//! Kafka: settings, topics and their offsets, records, the producer. The consumer that records is
//! the ingester's. Everything here blocks the calling thread but the producer and [`blocking`],
//! which moves a call to a thread where it may.

mod assigned_consumer;
mod blocking;
mod cluster;
mod error;
mod find_by_header;
mod first_timestamps;
mod log_context;
mod producer;
mod received_record;
mod record_batch;
mod refusals;
mod settings;
mod topic_ids;

pub use blocking::blocking;
pub use cluster::{Cluster, Offsets};
pub use error::Error;
pub use find_by_header::find_by_header;
pub use first_timestamps::first_timestamps;
pub use log_context::LogContext;
pub(crate) use log_context::{log, log_error};
pub use producer::{DELIVERY_TIMEOUT, Delivery, OutgoingRecord, Producer, RefusalCause};
pub use received_record::{MessageHeaders, ReceivedRecord};
pub use record_batch::RecordBatch;
pub use refusals::Refusals;
pub use settings::{Setting, Settings};
