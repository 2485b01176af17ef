//! Evidence: the canonical form of rows and records, the trees over them, and the leaves of the log
//! that they are entered into. Pure. `docs/evidence.md` has every format to the byte.

pub mod canonical;
pub mod leaf;
pub mod log_nodes;
pub mod note;
pub mod proof;
pub mod tree;

pub use canonical::CanonicalError;
pub use tree::Hash;
