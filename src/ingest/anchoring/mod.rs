//! Checkpoints of the log of evidence, signed beside the recording, which never waits for them.

mod beside;

pub(super) use beside::{finish, keep_on};
