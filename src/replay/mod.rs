//! Sends dead letters back to where they came from, and keeps a ledger of it. Joins kafka and
//! store.
//!
//! An intent (`pending`) is committed before a record is sent, what came of it after. Whatever is
//! still pending when the next replay begins was interrupted: [`Replayer::recover_pending`] looks
//! for it in its target by the header `audit-replay-id`. So nothing is sent twice unawares, and
//! nothing is left out. One replay runs at a time in a database.

mod candidates;
mod error;
mod rate_limiter;
mod readers;
mod recover;
mod replayer;
mod send;

pub use candidates::{candidates, target_partitions};
pub use error::Error;
pub use readers::Readers;
pub use recover::RecoveredReplays;
pub use replayer::Replayer;
pub use send::{ReplayOptions, SendProgress};
