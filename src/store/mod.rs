//! PostgreSQL: one function for each query, its SQL beside it.

mod connect;
mod error;
mod migrate;
mod password_file;

pub use connect::{Notifications, Settings, connect, connect_listening};
pub use error::Error;
pub use migrate::{AppliedMigration, SchemaState, apply_roles, check_schema, migrate, pending, schema_state};
