//! The schema, and the way to the server that holds it.

mod catalog;
mod migrate;
mod tls;
