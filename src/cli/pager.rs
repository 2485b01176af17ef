//! stdout for results that people read: through a pager where it is a terminal.

use std::io::{self, BufWriter, Write};
use std::process::{Child, ChildStdin, Command, Stdio};

use super::terminal;

/// `less` ends by itself when all fits the screen, passes colours on, and leaves the text on the screen.
const DEFAULT_PAGER: &str = "less";
const LESS_OPTIONS: &str = "FRX";

/// Where a result goes.
pub(crate) struct Screen(Destination);

enum Destination {
    Stdout(BufWriter<io::Stdout>),
    Pager(Child, BufWriter<ChildStdin>),
}

impl Screen {
    /// stdout, or the pager `PAGER` (else `less`) before it where a person reads and `no_pager` is not asked for. A pager that
    /// can't be started is none.
    pub(crate) fn open(for_people: bool, no_pager: bool) -> Self {
        let wanted = for_people && !no_pager && terminal::stdout_is_terminal();
        let command = std::env::var("PAGER").unwrap_or_else(|_| DEFAULT_PAGER.to_owned());
        let pager = if wanted && !["", "cat"].contains(&command.trim()) { start(&command) } else { None };
        Self(pager.unwrap_or_else(|| Destination::Stdout(BufWriter::new(io::stdout()))))
    }

    /// Writes what is left, and waits until the person has read it. That they stopped reading is no error.
    pub(crate) fn close(self) -> io::Result<()> {
        match self.0 {
            Destination::Stdout(mut stdout) => stdout.flush(),
            Destination::Pager(mut child, mut stdin) => {
                let flushed = stdin.flush();
                drop(stdin);
                child.wait()?;
                match flushed {
                    Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                    other => other,
                }
            }
        }
    }
}

fn start(command: &str) -> Option<Destination> {
    let mut shell = Command::new("sh");
    // A pager that doesn't exist must not swallow the result.
    let program = command.split_whitespace().next()?;
    let exists =
        Command::new("sh").args(["-c", "command -v -- \"$0\"", program]).stdout(Stdio::null()).status();
    if !exists.is_ok_and(|status| status.success()) {
        return None;
    }
    shell.args(["-c", command]).stdin(Stdio::piped());
    if std::env::var_os("LESS").is_none() {
        shell.env("LESS", LESS_OPTIONS);
    }
    let mut child = shell.spawn().ok()?;
    let stdin = child.stdin.take()?;
    Some(Destination::Pager(child, BufWriter::new(stdin)))
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Destination::Stdout(stdout) => stdout.write(bytes),
            Destination::Pager(_, stdin) => stdin.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Destination::Stdout(stdout) => stdout.flush(),
            Destination::Pager(_, stdin) => stdin.flush(),
        }
    }
}
