//! The commands: one file or folder for each, args first.

pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod decode;
pub(crate) mod dlt;
pub(crate) mod export;
pub(crate) mod ingest;
pub(crate) mod migrate;
pub(crate) mod query;
pub(crate) mod replay_dlt;
pub(crate) mod show;
pub(crate) mod stats;
pub(crate) mod status;
pub(crate) mod tail;
pub(crate) mod trace;
pub(crate) mod verify;
