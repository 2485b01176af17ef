//! What a batch adds to `event_counts`, and what is done to them afterwards.

use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Statement, Transaction};

use crate::ledger::{CountKey, KeyCount};
use crate::store::connection::session::Session;
use crate::store::error::Error;
use crate::time::PostgresMicros;

/// How many rows of a batch have the same key, a place in each list for each key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventCounts<'a> {
    /// The hour of `created_at`, UTC.
    pub hours: Vec<PostgresMicros>,
    /// `event_type`.
    pub event_types: Vec<&'a str>,
    /// `source_service`.
    pub source_services: Vec<Option<&'a str>>,
    /// `partition_id`.
    pub partition_ids: Vec<i32>,
    /// `is_dlt`.
    pub is_dlt: Vec<bool>,
    /// How many rows have this key.
    pub events: Vec<i64>,
    /// The lowest `created_at` among them.
    pub first_at: Vec<PostgresMicros>,
    /// The highest `created_at` among them.
    pub last_at: Vec<PostgresMicros>,
}

impl<'a> EventCounts<'a> {
    /// Adds a key.
    pub fn push(&mut self, key: CountKey<'a>, count: KeyCount) {
        self.hours.push(key.hour);
        self.event_types.push(key.event_type);
        self.source_services.push(key.source_service);
        self.partition_ids.push(key.partition_id);
        self.is_dlt.push(key.is_dlt);
        self.events.push(count.events);
        self.first_at.push(count.first_at);
        self.last_at.push(count.last_at);
    }
}

/// Prepares what [`add_counts`] runs.
pub(super) async fn prepare(client: &Client) -> Result<Statement, tokio_postgres::Error> {
    client
        .prepare(
            "INSERT INTO event_counts (hour, event_type, source_service, partition_id, is_dlt, events, first_at, last_at)
             SELECT * FROM unnest($1::timestamp[], $2::varchar[], $3::varchar[], $4::int[], $5::boolean[], $6::bigint[],
                                  $7::timestamp[], $8::timestamp[])",
        )
        .await
}

/// Adds the counts of a batch within its transaction. Nothing is locked by it that another batch
/// could wait for.
pub(super) async fn add_counts(
    transaction: &Transaction<'_>,
    statement: &Statement,
    counts: Option<&EventCounts<'_>>,
) -> Result<(), Error> {
    let Some(counts) = counts.filter(|counts| !counts.hours.is_empty()) else { return Ok(()) };
    let columns: [&(dyn ToSql + Sync); 8] = [
        &counts.hours,
        &counts.event_types,
        &counts.source_services,
        &counts.partition_ids,
        &counts.is_dlt,
        &counts.events,
        &counts.first_at,
        &counts.last_at,
    ];
    let added = transaction.execute(statement, &columns).await;
    added.map(drop).map_err(Error::query("counting the events of a batch"))
}

/// What is done to the counts beside the writing of batches, piece by piece. Each piece is a
/// transaction of its own, which holds nothing up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CountingStep {
    /// Counts the rows of batches that did not count themselves.
    Fill,
    /// Looks for deliveries of events that were there before.
    FindDuplicates,
    /// Adds up what batches added, so that a key has few rows.
    Merge,
}

/// Has the session commit without waiting for the disk. What a crash of the server forgets of
/// counting is done again.
///
/// # Errors
/// `Error::Query`.
pub async fn commit_without_waiting(session: &Session) -> Result<(), Error> {
    session.execute("preparing to count events", "SET synchronous_commit = off", &[]).await
}

/// Does one piece of about `most_rows` rows, and returns how many it was: 0 where nothing is left,
/// `None` where another session is at it.
///
/// # Errors
/// `Error::Query`.
pub async fn count_piece(
    session: &Session,
    step: CountingStep,
    most_rows: i64,
) -> Result<Option<i64>, Error> {
    let (what, sql) = match step {
        CountingStep::Fill => ("counting recorded events", "SELECT fill_event_counts($1)"),
        CountingStep::FindDuplicates => {
            ("looking for duplicate deliveries", "SELECT find_duplicate_deliveries($1)")
        }
        CountingStep::Merge => ("merging the counts of events", "SELECT merge_event_counts($1)"),
    };
    session.row(what, sql, &[(&most_rows, Type::INT8)], |row| row.try_get(0)).await
}
