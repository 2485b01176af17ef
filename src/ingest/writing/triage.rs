//! Finds the rows of a batch that PostgreSQL refuses, and gives each a form that it accepts, so
//! that the batch can be recorded.
//!
//! The decoders find nearly everything before the COPY. What is left are indexes, constraints and
//! triggers that somebody added. The rows are copied on trial, all in one transaction that is
//! rolled back, so that a row is refused here for the same reasons as in the batch, its likeness
//! to an earlier row included.
//!
//! Nothing here repeats itself until it works: the walk goes forward through the rows, and each row
//! has a few forms, of which the last is the end.

use super::database::{BatchConnection, DatabaseError, Refusal, RowTrial};
use crate::ingest::batching::encoder::{EncodedBatch, Encoder};
use crate::ingest::batching::reduce::BatchTable;
use crate::ingest::error::Error;
use crate::store::IdBlock;

/// How many rows are tried at once, at most.
const LONGEST_RUN: usize = 1000;

/// Why a batch could not be repaired.
#[derive(Debug)]
pub(in crate::ingest) enum RepairError {
    /// The trial could not be finished: the connection broke, or a server is going down.
    Interrupted(DatabaseError),
    /// PostgreSQL refuses the batch, and nothing is left that could be changed in it; or a stop
    /// came first.
    Unrepairable(Error),
}

impl From<DatabaseError> for RepairError {
    fn from(error: DatabaseError) -> Self {
        Self::Interrupted(error)
    }
}

/// What repairing a batch needs.
pub(in crate::ingest) struct Repair<'a> {
    pub(in crate::ingest) encoder: &'a Encoder,
    pub(in crate::ingest) ids: &'a IdBlock,
    /// Whether there is no time left to go on. Asked before each trial.
    pub(in crate::ingest) is_over: &'a (dyn Fn() -> bool + Sync),
}

/// The rows that were refused, for the log: all are counted, the first is named.
#[derive(Debug, Default)]
struct RefusedRows {
    count: usize,
    first: Option<(String, String)>,
}

impl Repair<'_> {
    /// Gives every row that PostgreSQL refuses a form that it accepts: quarantined, and down to a
    /// row of sizes; a dead letter without what its headers say.
    pub(in crate::ingest) async fn run(
        &self,
        connection: &mut impl BatchConnection,
        batch: &mut EncodedBatch,
        refusal: Refusal,
    ) -> Result<(), RepairError> {
        let mut trial = connection.begin_trial().await?;
        let events = self.walk(&mut trial, batch, BatchTable::Events).await?;
        let dead_letters = self.walk(&mut trial, batch, BatchTable::DeadLetters).await?;
        if events.count + dead_letters.count == 0 {
            return Err(RepairError::Unrepairable(Error::BatchRefused(refusal.error)));
        }
        if let Some((first, detail)) = events.first {
            let rows = events.count;
            tracing::warn!(rows, first, detail, "PostgreSQL refuses records; they are quarantined");
        }
        if let Some((first, detail)) = dead_letters.first {
            tracing::warn!(
                rows = dead_letters.count,
                first,
                detail,
                "PostgreSQL refuses what the headers of dead letters say; only the raw ones are kept"
            );
        }
        Ok(())
    }

    /// Tries all rows of a table, from the first to the last.
    async fn walk(
        &self,
        trial: &mut impl RowTrial,
        batch: &mut EncodedBatch,
        table: BatchTable,
    ) -> Result<RefusedRows, RepairError> {
        let mut refused = RefusedRows::default();
        let count = batch.rows_of(table).len();
        let (mut position, mut run) = (0, LONGEST_RUN);
        // The row before which the server stopped, and what it said of it.
        let mut found: Option<(usize, String)> = None;
        // Each turn accepts rows, settles one, or halves the run.
        while position < count {
            if let Some((_, detail)) = found.take_if(|(index, _)| *index == position) {
                let name = batch.name_of(batch.event_of(table, position));
                tracing::debug!(record = name, detail, "PostgreSQL refuses a row");
                self.settle(trial, batch, table, position, &detail).await?;
                refused.count += 1;
                refused.first.get_or_insert((name, detail));
                position += 1;
                run = 1;
                continue;
            }
            let end = match &found {
                Some((index, _)) => *index,
                None => count.min(position + run),
            };
            self.check_time()?;
            match trial.add(batch.trial_rows(table, self.ids), position..end).await {
                Ok(()) => {
                    position = end;
                    run = (run * 2).min(LONGEST_RUN);
                }
                Err(DatabaseError::Refused(Refusal { detail, line, .. })) => {
                    let index = line.and_then(|line| position.checked_add(line.checked_sub(1)?));
                    match index.filter(|index| (position..end).contains(index)) {
                        Some(index) => found = Some((index, detail)),
                        None if end - position == 1 => found = Some((position, detail)),
                        None => (found, run) = (None, (end - position) / 2),
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(refused)
    }

    /// Gives a refused row one form after the other, until one is accepted or none is left.
    async fn settle(
        &self,
        trial: &mut impl RowTrial,
        batch: &mut EncodedBatch,
        table: BatchTable,
        index: usize,
        detail: &str,
    ) -> Result<(), RepairError> {
        let mut last_detail = detail.to_owned();
        while self.encoder.reduce(batch, table, index, detail, self.ids) {
            self.check_time()?;
            match trial.add(batch.trial_rows(table, self.ids), index..index + 1).await {
                Ok(()) => return Ok(()),
                Err(DatabaseError::Refused(Refusal { detail, .. })) => last_detail = detail,
                Err(error) => return Err(error.into()),
            }
        }
        let record = batch.name_of(batch.event_of(table, index));
        Err(RepairError::Unrepairable(match table {
            BatchTable::Events => Error::QuarantineRefused { record, detail: last_detail },
            BatchTable::DeadLetters => Error::DeadLetterRefused { record, detail: last_detail },
        }))
    }

    fn check_time(&self) -> Result<(), RepairError> {
        if (self.is_over)() {
            return Err(RepairError::Unrepairable(Error::StoppedEarly));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
