//! What monitoring asks an ingester: how it stands, and how it stood over time.
//!
//! `lag` and `database` measure beside the recording, on sessions of their own; `server` answers
//! from what they and the recording left in the counters, so that it answers as well when a server
//! is away.

mod database;
mod ends;
mod exposition;
pub(super) mod lag;
mod server;

pub(super) use database::watch as watch_database;
pub(super) use server::Endpoint;
