//! Parquet files and Delta Lake tables of recorded events.

pub mod column;
pub mod delta;
pub mod error;
pub mod file;
pub mod rows;
pub mod schema;
