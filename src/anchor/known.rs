//! Checkpoints that are known from before.

use crate::evidence::note::{Checkpoint, NoteError, VerifierKey};

/// A checkpoint of the log that was signed before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Where it is, in words: `in the database`, `in FILE`, `in topic TOPIC`.
    pub place: String,
    /// What it says.
    pub checkpoint: Checkpoint,
    /// Whether our own key signed it: what it covers was looked at then. One that another key
    /// signed has to fit as well.
    pub is_ours: bool,
}

impl Known {
    /// Reads a note.
    ///
    /// # Errors
    /// Where it is no checkpoint of the key's log, or its signature by this key is wrong.
    pub fn read(note: &[u8], key: &VerifierKey, place: String) -> Result<Self, NoteError> {
        match Checkpoint::verify(note, key) {
            Ok(checkpoint) => Ok(Self { place, checkpoint, is_ours: true }),
            Err(NoteError::OtherKeys(_)) => {
                let checkpoint = Checkpoint::read_unverified(note)?;
                Ok(Self { place, checkpoint, is_ours: false })
            }
            Err(error) => Err(error),
        }
    }
}
