//! A process that the guardian watches over: a server, or a program that prepares one.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::guardian::{Guardian, log_path, pid_path};
use crate::error::Error;

/// How often a process that starts or stops is looked at.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(20);

/// How many lines of a log an error shows.
const LOG_LINES: usize = 15;

/// A running process. Dropping it ends it with the signal it was started with, and waits for that.
#[derive(Debug)]
pub struct Process {
    child: Child,
    ending: Signal,
    folder: PathBuf,
}

impl Process {
    /// Starts `program` in `folder`; `arrange` adds its arguments. `ending` is the signal that ends
    /// it for good.
    pub(crate) fn start(
        guardian: &Guardian,
        folder: &Path,
        program: &Path,
        ending: Signal,
        arrange: impl FnOnce(&mut Command),
    ) -> Result<Process, Error> {
        let mut command = guardian.command(folder, ending, program)?;
        arrange(&mut command);
        let child = command.spawn().map_err(|error| Error::Program {
            program: program.display().to_string(),
            reason: error.to_string(),
            log: String::new(),
        })?;
        Ok(Process { child, ending, folder: folder.to_path_buf() })
    }

    /// Runs `program` to its end, which must be a success.
    pub(crate) fn run(
        guardian: &Guardian,
        folder: &Path,
        program: &Path,
        arrange: impl FnOnce(&mut Command),
    ) -> Result<(), Error> {
        let mut process = Process::start(guardian, folder, program, Signal::SIGKILL, arrange)?;
        let failed = |reason: String| Error::Program {
            program: program.display().to_string(),
            reason,
            log: last_lines(&log_path(folder)),
        };
        let status = process.child.wait().map_err(|error| failed(error.to_string()))?;
        if status.success() { Ok(()) } else { Err(failed(status.to_string())) }
    }

    /// The process's number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, when it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        // A wait can only fail for a process that is not ours, which the type excludes.
        self.child.try_wait().unwrap_or_else(|_| Some(ExitStatus::from_raw(0)))
    }

    /// Asks it to end (SIGTERM), and waits for that, at most this long. Says how it ended, when it
    /// has.
    pub fn stop(&mut self, at_most: Duration) -> Option<ExitStatus> {
        self.signal(Signal::SIGTERM);
        self.wait(at_most);
        self.ended()
    }

    /// Sends a signal, unless the process has ended.
    pub(crate) fn signal(&mut self, signal: Signal) {
        if self.ended().is_none()
            && let Ok(id) = i32::try_from(self.child.id())
        {
            // It may end between the look and the signal, which is then no error.
            let _ = kill(Pid::from_raw(id), signal);
        }
    }

    /// Waits until it has ended, at most this long. Says whether it has.
    pub fn wait(&mut self, at_most: Duration) -> bool {
        let deadline = Instant::now() + at_most;
        while self.ended().is_none() {
            if Instant::now() > deadline {
                return false;
            }
            std::thread::sleep(LOOK_EVERY);
        }
        true
    }

    /// The last lines of its output.
    pub fn last_lines(&self) -> String {
        last_lines(&log_path(&self.folder))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(self.ending);
        if !self.wait(Duration::from_secs(10)) {
            self.signal(Signal::SIGKILL);
            self.wait(Duration::from_secs(10));
        }
        // Its number may soon be another process's: the guardian must not find it any more. Where
        // this fails, the directory itself has gone.
        let _ = std::fs::remove_file(pid_path(&self.folder));
    }
}

/// The last lines of a log file; empty when it can't be read.
pub(crate) fn last_lines(path: &Path) -> String {
    let bytes = std::fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
}
