//! What monitoring asks an ingester: how it stands, and how it stood over time.
//!
//! `lag` and `database` measure beside the recording, on sessions of their own; `server` answers
//! from what they and the recording left in the counters, so that it answers as well when a server
//! is away. `supervisor` tells systemd of its own accord.

mod database;
mod ends;
mod exposition;
pub(super) mod lag;
mod server;
mod supervisor;

pub(super) use database::watch as watch_database;
pub(super) use server::Endpoint;
pub(super) use supervisor::tell_systemd;
