//! `audit tail` in a pipe.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use super::Audit;

const LIMIT: Duration = Duration::from_secs(30);

/// `audit tail` in the background, and its lines as they come.
pub(crate) struct Follower {
    child: Child,
    lines: Receiver<(Instant, String)>,
}

impl Follower {
    pub(crate) fn start(audit: &Audit, arguments: &[&str]) -> Self {
        let arguments = [&["tail", "-o", "ndjson", "--columns", "id"], arguments].concat();
        let spawned = audit.command(&arguments).stdout(Stdio::piped()).spawn();
        let mut child = spawned.unwrap_or_else(|error| panic!("{error}"));
        let (sender, lines) = channel();
        let stdout = child.stdout.take().map(BufReader::new);
        std::thread::spawn(move || {
            for line in stdout.into_iter().flat_map(BufRead::lines).map_while(Result::ok) {
                if sender.send((Instant::now(), line)).is_err() {
                    break;
                }
            }
        });
        Self { child, lines }
    }

    /// The next id.
    pub(crate) fn id(&self) -> i64 {
        self.timed_id().1
    }

    pub(crate) fn timed_id(&self) -> (Instant, i64) {
        let (at, line) =
            self.lines.recv_timeout(LIMIT).unwrap_or_else(|error| panic!("no more lines: {error}"));
        let id = line.trim_start_matches("{\"id\":").trim_end_matches('}').parse();
        (at, id.unwrap_or_else(|_| panic!("'{line}' holds no id")))
    }

    pub(crate) fn ids(&self, count: usize) -> Vec<i64> {
        (0..count).map(|_| self.id()).collect()
    }

    /// Ends it as a person does; it has to end well and print nothing more.
    pub(crate) fn stop(mut self) {
        let signalled = std::process::Command::new("kill")
            .args(["-INT", &self.child.id().to_string()])
            .status();
        assert!(signalled.is_ok_and(|status| status.success()));
        let status = self.child.wait().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(status.code(), Some(0));
        assert_eq!(self.lines.try_iter().next(), None);
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
