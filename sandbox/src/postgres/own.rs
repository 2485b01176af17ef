//! A PostgreSQL in a folder of its own: its files, and its process.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::unistd::{Pid, User, geteuid};

use crate::error::Error;
use crate::fetch;
use crate::ports;
use crate::process::{Guardian, LOOK_EVERY, Process};

/// The server's name, in errors.
pub(super) const SERVER: &str = "PostgreSQL";

/// Settings of PostgreSQL, as `shared_buffers=128MB,max_wal_size=1GB`, beside the sandbox's own.
const GIVEN_SETTINGS: &str = "SANDBOX_POSTGRES_SETTINGS";

/// Recovery after a crash counts too.
const STARTS_WITHIN: Duration = Duration::from_secs(60);

/// A server in a folder of its own. Fields drop in their order: the process ends before the
/// guardian clears up.
#[derive(Debug)]
pub(super) struct Own {
    pub(super) process: Mutex<Option<Process>>,
    pub(super) port: u16,
    pub(super) bin: PathBuf,
    pub(super) folder: PathBuf,
    /// Who runs it: PostgreSQL refuses to run as root.
    pub(super) user: Option<User>,
    pub(super) settings: Vec<String>,
    pub(super) guardian: Arc<Guardian>,
}

/// What makes a server different from the sandbox's shared one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Peculiarities<'a> {
    /// Settings, each as `name=value`.
    pub settings: &'a [&'a str],
    /// The lines of `pg_hba.conf`, behind the one that trusts `postgres` on loopback. Empty:
    /// everybody there is trusted.
    pub access: &'a str,
    /// Files in its data folder, by name and content, that nobody else can read.
    pub files: &'a [(&'a str, &'a [u8])],
}

impl Own {
    pub(super) fn process(&self) -> MutexGuard<'_, Option<Process>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// A program beside the server, else the one of that name on PATH.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        Some(self.bin.join(name))
            .filter(|program| program.is_file())
            .or_else(|| fetch::on_path(name))
            .unwrap_or_else(|| PathBuf::from(name))
    }

    pub(super) fn initialize(&self) -> Result<(), Error> {
        Process::run(&self.guardian, &self.folder, &self.bin.join("initdb"), |command| {
            self.arrange(command);
            command
                .args([
                    "--username=postgres",
                    "--auth=trust",
                    "--encoding=UTF8",
                    "--no-sync",
                    "--no-instructions",
                ])
                // macOS has no C.UTF-8; C sorts the same.
                .arg(if cfg!(target_os = "macos") { "--locale=C" } else { "--locale=C.UTF-8" })
                .arg("--pgdata")
                .arg(self.data());
        })
    }

    /// Writes what the server has of its own into its data folder.
    pub(super) fn place_files(&self, peculiarities: Peculiarities<'_>) -> Result<(), Error> {
        let access = format!("host all postgres 127.0.0.1/32 trust\n{}", peculiarities.access);
        let access =
            (!peculiarities.access.is_empty()).then_some(("pg_hba.conf", access.as_bytes()));
        for (name, content) in peculiarities.files.iter().copied().chain(access) {
            let path = self.data().join(name);
            let owner = self.user.as_ref();
            std::fs::write(&path, content)
                .and_then(|()| std::fs::set_permissions(&path, Permissions::from_mode(0o600)))
                .and_then(|()| {
                    chown(
                        &path,
                        owner.map(|user| user.uid.as_raw()),
                        owner.map(|user| user.gid.as_raw()),
                    )
                })
                .map_err(|error| Error::Directory { path, reason: error.to_string() })?;
        }
        Ok(())
    }

    /// Starts it on a port that is free, which it keeps.
    pub(super) fn start_on_free_port(&mut self) -> Result<(), Error> {
        let mut attempts = 0;
        loop {
            [self.port] = ports::free_ports();
            attempts += 1;
            match self.start() {
                Err(Error::NotStarted { log, .. }) if attempts < 5 && ports::was_taken(&log) => {}
                outcome => return outcome,
            }
        }
    }

    /// Starts it on its port. Nothing happens when it runs.
    pub(super) fn start(&self) -> Result<(), Error> {
        let mut process = self.process();
        if process.as_mut().is_some_and(|running| running.ended().is_none()) {
            return Ok(());
        }
        *process = None;
        let program = self.bin.join("postgres");
        let mut started =
            Process::start(&self.guardian, &self.folder, &program, Signal::SIGQUIT, |command| {
                self.arrange(command);
                command.arg("-D").arg(self.data());
                for setting in [
                    &format!("port={}", self.port),
                    "listen_addresses=127.0.0.1",
                    "unix_socket_directories=",
                    "timezone=UTC",
                    "log_timezone=UTC",
                    "max_connections=300",
                    "shared_buffers=256MB",
                    "max_wal_size=4GB",
                ] {
                    command.args(["-c", setting]);
                }
                let given = std::env::var(GIVEN_SETTINGS).unwrap_or_default();
                for setting in given.split(',').filter(|setting| !setting.is_empty()) {
                    command.args(["-c", setting]);
                }
                for setting in &self.settings {
                    command.args(["-c", setting]);
                }
            })?;
        let failed =
            |reason: String, log: String| Error::NotStarted { server: SERVER, reason, log };
        let deadline = Instant::now() + STARTS_WITHIN;
        while !is_ready(&self.data(), started.id()) {
            if let Some(status) = started.ended() {
                return Err(failed(format!("it ended ({status})"), started.last_lines()));
            }
            if Instant::now() > deadline {
                let reason = format!("it is not ready after {} s", STARTS_WITHIN.as_secs());
                return Err(failed(reason, started.last_lines()));
            }
            std::thread::sleep(LOOK_EVERY);
        }
        *process = Some(started);
        Ok(())
    }

    /// What `initdb` and `postgres` have in common.
    pub(super) fn arrange(&self, command: &mut Command) {
        if let Some(user) = &self.user {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        command.env("LC_ALL", "C");
    }
}

/// Whether the server that runs as this process accepts connections, as a standby reading ones: it
/// says so in the last line of `postmaster.pid`, which is what `pg_ctl` looks at. A connection
/// alone would prove nothing, since another server may have the port.
fn is_ready(data: &Path, process_id: u32) -> bool {
    let Ok(text) = std::fs::read_to_string(data.join("postmaster.pid")) else { return false };
    let mut lines = text.lines();
    lines.next() == Some(process_id.to_string().as_str())
        && lines.nth(6).is_some_and(|line| matches!(line.trim(), "ready" | "standby"))
}

/// The processes whose parent is this one. Linux only; elsewhere PostgreSQL's backends end a moment
/// later on their own.
pub(super) fn children_of(parent: u32) -> Vec<Pid> {
    let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
    processes
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok())
        .filter(|id| {
            // `pid (name) state ppid …`, where the name may hold anything.
            let status = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
            let after_name = status.rsplit(") ").next().unwrap_or_default();
            after_name.split(' ').nth(1) == Some(parent.to_string().as_str())
        })
        .map(Pid::from_raw)
        .collect()
}

/// The user to run PostgreSQL as, when this process is root's.
pub(super) fn unprivileged_user() -> Result<Option<User>, Error> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    for name in ["postgres", "nobody"] {
        if let Ok(Some(user)) = User::from_name(name) {
            return Ok(Some(user));
        }
    }
    Err(Error::NoPostgres {
        reason: "it refuses to run as root, and there is no user postgres or nobody".into(),
    })
}
