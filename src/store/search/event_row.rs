//! A row that a query of events selected.

use tokio_postgres::Row;

use super::event_column::EventColumn;
use super::selected_column::SelectedColumn;
use crate::event::Mark;
use crate::store::error::Error;
use crate::value::Value;

/// A row of some columns: those that its query selected, in their order. A row of all columns is a
/// [`StoredEvent`](crate::store::StoredEvent).
#[derive(Debug)]
pub struct EventRow(pub(in crate::store) Row);

impl EventRow {
    /// The value of `column`, which the query selected at position `index`.
    ///
    /// # Errors
    /// `Error::Column` where the row holds something else there.
    pub fn value(&self, index: usize, column: &SelectedColumn) -> Result<Value<'_>, Error> {
        column
            .value(&self.0, index)
            .map_err(|source| Error::Column { column: column.name().to_owned(), source })
    }

    /// The value of [`EventColumn::Mark`], which the query selected at position `index`.
    ///
    /// # Errors
    /// `Error::Column` where the row holds something else there.
    pub fn mark(&self, index: usize) -> Result<Mark, Error> {
        self.0
            .try_get(index)
            .map_err(|source| Error::Column { column: EventColumn::Mark.name().to_owned(), source })
    }
}
