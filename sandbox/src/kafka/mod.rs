//! Kafka: a broker of one's own or a mock, its topics, and records to put into them.

mod mock;
mod produce;
mod server;
mod topics;

pub use produce::{Placed, produce};
pub use server::{GIVEN_BROKERS, Kafka, SASL_USER};
pub use topics::create as create_topic;
