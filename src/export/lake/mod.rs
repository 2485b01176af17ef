//! Rows as Apache Arrow has them, for Parquet and Delta Lake.

mod body;
mod columns;
mod encoder;

pub(super) use body::ParquetBody;
pub(super) use columns::lake_columns;
pub(super) use encoder::{ColumnRows, LakeEncoder};
