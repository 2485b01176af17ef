//! Where the servers are and what holds otherwise: options, variables and profiles, and which of
//! them wins.

mod config_file;
mod connection_args;
mod defaults;
mod profile;
mod resolved;

pub(crate) use config_file::ConfigSearch;
pub(crate) use connection_args::ConnectionArgs;
pub(crate) use defaults::{DEFAULT_TOPICS, Defaults};
pub(crate) use resolved::{ResolvedSettings, Sourced};
