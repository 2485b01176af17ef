//! Checkpoints that are signed beside the recording.
