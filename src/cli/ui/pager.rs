//! stdout for results that a person reads: through a pager.

use std::io::{self, BufWriter, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use tokio::signal::unix::Signal;

use super::exit::Exit;
use super::signals;

/// `less` ends by itself when all fits the screen, passes colours on, and leaves the text on the
/// screen.
const DEFAULT_PAGER: &str = "less";
const LESS_OPTIONS: &str = "FRX";

/// How soon it is noticed that the person left the pager while the search goes on.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Where a result goes.
pub(crate) struct PagedOutput(Destination);

enum Destination {
    Stdout(BufWriter<io::Stdout>),
    /// The pager to start with the first byte: until then there is nothing to look at, and Ctrl-C
    /// ends the search.
    Later(String),
    Pager(Pager),
}

impl PagedOutput {
    /// stdout, or the pager `PAGER` (else `less`) before it. A pager that can't be started is left
    /// out.
    pub(super) fn open(is_paged: bool) -> Self {
        let command = std::env::var("PAGER").unwrap_or_else(|_| DEFAULT_PAGER.to_owned());
        let is_pager = !["", "cat"].contains(&command.trim());
        Self(if is_paged && is_pager { Destination::Later(command) } else { stdout() })
    }

    /// Waits for a part of the result, unless the person interrupts or leaves the pager meanwhile:
    /// then there is nothing more to do, and it says how to exit.
    pub(crate) async fn attend<T>(&mut self, part: impl Future<Output = T>) -> Result<T, Exit> {
        let Destination::Pager(Pager { child, interrupts, .. }) = &mut self.0 else {
            return Ok(part.await);
        };
        tokio::select! {
            biased;
            _ = interrupts.recv() => Err(Exit::Interrupted),
            part = part => Ok(part),
            () = end_of(child) => Err(Exit::Done),
        }
    }

    /// Writes what is left, and waits until the person has read it. That they stopped reading is no
    /// error.
    pub(crate) fn close(mut self) -> io::Result<()> {
        match (self.flush(), &self.0) {
            (Err(error), Destination::Pager(_)) if error.kind() == io::ErrorKind::BrokenPipe => {
                Ok(())
            }
            (flushed, _) => flushed,
        }
    }
}

fn stdout() -> Destination {
    Destination::Stdout(BufWriter::new(io::stdout()))
}

/// A pager that runs. However its result ends, it has the terminal until the person leaves it:
/// dropping it waits for that.
struct Pager {
    child: Child,
    /// There until it is dropped.
    stdin: Option<BufWriter<ChildStdin>>,
    /// From now on Ctrl-C is the pager's to interpret, and doesn't end this process.
    interrupts: Signal,
}

impl Pager {
    fn start(command: &str) -> Option<Self> {
        // A pager that doesn't exist must not swallow the result. Variables may be set before its
        // name.
        let program = command.split_whitespace().find(|word| !word.contains('='))?;
        let exists = Command::new("sh")
            .args(["-c", "command -v -- \"$0\"", program])
            .stdout(Stdio::null())
            .status();
        if !exists.is_ok_and(|status| status.success()) {
            return None;
        }
        let mut shell = Command::new("sh");
        shell.args(["-c", command]).stdin(Stdio::piped());
        if std::env::var_os("LESS").is_none() {
            shell.env("LESS", LESS_OPTIONS);
        }
        let interrupts = signals::interrupts().ok()?;
        let mut child = shell.spawn().ok()?;
        let stdin = child.stdin.take().map(BufWriter::new);
        Some(Self { child, stdin, interrupts })
    }
}

impl Drop for Pager {
    fn drop(&mut self) {
        drop(self.stdin.take());
        // Nothing can be done about a pager that can't be waited for.
        let _ = self.child.wait();
    }
}

async fn end_of(child: &mut Child) {
    while matches!(child.try_wait(), Ok(None)) {
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

impl Write for PagedOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Destination::Later(command) = &self.0 {
            self.0 = Pager::start(command).map_or_else(stdout, Destination::Pager);
        }
        match &mut self.0 {
            Destination::Stdout(stdout) => stdout.write(bytes),
            Destination::Pager(pager) => {
                pager.stdin.as_mut().map_or(Ok(bytes.len()), |stdin| stdin.write(bytes))
            }
            Destination::Later(_) => Ok(0),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Destination::Stdout(stdout) => stdout.flush(),
            Destination::Pager(pager) => pager.stdin.as_mut().map_or(Ok(()), Write::flush),
            Destination::Later(_) => Ok(()),
        }
    }
}
