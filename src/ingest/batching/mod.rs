//! From records to a batch of encoded rows.

pub(in crate::ingest) mod batcher;
pub(in crate::ingest) mod encoder;
pub(in crate::ingest) mod event_rows;
pub(in crate::ingest) mod open_batch;
#[cfg(test)]
mod parts_test;
pub(in crate::ingest) mod reduce;
mod roots;
pub(in crate::ingest) mod row_keys;
#[cfg(test)]
pub(in crate::ingest) mod test_batch;
pub(in crate::ingest) mod unpacking;
