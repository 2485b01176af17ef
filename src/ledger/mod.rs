//! The ledger's arithmetic. Pure: what a batch claims to hold, against what is there.
//!
//! Two things make a record complete. The ranges of every partition join up from offset 0 to the
//! recorded end (`chain`), and the rows of every batch are the offsets that its ranges claim
//! (`rows`).

mod chain;
mod finding;
mod rows;

pub use chain::{Chain, ChainLink, check_chain};
pub use finding::{Finding, Severity};
pub use rows::{BatchClaim, RangeClaim, StoredRow, check_batch};
