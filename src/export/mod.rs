//! Handing over: recorded events as files that appear whole, in id order or in commit order.
//!
//! Data flows one way: `reading` gives rows of one snapshot in order, on several sessions where
//! that is quicker; `rows` are those of a chunk, encoded already; `files` divides them among files;
//! `handover` gives the files their names and leaves a manifest. `delta` appends to a table
//! instead, and `ocel` writes a format that is no row after another.

mod batch_range;
mod bookmark;
mod columns;
#[cfg(feature = "lake")]
mod delta;
mod error;
mod files;
mod handover;
mod hive;
#[cfg(feature = "lake")]
mod lake;
mod lookups;
mod manifest;
mod manifest_name;
mod ocel;
mod pieces;
mod reading;
mod rows;
mod target;

pub use batch_range::BatchRange;
pub use bookmark::{Bookmark, HandedOver};
pub use columns::Columns;
#[cfg(feature = "lake")]
pub use delta::{Appended, LakeTable};
pub use error::Error;
pub use files::{Compression, Rotation, WholeFile};
pub use handover::{Source, Summary, Watch};
pub use hive::PartitionBy;
pub use manifest::{Checked, Contents, Finding, Wrong, check};
pub use ocel::OcelSummary;
pub use pieces::IdRange;
pub use reading::Wanted;
pub use target::{FileFormat, Target};
