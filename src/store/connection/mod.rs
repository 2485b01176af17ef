//! How the database is reached: settings, TLS, sessions, statements.

mod choose_server;
mod connect;
pub(in crate::store) mod parameters;
pub(in crate::store) mod pool;
mod pooled_client;
pub(in crate::store) mod query;
pub(in crate::store) mod schema;
pub(in crate::store) mod session;
pub(in crate::store) mod session_lock;
pub(in crate::store) mod sql_types;
pub(in crate::store) mod statement;
mod tls;
