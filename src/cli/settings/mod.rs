//! Where the servers are and what holds otherwise: options, variables and profiles, and which of
//! them wins.

mod argument_settings;
mod config_file;
mod connection_args;
mod profile;
mod profile_choice;
mod registry_settings;
mod resolved;
mod sourced;

pub(crate) use argument_settings::{ArgumentSettings, DEFAULT_TOPICS};
pub(crate) use config_file::{ConfigSearch, others_can_read, profile_names};
pub(crate) use connection_args::{ConnectionArgs, SchemaRegistryArgs};
pub(crate) use registry_settings::PasswordSource;
pub(crate) use resolved::ResolvedSettings;
pub(crate) use sourced::Sourced;
