//! Anchors the log of evidence: signs checkpoints of it, and puts them where whoever owns the
//! database can't change them.
//!
//! Nothing is signed that does not go on from the last checkpoint that is known: of the database,
//! of the file and of the topic that checkpoints go to.

mod begin_anew;
mod checked_log;
mod checkpoint_file;
mod checkpoint_topic;
mod error;
mod known;
mod sign;

pub use begin_anew::{Restart, begin_anew};
pub use checked_log::{CheckedLog, check_log};
pub use checkpoint_file::read_checkpoint;
pub use error::{Error, Refusal};
pub use known::Known;
pub use sign::{Anchor, Publish, Signed, check_key};
