//! A table of a Delta Lake: a folder or a bucket that many programs read while one writes.
//!
//! [`Location`] says where, [`Table`] is what is there. Rows come as [`DataFile`]s, which nobody
//! sees until [`Table::append`] names them in a new version of the table, together with how far
//! the writer is now: both or neither. [`Table::maintain`] keeps a table of many versions and
//! small files quick to open and to read.
//!
//! Everything here blocks: call it from a plain thread or from `tokio::task::spawn_blocking`,
//! never from a task of a runtime. Requests to the store run on threads of this module's own.

mod append;
mod compact;
mod error;
mod file;
mod live;
mod location;
mod maintain;
mod runtime;
mod schema;
mod stats;
mod table;

pub use append::{Outcome, Progress};
pub use error::Error;
pub use file::{AddedFile, DataFile};
pub use location::Location;
pub use maintain::{Maintained, Maintenance};
pub use schema::PARTITION;
pub use table::{NewTable, Table, Version};
