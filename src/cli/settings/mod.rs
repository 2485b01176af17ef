//! Where the servers are: options, variables and profiles, and which of them holds.

pub(crate) mod config_file;
pub(crate) mod connection_args;
pub(crate) mod profile;
pub(crate) mod resolved;
