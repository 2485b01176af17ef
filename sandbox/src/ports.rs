//! Free ports on the loopback interface.

use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;

use uuid::Uuid;

/// Below what Linux (32768) and macOS (49152) give to outgoing connections: the port of a server that is stopped for a
/// moment is not taken by somebody's client in between.
const RANGE: Range<u16> = 15_000..32_000;

/// A port that is free now. Another process may take it before the caller does: whoever binds it tries again then.
pub(crate) fn free_port() -> u16 {
    loop {
        let (random, _) = Uuid::new_v4().as_u64_pair();
        let offset = random % u64::from(RANGE.end - RANGE.start);
        let port = RANGE.start + u16::try_from(offset).unwrap_or_default();
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

/// Whether a server's log says that its port was taken: then another one is worth a try.
pub(crate) fn was_taken(log: &str) -> bool {
    log.contains("Address already in use")
}
