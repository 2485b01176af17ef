//! What `verify` reads: one snapshot of the ledger, the rows, the counts and the catalog.

pub(in crate::store) mod copied_rows;
mod day_counts;
pub(in crate::store) mod duplicates;
pub(in crate::store) mod leaf_facts;
pub(in crate::store) mod ledger_scan;
pub(in crate::store) mod log_scan;
pub(in crate::store) mod row_copy;
pub(in crate::store) mod schema_facts;
