//! Kafka: settings, topics and their offsets, records, the producer. The consumer that records is
//! the ingester's. Everything here blocks the calling thread but the producer and [`blocking`],
//! which moves a call to a thread where it may.

mod admin;
mod blocking;
mod cluster;
mod error;
mod group_members;
mod log_context;
mod producer;
mod reading;
mod received_record;
mod record_batch;
mod refusals;
mod settings;

pub use admin::{ConsumerGroup, ConsumerGroups, GroupMember, GroupState};
pub use blocking::blocking;
pub use cluster::Cluster;
pub use error::Error;
pub use log_context::LogContext;
pub(crate) use log_context::{log, log_error};
pub use producer::{DELIVERY_TIMEOUT, Delivery, OutgoingRecord, Producer, RefusalCause};
pub use reading::find_by_header::find_by_header;
pub use reading::find_in_ranges::find_in_ranges;
pub use reading::first_timestamps::{Isolation, first_timestamps};
pub use reading::record_hashes::RecordHasher;
pub use reading::values_of_key::values_of_key;
pub use received_record::{MessageHeaders, ReceivedRecord};
pub use record_batch::RecordBatch;
pub use refusals::Refusals;
pub use settings::{Setting, Settings, shown_brokers};
