//! The schema, and the way to the server that holds it.

mod catalog;
mod copies;
mod encoding;
mod migrate;
mod servers;
mod standby;
mod tls;
mod views;
