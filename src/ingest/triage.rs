//! Finds the rows of a batch that PostgreSQL refuses, and quarantines them, so that the others can
//! be recorded.
//!
//! The decoders find nearly everything before the COPY. For what is left, runs of rows are copied
//! on trial and rolled back. PostgreSQL says in which line it stopped, so each row is tried about
//! twice, however many are refused.

use std::ops::Range;

use super::encoder::{EncodedBatch, Encoder};
use crate::store::{self, IdBlock, Writer};

/// How many rows are tried at once: what is sent behind a refused row was sent for nothing.
const RUN: usize = 1000;

/// Why the fault could not be isolated.
#[derive(Debug)]
pub(super) enum Failed {
    /// The connection broke, or something else than a row is refused.
    Interrupted(store::Error),
    /// Each row by itself is accepted.
    NothingFound(store::Error),
}

/// Replaces every row that PostgreSQL refuses by a quarantined one.
pub(super) async fn isolate(
    writer: &mut Writer,
    encoder: &Encoder,
    encoded: &mut EncodedBatch,
    ids: &IdBlock,
    error: store::Error,
) -> Result<(), Failed> {
    let mut refused = Vec::new();
    for start in (0..encoded.events.len()).step_by(RUN) {
        let end = encoded.events.len().min(start + RUN);
        find_refused(writer, encoded, ids, start..end, &mut refused)
            .await
            .map_err(Failed::Interrupted)?;
    }
    for (index, detail) in &refused {
        tracing::warn!(detail, "PostgreSQL refuses a record; it is quarantined");
        encoder.quarantine(encoded, *index, detail);
    }
    if refused.is_empty() {
        if encoded.dead_letters.is_empty() || encoded.dead_letters_are_bare {
            return Err(Failed::NothingFound(error));
        }
        tracing::warn!(%error, "PostgreSQL refuses what the headers of a dead letter say; only the raw ones are kept");
        encoder.strip_dead_letters(encoded);
    }
    Ok(())
}

async fn find_refused(
    writer: &mut Writer,
    encoded: &EncodedBatch,
    ids: &IdBlock,
    range: Range<usize>,
    refused: &mut Vec<(usize, String)>,
) -> Result<(), store::Error> {
    let mut ranges = vec![range];
    while let Some(range) = ranges.pop() {
        let error = match writer.try_events(&encoded.events, ids, range.clone()).await {
            Ok(()) => continue,
            Err(error) if error.is_refused_data() => error,
            Err(error) => return Err(error),
        };
        let (detail, line) = error.refused_row();
        match line.map(|line| range.start + line - 1).filter(|index| range.contains(index)) {
            Some(index) => {
                refused.push((index, detail));
                ranges.push(index + 1..range.end);
            }
            None if range.len() == 1 => refused.push((range.start, detail)),
            None => {
                let middle = range.start + range.len() / 2;
                ranges.extend([range.start..middle, middle..range.end]);
            }
        }
        ranges.retain(|range| !range.is_empty());
    }
    Ok(())
}
