//! The outbox: an event is written in the transaction of the change it tells of, and published
//! afterwards.

mod relay;
mod table;

pub(crate) use relay::Relay;
pub use relay::RelayError;
pub use table::append;
