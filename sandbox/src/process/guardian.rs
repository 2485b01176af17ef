//! The guardian: a small shell process that outlives this one just long enough to clear up after
//! it.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use nix::sys::signal::Signal;
use nix::unistd::User;
use uuid::Uuid;

use crate::error::Error;

const GUARDIAN_SCRIPT: &str = include_str!("guardian.sh");
const STARTED_SCRIPT: &str = include_str!("started.sh");

/// Owns a temporary directory and a process that watches over it. However this process ends, the
/// guardian then ends what was started with [`Guardian::command`] and removes the directory.
/// Dropping it does the same, and waits.
#[derive(Debug)]
pub(crate) struct Guardian {
    directory: PathBuf,
    shell: Child,
    /// The write end of the guardian's pipe. The standard library opens it close-on-exec, so that
    /// no other child of this process keeps it open. It is an option only so that `drop` can close
    /// it before it waits.
    pipe: Option<ChildStdin>,
}

impl Guardian {
    /// Makes the directory, below the system's one for temporary files, and the process that
    /// watches over it.
    pub(crate) fn start() -> Result<Guardian, Error> {
        let directory = std::env::temp_dir().join(format!("audit-sandbox-{}", short_id()));
        let failed = |reason: String| Error::Directory { path: directory.clone(), reason };
        let mut shell = Command::new("/bin/sh")
            .args(["-c", GUARDIAN_SCRIPT, "sandbox-guardian"])
            .arg(&directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .current_dir("/")
            // Its own process group: a Ctrl-C on the terminal is not for it.
            .process_group(0)
            .spawn()
            .map_err(|error| failed(error.to_string()))?;
        let pipe = shell.stdin.take();
        let mut answer = String::new();
        if let Some(stdout) = shell.stdout.take() {
            BufReader::new(stdout)
                .read_line(&mut answer)
                .map_err(|error| failed(error.to_string()))?;
        }
        let mut complaint = String::new();
        if answer.trim() != "ready" {
            if let Some(mut stderr) = shell.stderr.take() {
                stderr.read_to_string(&mut complaint).map_err(|error| failed(error.to_string()))?;
            }
            shell.wait().map_err(|error| failed(error.to_string()))?;
            return Err(failed(complaint.trim().to_string()));
        }
        Ok(Guardian { directory, shell, pipe })
    }

    /// The directory that goes with the guardian.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// A folder below the directory, made when it isn't there yet. With an owner, it belongs to
    /// that user.
    pub(crate) fn folder(&self, name: &str, owner: Option<&User>) -> Result<PathBuf, Error> {
        let path = self.directory.join(name);
        let failed = |error: std::io::Error| Error::Directory {
            path: path.clone(),
            reason: error.to_string(),
        };
        match std::fs::create_dir(&path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(failed(error)),
            _ => {}
        }
        if let Some(owner) = owner {
            std::os::unix::fs::chown(&path, Some(owner.uid.as_raw()), Some(owner.gid.as_raw()))
                .map_err(failed)?;
        }
        Ok(path)
    }

    /// A command that is ended with `ending` when the sandbox goes. It runs in `folder` (one
    /// command at a time in each), writes its output to the file `log` there, and is not reached by
    /// a Ctrl-C. The caller adds arguments.
    pub(crate) fn command(
        &self,
        folder: &Path,
        ending: Signal,
        program: &Path,
    ) -> Result<Command, Error> {
        let log_path = log_path(folder);
        let log = File::options()
            .create(true)
            .append(true)
            .open(&log_path)
            .and_then(|log| Ok((log.try_clone()?, log)))
            .map_err(|error| Error::Directory { path: log_path, reason: error.to_string() })?;
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", STARTED_SCRIPT, "sandbox-started"])
            .arg(pid_path(folder))
            .arg(ending.as_str().trim_start_matches("SIG"))
            .arg(program)
            .stdin(Stdio::null())
            .stdout(log.0)
            .stderr(log.1)
            .current_dir(folder)
            .process_group(0);
        Ok(command)
    }
}

impl Drop for Guardian {
    fn drop(&mut self) {
        drop(self.pipe.take());
        // Nothing is left to do when the wait fails: the guardian is on its own then, and clears up
        // all the same.
        let _ = self.shell.wait();
    }
}

/// Where [`Guardian::command`] leaves the pid of what runs in a folder.
pub(crate) fn pid_path(folder: &Path) -> PathBuf {
    folder.join("pid")
}

/// Where [`Guardian::command`] writes the output of what runs in a folder.
pub(crate) fn log_path(folder: &Path) -> PathBuf {
    folder.join("log")
}

/// Twelve random hexadecimal digits: enough that two sandboxes, or two tests on a shared server,
/// never meet.
pub(crate) fn short_id() -> String {
    let mut digits = Uuid::new_v4().simple().to_string();
    digits.truncate(12);
    digits
}
