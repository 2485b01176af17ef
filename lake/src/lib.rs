//! Parquet files and Delta Lake tables of recorded events.

pub mod column;
pub mod delta;
pub mod rows;
