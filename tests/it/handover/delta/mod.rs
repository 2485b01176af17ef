//! `audit export --delta` on a real PostgreSQL, into folders and into a real S3 server.

mod appends;
mod bucket;
mod follow;
mod kills;
mod outages;
pub(crate) mod random;
mod refused;
// The server of the crate's own tests, some of whose faults only those need.
#[path = "../../../../lake/tests/delta/server.rs"]
#[allow(dead_code)]
mod server;
mod table;

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Tells a thread that it is over, whatever happened.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}
