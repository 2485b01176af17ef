//! What a row of a file holds.

use super::error::Error;
use crate::store::{EventColumn, EventRow, SelectedColumn};
use crate::time::PostgresMicros;
use crate::value::Value;

/// The columns that are read, and which of them are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    selected: Vec<SelectedColumn>,
    written: Vec<usize>,
}

impl Columns {
    /// Those that are read, and the places of those that are written, in the order in which a file
    /// has them. A place that is not there writes nothing.
    pub fn new(selected: Vec<SelectedColumn>, mut written: Vec<usize>) -> Self {
        written.retain(|place| *place < selected.len());
        Self { selected, written }
    }

    /// What is read.
    pub fn selected(&self) -> &[SelectedColumn] {
        &self.selected
    }

    /// What is written.
    pub fn written(&self) -> impl Iterator<Item = &SelectedColumn> {
        self.written.iter().map(|place| &self.selected[*place])
    }

    /// The names of what is written.
    pub fn names(&self) -> Vec<String> {
        self.written().map(|column| column.name().to_owned()).collect()
    }

    /// The cells of a row that are written.
    ///
    /// # Errors
    /// `Error::Store` where the row holds something else.
    pub fn cells<'a>(&self, row: &'a EventRow) -> Result<Vec<Value<'a>>, Error> {
        let cell = |place: &usize| Ok(row.value(*place, &self.selected[*place])?);
        self.written.iter().map(cell).collect()
    }

    /// The value of a column; `NULL` where it is not read.
    ///
    /// # Errors
    /// `Error::Store` where the row holds something else.
    pub fn value<'a>(&self, row: &'a EventRow, column: EventColumn) -> Result<Value<'a>, Error> {
        match self.selected.iter().position(|selected| *selected == column.into()) {
            Some(place) => Ok(row.value(place, &self.selected[place])?),
            None => Ok(Value::Null),
        }
    }

    /// When the event happened, where that is read.
    ///
    /// # Errors
    /// `Error::Store` where the row holds something else.
    pub fn created_at(&self, row: &EventRow) -> Result<Option<PostgresMicros>, Error> {
        Ok(match self.value(row, EventColumn::CreatedAt)? {
            Value::Timestamp(time) => Some(time.time()),
            _ => None,
        })
    }
}
