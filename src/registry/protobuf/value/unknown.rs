//! Fields that the schema does not have: their bytes, by the path of the message that held them.

use crate::event::{Reason, Unreadable};

use super::place::Place;

/// The most bytes of unknown fields and their paths.
const MAX_BYTES: usize = 64 << 20;

/// The least that a message with unknown fields counts, so that many small ones stay bounded.
const BYTES_OF_EACH: usize = 64;

/// The unknown fields of a value.
#[derive(Debug, Default)]
pub(super) struct UnknownFields {
    found: Vec<(String, Vec<u8>)>,
    bytes: usize,
}

/// How many there were.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    found: usize,
    bytes: usize,
}

impl UnknownFields {
    /// All of them.
    pub(super) fn finish(self) -> Vec<(String, Vec<u8>)> {
        self.found
    }

    /// Begins with those of another message.
    pub(super) fn begin(&mut self, place: &Place<'_>) -> Result<(), Unreadable> {
        let path = place.path();
        self.count(path.len() + BYTES_OF_EACH)?;
        self.found.push((path, Vec::new()));
        Ok(())
    }

    /// Appends a field with its tag to the message that was begun last.
    pub(super) fn add(&mut self, bytes: &[u8]) -> Result<(), Unreadable> {
        self.count(bytes.len())?;
        if let Some((_, fields)) = self.found.last_mut() {
            fields.extend_from_slice(bytes);
        }
        Ok(())
    }

    /// A point to go back to.
    pub(super) fn mark(&self) -> Mark {
        Mark { found: self.found.len(), bytes: self.bytes }
    }

    /// Forgets all that was found since.
    pub(super) fn go_back(&mut self, mark: Mark) {
        self.found.truncate(mark.found);
        self.bytes = mark.bytes;
    }

    fn count(&mut self, bytes: usize) -> Result<(), Unreadable> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > MAX_BYTES {
            let reason = Reason::TooLarge;
            let detail = format!(
                "{}: fields that the schema does not have are more than 64 MiB",
                reason.describe()
            );
            return Err(Unreadable { reason, detail });
        }
        Ok(())
    }
}
