//! The cells of one column while they are collected.

use std::sync::Arc;

use arrow::array::{
    ArrayBuilder, ArrayRef, BooleanBuilder, FixedSizeBinaryBuilder, Int32Builder, Int64Builder,
    StringBuilder, TimestampMicrosecondBuilder,
};

use crate::column::{Kind, Storage};
use crate::schema::UTC;

/// The bytes of a UUID.
pub(super) const UUID_BYTES: usize = 16;

/// The cells of one column while they are collected.
#[derive(Debug)]
pub(super) enum Cells {
    Integer(Int64Builder),
    SmallInteger(Int32Builder),
    Boolean(BooleanBuilder),
    Text(StringBuilder),
    Uuid(FixedSizeBinaryBuilder),
    Moment(TimestampMicrosecondBuilder),
}

impl Cells {
    /// Makes room for `rows` cells, and for `bytes` of text if the column is text.
    pub(super) fn new(kind: Kind, storage: Storage, rows: usize, bytes: usize) -> Self {
        match (kind, storage) {
            (Kind::Integer, _) => Self::Integer(Int64Builder::with_capacity(rows)),
            (Kind::SmallInteger, _) => Self::SmallInteger(Int32Builder::with_capacity(rows)),
            (Kind::Boolean, _) => Self::Boolean(BooleanBuilder::with_capacity(rows)),
            (Kind::Uuid, Storage::Parquet) => {
                let width = UUID_BYTES as i32;
                Self::Uuid(FixedSizeBinaryBuilder::with_capacity(rows, width))
            }
            (Kind::Text | Kind::Json, _) | (Kind::Uuid, Storage::Delta) => {
                Self::Text(StringBuilder::with_capacity(rows, bytes))
            }
            (Kind::Moment, _) => {
                Self::Moment(TimestampMicrosecondBuilder::with_capacity(rows).with_timezone(UTC))
            }
        }
    }

    /// Returns how many cells there are.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Integer(cells) => cells.len(),
            Self::SmallInteger(cells) => cells.len(),
            Self::Boolean(cells) => cells.len(),
            Self::Text(cells) => cells.len(),
            Self::Uuid(cells) => cells.len(),
            Self::Moment(cells) => cells.len(),
        }
    }

    /// Returns the bytes of text; 0 where the column is not text.
    pub(super) fn text_bytes(&self) -> usize {
        match self {
            Self::Text(cells) => cells.values_slice().len(),
            _ => 0,
        }
    }

    /// Adds a NULL.
    pub(super) fn push_null(&mut self) {
        match self {
            Self::Integer(cells) => cells.append_null(),
            Self::SmallInteger(cells) => cells.append_null(),
            Self::Boolean(cells) => cells.append_null(),
            Self::Text(cells) => cells.append_null(),
            Self::Uuid(cells) => cells.append_null(),
            Self::Moment(cells) => cells.append_null(),
        }
    }

    /// Hands the cells over.
    pub(super) fn finish(self) -> ArrayRef {
        match self {
            Self::Integer(mut cells) => Arc::new(cells.finish()),
            Self::SmallInteger(mut cells) => Arc::new(cells.finish()),
            Self::Boolean(mut cells) => Arc::new(cells.finish()),
            Self::Text(mut cells) => Arc::new(cells.finish()),
            Self::Uuid(mut cells) => Arc::new(cells.finish()),
            Self::Moment(mut cells) => Arc::new(cells.finish()),
        }
    }
}
