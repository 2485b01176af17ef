//! How the database is reached: settings, TLS, sessions, statements.

pub(in crate::store) mod connect;
pub(in crate::store) mod parameters;
mod password_file;
pub(in crate::store) mod sql_types;
pub(in crate::store) mod statement;
pub(in crate::store) mod tls;
pub(in crate::store) mod url;
