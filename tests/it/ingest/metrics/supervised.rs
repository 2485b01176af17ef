//! What systemd is told where it starts an ingester as `Type=notify`.

use std::os::unix::net::UnixDatagram;

use sandbox::Sandbox;

use super::LIMIT;
use crate::support::{Audit, Running};

/// Receives until all of these lines came, in this order. Others may come in between.
fn receive(socket: &UnixDatagram, expected: &[&str]) {
    let (mut expected, mut received) = (expected.iter().peekable(), Vec::new());
    let mut buffer = [0; 4_096];
    while let Some(line) = expected.peek() {
        let length = socket.recv(&mut buffer);
        let length =
            length.unwrap_or_else(|error| panic!("no {line} behind {received:?}: {error}"));
        received.push(String::from_utf8_lossy(&buffer[..length]).trim().to_owned());
        if received.last().is_some_and(|last| last == *line) {
            expected.next();
        }
    }
}

#[test]
fn systemd_is_told_that_it_runs_what_it_waits_for_and_that_it_stops() {
    let scope = Sandbox::shared().scope("metrics_supervised");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 1));
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).expect("a socket can be made");
    socket.set_read_timeout(Some(LIMIT)).expect("a socket can time out");
    let mut command = audit.command(&["ingest", "--topics", &topic]);
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "300000");
    let mut ingester = Running::start(&mut command);
    receive(&socket, &["READY=1", "WATCHDOG=1", "STATUS=recording", "WATCHDOG=1", "WATCHDOG=1"]);
    ingester.signal("TERM");
    receive(&socket, &["STOPPING=1"]);
    ingester.succeed(LIMIT);
}
