//! The columns of a table.

use std::sync::Arc;

use delta_kernel::schema::{DataType, SchemaRef, StructField, StructType};

use crate::column::{Column, Kind};

/// The column by which a table is split into folders: a day.
pub const PARTITION: &str = "date";

/// The schema of a table with `columns` and, behind them, [`PARTITION`].
pub(super) fn schema(columns: &[Column]) -> Result<SchemaRef, delta_kernel::KernelError> {
    let fields = columns
        .iter()
        .map(|column| StructField::nullable(&column.name, data_type(column.kind)))
        .chain([StructField::nullable(PARTITION, DataType::DATE)]);
    StructType::try_new(fields).map(Arc::new)
}

fn data_type(kind: Kind) -> DataType {
    match kind {
        Kind::Integer => DataType::LONG,
        Kind::SmallInteger => DataType::INTEGER,
        Kind::Boolean => DataType::BOOLEAN,
        Kind::Text | Kind::Uuid | Kind::Json => DataType::STRING,
        Kind::Moment => DataType::TIMESTAMP,
    }
}

/// Whether `schema` has `columns` and [`PARTITION`], under their names, of their types and in
/// their order, and no others.
pub(super) fn holds(schema: &StructType, columns: &[Column]) -> bool {
    let wanted = columns
        .iter()
        .map(|column| (column.name.as_str(), data_type(column.kind)))
        .chain([(PARTITION, DataType::DATE)]);
    schema.fields().map(|field| (field.name().as_str(), field.data_type().clone())).eq(wanted)
}
