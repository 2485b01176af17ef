//! From a batch to rows of PostgreSQL: again until it works, and without what PostgreSQL refuses.

pub(in crate::ingest) mod database;
#[cfg(test)]
mod fake_database;
mod triage;
pub(in crate::ingest) mod writer;
