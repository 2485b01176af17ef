//! Rows on their way into a file.

mod builder;
mod cells;
mod columnar;
#[cfg(test)]
mod tests;

pub use builder::{Limits, RowsBuilder};
pub use columnar::Rows;
