//! Handing over: `audit export` to files and tables, as other programs read them, and what is left
//! when something breaks.

pub(crate) mod delta;
mod files;
mod folder;
mod folders;
mod incremental;
mod kills;
mod manifests;
mod ocel;
mod python;
mod reader_limits;
mod readers;
mod refused;
mod seen;
mod streams;
mod table_readers;
