//! Proofs: that a row is in the log under a checkpoint, and that the log of one checkpoint goes on
//! from that of another. Source of the formats: `docs/evidence.md`, "Proofs".

mod batch;
mod consistency;
mod error;
mod inclusion;
mod json;
mod path;
mod row;
#[cfg(test)]
mod test_log;
mod time_text;
mod value;

pub use consistency::ConsistencyProof;
pub use error::ProofError;
pub use inclusion::{InclusionProof, Proven};
pub use path::{is_consistent, leads_to};
pub use row::{DeadLetterColumns, RowColumns};
