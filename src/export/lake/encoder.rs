//! Makes columns of rows.

use std::borrow::Cow;

use lake::column::{Column, Kind, Storage};
use lake::rows::{Limits, Rows as LakeRows, RowsBuilder};

use super::columns::lake_columns;
use crate::export::columns::Columns;
use crate::export::error::Error;
use crate::export::hive::{KeyNotes, Keys, PartitionBy};
use crate::export::lookups::Lookups;
use crate::export::reading::Encoder;
use crate::export::rows::Rows;
use crate::store::{EventColumn, EventRow};
use crate::time::{Timestamp, timestamp_text};
use crate::value::Value;

/// Rows as columns.
pub(in crate::export) struct ColumnRows {
    rows: LakeRows,
    keys: Option<Keys>,
}

impl ColumnRows {
    /// The rows.
    pub(in crate::export) fn rows(&self) -> &LakeRows {
        &self.rows
    }
}

impl Rows for ColumnRows {
    fn len(&self) -> usize {
        self.rows.len()
    }

    fn keys(&self) -> Option<&Keys> {
        self.keys.as_ref()
    }
}

/// Makes columns of rows.
pub(in crate::export) struct LakeEncoder {
    columns: Columns,
    lake_columns: Vec<Column>,
    /// What cannot hold a value, in errors.
    format: &'static str,
    builder: RowsBuilder,
    notes: Option<KeyNotes>,
}

impl LakeEncoder {
    pub(in crate::export) fn new(
        columns: &Columns,
        storage: Storage,
        by: Option<PartitionBy>,
    ) -> Self {
        let lake_columns = lake_columns(columns);
        Self {
            columns: columns.clone(),
            format: match storage {
                Storage::Parquet => "Parquet",
                Storage::Delta => "Delta Lake",
            },
            builder: RowsBuilder::with_limits(&lake_columns, storage, limits()),
            lake_columns,
            notes: by.map(KeyNotes::new),
        }
    }

    /// Adds a value to column `place`.
    fn push(&mut self, place: usize, kind: Kind, value: &Value<'_>) -> Result<bool, Error> {
        let builder = &mut self.builder;
        match (kind, value) {
            (_, Value::Null) => builder.push_null(place)?,
            (Kind::Integer | Kind::SmallInteger, Value::Integer(number)) => {
                builder.push_integer(place, *number)?;
            }
            (Kind::Boolean, Value::Boolean(value)) => builder.push_boolean(place, *value)?,
            (Kind::Uuid, Value::Uuid(uuid)) => builder.push_uuid(place, *uuid)?,
            (Kind::Json, Value::Json(json)) => builder.push_json(place, json)?,
            (Kind::Moment, Value::Timestamp(time)) => match time.time().to_unix() {
                Some(micros) => builder.push_moment(place, micros.0)?,
                None => return Ok(false),
            },
            (Kind::Text, value) => match text(value) {
                Some(text) => builder.push_text(place, &text)?,
                None => return Ok(false),
            },
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The error of a value that a column can't hold.
    fn unfit(&self, row: &EventRow, place: usize, value: &Value<'_>) -> Error {
        let id = match self.columns.value(row, EventColumn::Id) {
            Ok(Value::Integer(id)) => id,
            _ => 0,
        };
        Error::Unfit {
            id,
            column: self.lake_columns[place].name.clone(),
            value: shown(value),
            format: self.format,
        }
    }
}

impl Encoder for LakeEncoder {
    type Rows = ColumnRows;

    fn row(&mut self, row: &EventRow, lookups: &Lookups) -> Result<(), Error> {
        for (place, value) in self.columns.cells(row, lookups)?.iter().enumerate() {
            let kind = self.lake_columns[place].kind;
            if !self.push(place, kind, value)? {
                return Err(self.unfit(row, place, value));
            }
        }
        match &mut self.notes {
            Some(notes) => notes.row(&self.columns, row),
            None => Ok(()),
        }
    }

    fn is_full(&self) -> bool {
        self.builder.is_full()
    }

    fn take(&mut self) -> Result<Option<ColumnRows>, Error> {
        if self.builder.rows() == 0 {
            return Ok(None);
        }
        let rows = self.builder.finish()?;
        Ok(Some(ColumnRows { rows, keys: self.notes.as_mut().map(KeyNotes::take) }))
    }
}

/// Small chunks: several of each session wait for their turn.
fn limits() -> Limits {
    Limits { bytes: 2 << 20, ..Limits::default() }
}

/// A value of a column that holds text.
fn text<'a>(value: &'a Value<'_>) -> Option<Cow<'a, str>> {
    Some(match value {
        Value::Text(text) | Value::Number(text) | Value::Json(text) => Cow::Borrowed(text),
        Value::Integer(number) => Cow::Owned(number.to_string()),
        Value::Float(number) => Cow::Owned(number.to_string()),
        Value::Boolean(value) => Cow::Borrowed(if *value { "true" } else { "false" }),
        Value::Uuid(uuid) => Cow::Owned(uuid.to_string()),
        Value::Timestamp(time) => Cow::Owned(timestamp_text(*time)),
        Value::Null => return None,
    })
}

fn shown(value: &Value<'_>) -> String {
    match value {
        Value::Timestamp(time) => timestamp_text(Timestamp::without_zone(time.time())),
        other => text(other).unwrap_or_default().chars().take(60).collect(),
    }
}
