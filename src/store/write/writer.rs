//! One batch is one transaction: fence, counts, COPY, ledger and log, NOTIFY, COMMIT.

use std::collections::HashMap;
use std::ops::Range;
use std::time::Duration;

use futures_util::future::{try_join_all, try_join3};
use futures_util::{SinkExt, pin_mut};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Statement, Transaction};

use super::batch::{Batch, BatchStatus, IdBlock, OffsetRange, Roots, Written};
use super::copy_buffer::CopyBuffer;
use super::{event_counts, evidence_log, ledger_entry};
use crate::count_text::counted_with;
use crate::store::connection::parameters::Settings;
use crate::store::connection::session::Session;
use crate::store::error::Error;

/// The columns of `event_logs` in the order in which a batch's rows hold them.
const EVENT_COLUMNS: &str = "id, event_id, event_type, aggregate_id, source_service, is_dlt, payload, created_at, \
                             partition_id, kafka_offset, correlation_id, attributes";
/// The number of columns of an event's row.
pub const EVENT_COLUMN_COUNT: u16 = 12;

const DEAD_LETTER_COLUMNS: &str = "event_log_id, key, value, headers, origin_topic, origin_source, origin_partition, \
                                   origin_offset, origin_timestamp, consumer_group, exception_class, exception_message, \
                                   stack_trace, attempts, replay_id, replay_attempt";
/// The number of columns of a dead letter's row.
pub const DEAD_LETTER_COLUMN_COUNT: u16 = 16;

/// A connection that writes batches.
pub struct Writer {
    session: Session,
    fence: Statement,
    enter: Statement,
    counts: Statement,
    ledger: Statement,
}

impl Writer {
    /// Connects. If this process freezes in the middle of a batch, the server ends the session
    /// after 20 s, and with it the lock on the ledger's head.
    ///
    /// # Errors
    /// `Error::Connect`, `Error::Query`; `Error::Encoding`, `Error::Copy` and `Error::Standby`
    /// where the database must not or can't be written to.
    pub async fn connect(settings: &Settings, application: &str) -> Result<Self, Error> {
        let session = Session::connect(settings, application).await?;
        session.home().await?.check_writable(settings)?;
        let failed = || Error::query("preparing the statements of a batch");
        let client = session.client();
        client
            .batch_execute(
                "SET idle_in_transaction_session_timeout = '20s'; SET synchronous_commit = on",
            )
            .await
            .map_err(failed())?;
        let fence = client
            .prepare(
                "UPDATE kafka_partitions SET next_offset = $4 WHERE partition_id = $1 AND epoch = $2 AND next_offset = $3",
            )
            .await
            .map_err(failed())?;
        let enter = client.prepare("SELECT enter_event_log_leaf($1)").await.map_err(failed())?;
        let counts = event_counts::prepare(client).await.map_err(failed())?;
        let ledger = ledger_entry::prepare(client).await.map_err(failed())?;
        let mut writer = Self { session, fence, enter, counts, ledger };
        evidence_log::begin(writer.session.client_mut()).await?;
        Ok(writer)
    }

    /// Whether the connection is known to be broken.
    pub fn is_closed(&self) -> bool {
        self.session.client().is_closed()
    }

    /// Reserves consecutive ids in one leaf. Ids that are not used stay unused: a gap in the ids
    /// means nothing.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn reserve_ids(&self, count: usize) -> Result<IdBlock, Error> {
        let count = i32::try_from(count).unwrap_or(i32::MAX);
        let sql = "SELECT first_id, leaf FROM reserve_event_log_ids($1)";
        self.session
            .row("reserving ids", sql, &[(&count, Type::INT4)], |row| {
                Ok(IdBlock { first_id: row.try_get(0)?, leaf: row.try_get(1)? })
            })
            .await
    }

    /// Makes the leaf that will hold the ids `ahead` after `id`, unless it exists.
    ///
    /// # Errors
    /// `Error::Query`; transient where something holds a lock on the table for longer than 2 s.
    pub async fn make_leaf_ahead(&mut self, id: i64) -> Result<(), Error> {
        let failed = || Error::query("making the next partition of event_logs");
        let transaction = self.session.client_mut().transaction().await.map_err(failed())?;
        transaction.batch_execute("SET LOCAL lock_timeout = '2s'").await.map_err(failed())?;
        transaction
            .execute("SELECT ensure_event_log_leaf($1 + event_log_leaf_size())", &[&id])
            .await
            .map_err(failed())?;
        transaction.commit().await.map_err(failed())
    }

    /// Writes a batch. `roots` are awaited when its rows are copied: they can be computed
    /// meanwhile. After an error its outcome is unknown: ask [`Writer::status`] before writing it
    /// again.
    ///
    /// # Errors
    /// `Error::Query`, and what `roots` gives.
    pub async fn write(
        &mut self,
        batch: &Batch<'_>,
        roots: impl Future<Output = Result<Roots, Error>>,
    ) -> Result<Written, Error> {
        let begin = Error::query("beginning a batch");
        let transaction = self.session.client_mut().transaction().await.map_err(begin)?;
        // Sent together: the counts wait for nobody, and the ledger's head is not locked yet.
        let fence = pass_fence(&transaction, &self.fence, batch.ranges);
        let leaf = batch.events.map(|(_, ids)| ids.leaf.as_str());
        let enter = enter_leaf(&transaction, &self.enter, leaf);
        let counts = event_counts::add_counts(&transaction, &self.counts, batch.counts);
        let (has_passed, is_open, ()) = try_join3(fence, enter, counts).await?;
        if !has_passed || !is_open {
            transaction.rollback().await.map_err(Error::query("rolling back a batch"))?;
            return Ok(if has_passed { Written::LeafClosed } else { Written::Fenced });
        }
        if let Some((rows, ids)) = batch.events {
            copy_events(&transaction, &ids.leaf, rows, 0..rows.len()).await?;
        }
        if !batch.dead_letters.is_empty() {
            let count = batch.dead_letters.len();
            copy_dead_letters(&transaction, batch.dead_letters, 0..count).await?;
        }
        let roots = roots.await?;
        let batch_no = ledger_entry::enter(&transaction, &self.ledger, batch, roots).await?;
        transaction.commit().await.map_err(Error::query("committing a batch"))?;
        Ok(Written::Committed(batch_no))
    }

    /// Finds out what became of a batch after an error. Under our own epoch nobody else can move
    /// `next_offset`.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn status(&self, ranges: &[OffsetRange]) -> Result<BatchStatus, Error> {
        let ids: Vec<i32> = ranges.iter().map(|range| range.partition_id).collect();
        let sql = "SELECT partition_id, epoch, next_offset FROM kafka_partitions
                    WHERE partition_id = ANY ($1)";
        let values = [(&ids as &(dyn ToSql + Sync), Type::INT4_ARRAY)];
        let standing: HashMap<i32, (i64, i64)> = self
            .session
            .rows("finding out what became of a batch", sql, &values, |row| {
                Ok((row.try_get(0)?, (row.try_get(1)?, row.try_get(2)?)))
            })
            .await?
            .into_iter()
            .collect();
        let mut recorded = true;
        for range in ranges {
            match standing.get(&range.partition_id).copied() {
                Some((epoch, next)) if epoch == range.epoch && next == range.next_offset => {}
                Some((epoch, next)) if epoch == range.epoch && next == range.first_offset => {
                    recorded = false;
                }
                _ => return Ok(BatchStatus::Superseded),
            }
        }
        Ok(if recorded { BatchStatus::Recorded } else { BatchStatus::Open })
    }

    /// Begins a trial: rows are copied as a batch would, and nothing of it stays.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn begin_trial(&mut self) -> Result<Trial<'_>, Error> {
        let begin = Error::query("beginning a trial");
        Ok(Trial { transaction: self.session.client_mut().transaction().await.map_err(begin)? })
    }
}

/// Tells which rows PostgreSQL refuses. What it accepted counts for what is tried after it, as it
/// does in a batch. Rolled back when it is dropped.
pub struct Trial<'a> {
    transaction: Transaction<'a>,
}

impl Trial<'_> {
    /// Copies some rows of a batch. After an error the trial goes on as if they had not been tried.
    ///
    /// # Errors
    /// `Error::Query` with what PostgreSQL said of the rows.
    pub async fn add(&mut self, rows: TrialRows<'_>, range: Range<usize>) -> Result<(), Error> {
        const MARK: &str = "SAVEPOINT tried";
        const FORGET: &str = "ROLLBACK TO SAVEPOINT tried; RELEASE SAVEPOINT tried";
        const KEEP: &str = "RELEASE SAVEPOINT tried";
        let failed = || Error::query("trying rows");
        self.transaction.batch_execute(MARK).await.map_err(failed())?;
        let outcome = match rows {
            TrialRows::Events(rows, ids) => {
                copy_events(&self.transaction, &ids.leaf, rows, range).await
            }
            TrialRows::DeadLetters(rows) => copy_dead_letters(&self.transaction, rows, range).await,
        };
        let after = if outcome.is_ok() { KEEP } else { FORGET };
        self.transaction.batch_execute(after).await.map_err(failed())?;
        outcome
    }
}

/// Rows of a batch that are tried.
#[derive(Debug, Clone, Copy)]
pub enum TrialRows<'a> {
    /// Rows of `event_logs`, and their ids.
    Events(&'a CopyBuffer, &'a IdBlock),
    /// Rows of `dead_letters`.
    DeadLetters(&'a CopyBuffer),
}

/// Moves `next_offset` of every partition, in the order of their ids. The updates are sent without
/// waiting for each other.
async fn pass_fence(
    transaction: &Transaction<'_>,
    fence: &Statement,
    ranges: &[OffsetRange],
) -> Result<bool, Error> {
    let parameters: Vec<[&(dyn ToSql + Sync); 4]> = ranges
        .iter()
        .map(|range| -> [&(dyn ToSql + Sync); 4] {
            [&range.partition_id, &range.epoch, &range.first_offset, &range.next_offset]
        })
        .collect();
    let updates = parameters.iter().map(|parameters| transaction.execute(fence, parameters));
    let moved = try_join_all(updates).await.map_err(Error::query("fencing a batch"))?;
    Ok(moved.iter().all(|count| *count == 1))
}

async fn copy_events(
    transaction: &Transaction<'_>,
    leaf: &str,
    rows: &CopyBuffer,
    range: Range<usize>,
) -> Result<(), Error> {
    // The name comes from reserve_event_log_ids, which makes it of digits.
    copy(transaction, &format!("COPY {leaf} ({EVENT_COLUMNS}) FROM STDIN BINARY"), rows, range)
        .await
}

async fn copy_dead_letters(
    transaction: &Transaction<'_>,
    rows: &CopyBuffer,
    range: Range<usize>,
) -> Result<(), Error> {
    let statement = format!("COPY dead_letters ({DEAD_LETTER_COLUMNS}) FROM STDIN BINARY");
    copy(transaction, &statement, rows, range).await
}

async fn copy(
    transaction: &Transaction<'_>,
    statement: &str,
    rows: &CopyBuffer,
    range: Range<usize>,
) -> Result<(), Error> {
    let failed = || Error::query("copying rows");
    let expected = range.len() as u64;
    let sink = transaction.copy_in(statement).await.map_err(failed())?;
    pin_mut!(sink);
    for chunk in rows.chunks(range) {
        sink.feed(chunk).await.map_err(failed())?;
    }
    let copied = sink.finish().await.map_err(failed())?;
    if copied != expected {
        return Err(Error::Protocol(format!(
            "{} copied where {expected} were sent",
            counted_with(copied, "row", ["was", "were"])
        )));
    }
    Ok(())
}

/// Whether the rows may enter the leaf. While the transaction goes on, it is not closed.
async fn enter_leaf(
    transaction: &Transaction<'_>,
    enter: &Statement,
    leaf: Option<&str>,
) -> Result<bool, Error> {
    let Some(leaf) = leaf else { return Ok(true) };
    let entered = transaction.query_one(enter, &[&leaf]).await;
    entered.and_then(|row| row.try_get(0)).map_err(Error::query("entering a leaf of event_logs"))
}

/// How long a broken connection is left alone before the next attempt: 0.1 s, doubling up to 5 s.
pub fn back_off(attempt: u32) -> Duration {
    Duration::from_millis(100 << attempt.min(6)).min(Duration::from_secs(5))
}
