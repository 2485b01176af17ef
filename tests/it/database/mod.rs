//! The schema, and the way to the server that holds it.

mod migrate;
mod servers;
mod tls;
