//! The root over the rows of a batch, made of the very bytes that COPY sends.

use super::copy_buffer::CopyBuffer;
use crate::evidence::canonical::RowForm;
use crate::evidence::tree::{RootBuilder, leaf_hash};
use crate::evidence::{CanonicalError, Hash};

/// The root over rows of `event_logs` that have their ids, and the rows of `dead_letters` of some
/// of them: of those whose places `dead_letter_rows` names, in their order.
///
/// # Errors
/// [`CanonicalError`] where a row is not what the encoder makes.
pub fn row_root(
    events: &CopyBuffer,
    dead_letters: &CopyBuffer,
    dead_letter_rows: &[usize],
) -> Result<Hash, CanonicalError> {
    let mut root = RootBuilder::default();
    let mut form = RowForm::default();
    let mut letters = dead_letter_rows.iter().zip(0..).peekable();
    for index in 0..events.len() {
        let letter = letters.next_if(|(row, _)| **row == index);
        let letter = letter.map(|(_, place)| dead_letters.row(place));
        root.push(leaf_hash(form.of(events.row(index), letter)?));
    }
    Ok(root.root())
}
