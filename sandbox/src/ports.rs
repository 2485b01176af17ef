//! Free ports on the loopback interface.

use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;

use uuid::Uuid;

/// Below what Linux (32768) and macOS (49152) give to outgoing connections: the port of a server
/// that is stopped for a moment is not taken by somebody's client in between.
const RANGE: Range<u16> = 15_000..32_000;

/// Different ports that are free now. Another process may take one before the caller does: whoever
/// binds them tries again then.
pub(crate) fn free_ports<const COUNT: usize>() -> [u16; COUNT] {
    // Each is held until all are found, so that none is found twice.
    let held = [(); COUNT].map(|()| free_listener());
    held.map(|(port, _listener)| port)
}

fn free_listener() -> (u16, TcpListener) {
    loop {
        let (random, _) = Uuid::new_v4().as_u64_pair();
        let offset = random % u64::from(RANGE.end - RANGE.start);
        let port = RANGE.start + u16::try_from(offset).unwrap_or_default();
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            return (port, listener);
        }
    }
}

/// Whether a server's log says that its port was taken: then another one is worth a try.
pub(crate) fn was_taken(log: &str) -> bool {
    log.contains("Address already in use")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_different_ports_that_can_be_bound() {
        let ports: [u16; 200] = free_ports();
        let different: std::collections::BTreeSet<u16> = ports.into_iter().collect();
        assert_eq!(different.len(), ports.len());
        assert!(different.iter().all(|port| RANGE.contains(port)));
    }
}
