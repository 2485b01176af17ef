//! What a lane needs of the database that it writes to, and what its errors mean to a lane.

use crate::store::{
    self, Batch, BatchStatus, IdBlock, OffsetRange, Roots, Trial, TrialRows, Writer, Written,
};
use std::ops::Range;

/// Why the database did not do what it was asked for.
#[derive(Debug)]
pub(in crate::ingest) enum DatabaseError {
    /// It refuses a row for what the row holds.
    Refused(Refusal),
    /// Trying again later can help.
    Transient(store::Error),
    /// Trying again does not help.
    Fatal(store::Error),
}

/// What the database says of a row that it refuses.
#[derive(Debug)]
pub(in crate::ingest) struct Refusal {
    /// The server's own words, and the SQLSTATE.
    pub(in crate::ingest) detail: String,
    /// The line of the COPY that the row is in, where the server names it. The first is 1.
    pub(in crate::ingest) line: Option<usize>,
    pub(in crate::ingest) error: store::Error,
}

impl From<store::Error> for DatabaseError {
    fn from(error: store::Error) -> Self {
        if error.is_refused_data() {
            let (detail, line) = error.refused_row();
            Self::Refused(Refusal { detail, line, error })
        } else if error.is_transient() {
            Self::Transient(error)
        } else {
            Self::Fatal(error)
        }
    }
}

/// A database that batches are written to.
pub(in crate::ingest) trait Database: Send + Sync {
    /// A connection to it.
    type Connection: BatchConnection;

    /// Connects.
    fn connect(&self) -> impl Future<Output = Result<Self::Connection, DatabaseError>> + Send;
}

/// A connection that writes batches. [`Writer`] describes what each of these does.
pub(in crate::ingest) trait BatchConnection: Send {
    /// A trial on it.
    type Trial<'a>: RowTrial
    where
        Self: 'a;

    fn is_closed(&self) -> bool;

    fn reserve_ids(
        &mut self,
        count: usize,
    ) -> impl Future<Output = Result<IdBlock, DatabaseError>> + Send;

    fn make_leaf_ahead(
        &mut self,
        id: i64,
    ) -> impl Future<Output = Result<(), DatabaseError>> + Send;

    fn write(
        &mut self,
        batch: &Batch<'_>,
        roots: impl Future<Output = Result<Roots, store::Error>> + Send,
    ) -> impl Future<Output = Result<Written, DatabaseError>> + Send;

    fn status(
        &mut self,
        ranges: &[OffsetRange],
    ) -> impl Future<Output = Result<BatchStatus, DatabaseError>> + Send;

    fn begin_trial(
        &mut self,
    ) -> impl Future<Output = Result<Self::Trial<'_>, DatabaseError>> + Send;
}

/// Rows that are copied on trial. [`Trial`] describes it.
pub(in crate::ingest) trait RowTrial: Send {
    fn add(
        &mut self,
        rows: TrialRows<'_>,
        range: Range<usize>,
    ) -> impl Future<Output = Result<(), DatabaseError>> + Send;
}

/// The audit database.
#[derive(Debug)]
pub(in crate::ingest) struct AuditDatabase {
    pub(in crate::ingest) settings: store::Settings,
    /// The name of its sessions in `pg_stat_activity`.
    pub(in crate::ingest) application: String,
}

impl Database for AuditDatabase {
    type Connection = Writer;

    async fn connect(&self) -> Result<Writer, DatabaseError> {
        Ok(Writer::connect(&self.settings, &self.application).await?)
    }
}

impl BatchConnection for Writer {
    type Trial<'a> = Trial<'a>;

    fn is_closed(&self) -> bool {
        Self::is_closed(self)
    }

    async fn reserve_ids(&mut self, count: usize) -> Result<IdBlock, DatabaseError> {
        Ok(Self::reserve_ids(self, count).await?)
    }

    async fn make_leaf_ahead(&mut self, id: i64) -> Result<(), DatabaseError> {
        Ok(Self::make_leaf_ahead(self, id).await?)
    }

    async fn write(
        &mut self,
        batch: &Batch<'_>,
        roots: impl Future<Output = Result<Roots, store::Error>> + Send,
    ) -> Result<Written, DatabaseError> {
        Ok(Self::write(self, batch, roots).await?)
    }

    async fn status(&mut self, ranges: &[OffsetRange]) -> Result<BatchStatus, DatabaseError> {
        Ok(Self::status(self, ranges).await?)
    }

    async fn begin_trial(&mut self) -> Result<Trial<'_>, DatabaseError> {
        Ok(Self::begin_trial(self).await?)
    }
}

impl RowTrial for Trial<'_> {
    async fn add(&mut self, rows: TrialRows<'_>, range: Range<usize>) -> Result<(), DatabaseError> {
        Ok(Self::add(self, rows, range).await?)
    }
}
