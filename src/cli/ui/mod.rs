//! The one way out to a person: stdout, stderr, colour, pager, progress, log, exit codes.

pub(crate) mod closed_pipe;
pub(crate) mod failure;
pub(crate) mod log;
pub(crate) mod pager;
pub(crate) mod signals;
pub(crate) mod stdout_thread;
pub(crate) mod terminal;
