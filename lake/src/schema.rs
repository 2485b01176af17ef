//! The Arrow types of columns.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow_schema::extension::{Json, Uuid};

use crate::column::{Column, Kind, Storage};

/// The name of UTC in a timestamp's type.
pub const UTC: &str = "UTC";

/// Returns the Arrow schema of `columns` without extension types: UUIDs are bytes, JSON is text.
pub(crate) fn plain_schema(columns: &[Column], storage: Storage) -> Schema {
    let field = |column: &Column| Field::new(&column.name, data_type(column.kind, storage), true);
    Schema::new(columns.iter().map(field).collect::<Vec<_>>())
}

/// Returns the Arrow schema of `columns`, whose Parquet types follow from it.
pub fn arrow_schema(columns: &[Column], storage: Storage) -> SchemaRef {
    let fields: Vec<Field> = columns.iter().map(|column| field(column, storage)).collect();
    Arc::new(Schema::new(fields))
}

fn field(column: &Column, storage: Storage) -> Field {
    let field = Field::new(&column.name, data_type(column.kind, storage), true);
    match (storage, column.kind) {
        (Storage::Parquet, Kind::Uuid) => field.with_extension_type(Uuid),
        (Storage::Parquet, Kind::Json) => field.with_extension_type(Json::default()),
        _ => field,
    }
}

fn data_type(kind: Kind, storage: Storage) -> DataType {
    match (kind, storage) {
        (Kind::Integer, _) => DataType::Int64,
        (Kind::SmallInteger, _) => DataType::Int32,
        (Kind::Boolean, _) => DataType::Boolean,
        (Kind::Uuid, Storage::Parquet) => DataType::FixedSizeBinary(16),
        (Kind::Text | Kind::Json, _) | (Kind::Uuid, Storage::Delta) => DataType::Utf8,
        (Kind::Moment, _) => DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into())),
    }
}
