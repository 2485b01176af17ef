//! How the database is reached: settings, TLS, sessions, statements.

mod connect;
pub(in crate::store) mod parameter_source;
pub(in crate::store) mod parameters;
mod parsed_url;
mod password_file;
pub(in crate::store) mod pool;
pub(in crate::store) mod query;
pub(in crate::store) mod schema;
pub(in crate::store) mod session;
pub(in crate::store) mod settings;
pub(in crate::store) mod sql_types;
pub(in crate::store) mod statement;
mod tls;
pub(in crate::store) mod url;
