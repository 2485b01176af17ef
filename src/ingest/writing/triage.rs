//! Finds the rows of a batch that PostgreSQL refuses, and quarantines them, so that the others can
//! be recorded.
//!
//! The decoders find nearly everything before the COPY. For what is left, runs of rows are copied
//! on trial and rolled back. PostgreSQL says in which line it stopped, so each row is tried about
//! twice, however many are refused.

use std::ops::Range;

use super::database::{BatchConnection, DatabaseError, Refusal};
use crate::ingest::batching::encoder::{EncodedBatch, Encoder};
use crate::ingest::error::Error;
use crate::store::IdBlock;

/// How many rows are tried at once. Few, because the rows after a refused one are sent again.
const RUN: usize = 1000;

/// Why a batch could not be repaired.
#[derive(Debug)]
pub(in crate::ingest) enum RepairError {
    /// The trials could not be finished: the connection broke, or a server is going down.
    Interrupted(DatabaseError),
    /// PostgreSQL refuses the batch, and nothing is left that could be changed in it.
    Unrepairable(Error),
}

/// A row that PostgreSQL refuses.
#[derive(Debug, PartialEq, Eq)]
struct RefusedRow {
    index: usize,
    /// What it says of the row.
    detail: String,
}

/// Replaces every row that PostgreSQL refuses by a quarantined one. Where it refuses none, what the
/// headers of the dead letters say must be the reason, and is left out.
pub(in crate::ingest) async fn repair(
    connection: &mut impl BatchConnection,
    encoder: &Encoder,
    batch: &mut EncodedBatch,
    ids: &IdBlock,
    refusal: Refusal,
) -> Result<(), RepairError> {
    let refused = find_refused(connection, batch, ids).await.map_err(RepairError::Interrupted)?;
    for RefusedRow { index, detail } in &refused {
        if batch.was_refused(*index) {
            let record = batch.name_of(*index);
            let detail = detail.clone();
            return Err(RepairError::Unrepairable(Error::QuarantineRefused { record, detail }));
        }
        tracing::warn!(detail, "PostgreSQL refuses a record; it is quarantined");
        encoder.quarantine(batch, *index, detail);
    }
    if refused.is_empty() {
        if !batch.has_dead_letter_origins() {
            return Err(RepairError::Unrepairable(Error::BatchRefused(refusal.error)));
        }
        tracing::warn!(
            error = %refusal.error,
            "PostgreSQL refuses what the headers of a dead letter say; only the raw ones are kept"
        );
        encoder.strip_dead_letters(batch);
    }
    Ok(())
}

async fn find_refused(
    connection: &mut impl BatchConnection,
    batch: &EncodedBatch,
    ids: &IdBlock,
) -> Result<Vec<RefusedRow>, DatabaseError> {
    let mut refused = Vec::new();
    for start in (0..batch.events.len()).step_by(RUN) {
        let end = batch.events.len().min(start + RUN);
        find_refused_in(connection, batch, ids, start..end, &mut refused).await?;
    }
    Ok(refused)
}

async fn find_refused_in(
    connection: &mut impl BatchConnection,
    batch: &EncodedBatch,
    ids: &IdBlock,
    run: Range<usize>,
    refused: &mut Vec<RefusedRow>,
) -> Result<(), DatabaseError> {
    let mut untried = vec![run];
    while let Some(range) = untried.pop() {
        let Refusal { detail, line, .. } =
            match connection.try_events(&batch.events, ids, range.clone()).await {
                Ok(()) => continue,
                Err(DatabaseError::Refused(refusal)) => refusal,
                Err(error) => return Err(error),
            };
        let index = line.and_then(|line| range.start.checked_add(line.checked_sub(1)?));
        match index.filter(|index| range.contains(index)) {
            // The rows before it were accepted.
            Some(index) => {
                refused.push(RefusedRow { index, detail });
                untried.push(index + 1..range.end);
            }
            None if range.len() == 1 => refused.push(RefusedRow { index: range.start, detail }),
            None => {
                let middle = range.start + range.len() / 2;
                untried.extend([range.start..middle, middle..range.end]);
            }
        }
        untried.retain(|range| !range.is_empty());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
