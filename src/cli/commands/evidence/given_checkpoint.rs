//! Checkpoints that are named on the command line.

use std::path::Path;

use crate::cli::shared::{input_name, read_input};
use crate::cli::ui::Failure;
use crate::evidence::note::Checkpoint;

/// A checkpoint, and the note that it is read of.
pub(super) struct GivenCheckpoint {
    /// What it says, whoever signed it.
    pub(super) checkpoint: Checkpoint,
    /// The signed note.
    pub(super) note: String,
}

/// Reads a checkpoint, whoever signed it: whoever checks what is made of it has the key.
pub(super) fn given_checkpoint(path: &Path) -> Result<GivenCheckpoint, Failure> {
    let note = read_input(path, "name a file that `audit evidence checkpoint` wrote")?;
    let checkpoint = Checkpoint::read_unverified(&note)
        .map_err(|error| Failure::new(error.to_string()).in_file(input_name(path).as_ref()))?;
    // A note is UTF-8, or it can't be read.
    Ok(GivenCheckpoint { checkpoint, note: String::from_utf8_lossy(&note).into_owned() })
}
