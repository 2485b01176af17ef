//! Processes that end with the sandbox, however it ends.

mod guardian;
mod running;

pub(crate) use guardian::{Guardian, short_id};
pub(crate) use running::LOOK_EVERY;
pub use running::Process;
