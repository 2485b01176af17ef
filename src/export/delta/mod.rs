//! Appends what is new to a Delta Lake table.
//!
//! The table itself says how far it is: each commit that adds rows names the last batch that it
//! holds (a `txn` action of `audit-<installation>`). There is no bookmark that could be lost, and
//! of two runs at once one finds that the other was quicker.

mod files;
mod table;
mod writer;

pub use table::{Appended, LakeTable};
