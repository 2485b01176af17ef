//! TLS to the database: how far the server is checked, with which files.

mod connector;
mod mode;

pub(in crate::store) use connector::{DeferredTls, Identity, Tls};
pub(in crate::store) use mode::TlsMode;
