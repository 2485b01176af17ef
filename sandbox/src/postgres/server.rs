//! The sandbox's PostgreSQL.

use std::error::Error as _;
use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, User, geteuid};
use tokio_postgres::{Client, Config, NoTls};

use crate::error::Error;
use crate::process::{Guardian, LOOK_EVERY, Process};
use crate::progress::Progress;
use crate::{blocking, ports};

use super::installed;

/// Names a PostgreSQL to use instead of one of the sandbox's own: a URL, with a user who may create
/// databases.
pub const GIVEN_POSTGRES: &str = "SANDBOX_POSTGRES_URL";

const SERVER: &str = "PostgreSQL";
/// Recovery after a crash counts too.
const STARTS_WITHIN: Duration = Duration::from_secs(60);
const STOPS_WITHIN: Duration = Duration::from_secs(60);

/// A PostgreSQL server: one of the sandbox's own, or the given one.
#[derive(Debug)]
pub struct Postgres(Server);

#[derive(Debug)]
enum Server {
    Given { url: String, port: u16 },
    Own(Box<Own>),
}

/// A server in a folder of its own. Fields drop in their order: the process ends before the
/// guardian clears up.
#[derive(Debug)]
struct Own {
    process: Mutex<Option<Process>>,
    port: u16,
    bin: PathBuf,
    folder: PathBuf,
    /// Who runs it: PostgreSQL refuses to run as root.
    user: Option<User>,
    settings: Vec<String>,
    guardian: Arc<Guardian>,
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

impl Postgres {
    pub(crate) fn set_up(guardian: &Arc<Guardian>, progress: &Progress) -> Result<Postgres, Error> {
        if let Some(url) = std::env::var(GIVEN_POSTGRES).ok().filter(|url| !url.is_empty()) {
            return Postgres::given(url, progress);
        }
        Postgres::start_own(guardian, progress, "postgres", Peculiarities::default())
    }

    pub(crate) fn start_own(
        guardian: &Arc<Guardian>,
        progress: &Progress,
        folder: &str,
        peculiarities: Peculiarities<'_>,
    ) -> Result<Postgres, Error> {
        let (bin, version) = installed::postgres(guardian, progress)?;
        let _step = progress.begin(&format!("starting PostgreSQL {version} of {}", bin.display()));
        let user = unprivileged_user()?;
        let folder = guardian.folder(folder, user.as_ref())?;
        let settings = peculiarities.settings.iter().map(ToString::to_string).collect();
        let mut own = Own {
            process: Mutex::new(None),
            port: 0,
            bin,
            folder,
            user,
            settings,
            guardian: guardian.clone(),
        };
        own.initialize()?;
        own.place_files(peculiarities)?;
        let mut attempts = 0;
        loop {
            [own.port] = ports::free_ports();
            attempts += 1;
            match own.start() {
                Err(Error::NotStarted { log, .. }) if attempts < 5 && ports::was_taken(&log) => {}
                Err(error) => return Err(error),
                Ok(()) => break,
            }
        }
        progress.say(&format!(
            "PostgreSQL {version} of {} listens on 127.0.0.1:{}",
            own.bin.display(),
            own.port
        ));
        Ok(Postgres(Server::Own(Box::new(own))))
    }

    fn given(url: String, progress: &Progress) -> Result<Postgres, Error> {
        let unusable = |reason: String| Error::Given { variable: GIVEN_POSTGRES, reason };
        let config: Config =
            url.parse().map_err(|_| unusable("it is not a PostgreSQL URL".into()))?;
        if !url.contains("://") {
            return Err(unusable(
                "it must have the form postgres://user@host:port/database".into(),
            ));
        }
        let port = config.get_ports().first().copied().unwrap_or(5432);
        let postgres = Postgres(Server::Given { url, port });
        postgres.execute("connect", "SELECT 1").map_err(|error| unusable(error.to_string()))?;
        progress.say(&format!("PostgreSQL is the one that {GIVEN_POSTGRES} names"));
        Ok(postgres)
    }

    /// The URL of a database on this server. The database need not exist.
    pub fn url(&self, database: &str) -> String {
        match &self.0 {
            Server::Given { url, .. } => with_database(url, database),
            Server::Own(own) => format!("postgres://postgres@127.0.0.1:{}/{database}", own.port),
        }
    }

    /// The server's port. It stays the same over a restart.
    pub fn port(&self) -> u16 {
        match &self.0 {
            Server::Given { port, .. } => *port,
            Server::Own(own) => own.port,
        }
    }

    /// Whether the user gave it: then it can't be stopped, and keeps what is not dropped.
    pub fn is_given(&self) -> bool {
        matches!(self.0, Server::Given { .. })
    }

    /// The number of the server's main process, while it runs and is the sandbox's own.
    pub fn process_id(&self) -> Option<u32> {
        match &self.0 {
            Server::Given { .. } => None,
            Server::Own(own) => own.process().as_ref().map(Process::id),
        }
    }

    /// Stops the server in order (PostgreSQL's fast shutdown). Nothing happens when it is stopped
    /// already.
    ///
    /// # Errors
    /// When the server is given, or doesn't stop within a minute.
    pub fn stop(&self) -> Result<(), Error> {
        let mut process = self.own("stopped")?.process();
        if let Some(running) = process.as_mut() {
            running.signal(Signal::SIGINT);
            if !running.wait(STOPS_WITHIN) {
                let reason = format!("it still runs after {} s", STOPS_WITHIN.as_secs());
                return Err(Error::NotStopped { server: SERVER, reason });
            }
        }
        *process = None;
        Ok(())
    }

    /// Ends the server and all its backends with SIGKILL, as a crash would.
    ///
    /// # Errors
    /// When the server is given.
    pub fn kill(&self) -> Result<(), Error> {
        let mut process = self.own("killed")?.process();
        if let Some(running) = process.as_mut() {
            let backends = children_of(running.id());
            running.signal(Signal::SIGKILL);
            for backend in backends {
                // Backends end by themselves, too, once they see that the main process has gone.
                let _ = kill(backend, Signal::SIGKILL);
            }
            running.wait(STOPS_WITHIN);
        }
        *process = None;
        Ok(())
    }

    /// Starts the server again, on the same port and with its data. Nothing happens when it runs.
    ///
    /// # Errors
    /// When the server is given, or doesn't come up: the error has the last lines of its log.
    pub fn start(&self) -> Result<(), Error> {
        self.own("started")?.start()
    }

    /// Stops the server in order and starts it again.
    ///
    /// # Errors
    /// As [`Postgres::stop`] and [`Postgres::start`].
    pub fn restart(&self) -> Result<(), Error> {
        self.stop()?;
        self.start()
    }

    /// Creates an empty database.
    ///
    /// # Errors
    /// When it exists ([`Error::Exists`]), or the server does not answer.
    pub fn create_database(&self, name: &str) -> Result<(), Error> {
        self.execute(
            &format!("create the database {name}"),
            &format!("CREATE DATABASE {}", quoted(name)),
        )
        .map_err(|error| match error {
            Error::Request { reason, .. } if reason.contains("already exists") => {
                Error::Exists { what: "the database", name: name.to_string() }
            }
            error => error,
        })
    }

    /// Drops a database, if there is one of that name, whoever is connected to it.
    ///
    /// # Errors
    /// When the server does not answer or refuses.
    pub fn drop_database(&self, name: &str) -> Result<(), Error> {
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", quoted(name));
        self.execute(&format!("drop the database {name}"), &statement)
    }

    fn execute(&self, action: &str, statement: &str) -> Result<(), Error> {
        let url = match &self.0 {
            Server::Given { url, .. } => url.clone(),
            Server::Own(_) => self.url("postgres"),
        };
        let failed = |error: tokio_postgres::Error| Error::Request {
            action: action.to_string(),
            // The library's own text is only "db error", or "error connecting to server": the cause
            // says more.
            reason: error.source().map_or_else(|| error.to_string(), ToString::to_string),
        };
        blocking::wait(async {
            let client = connect(&url).await.map_err(failed)?;
            client.batch_execute(statement).await.map_err(failed)
        })?
    }

    fn own(&self, action: &'static str) -> Result<&Own, Error> {
        match &self.0 {
            Server::Given { .. } => {
                Err(Error::NotOurs { server: SERVER, action, what: "the given one" })
            }
            Server::Own(own) => Ok(own),
        }
    }
}

impl Own {
    fn process(&self) -> MutexGuard<'_, Option<Process>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn initialize(&self) -> Result<(), Error> {
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
    fn place_files(&self, peculiarities: Peculiarities<'_>) -> Result<(), Error> {
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

    fn start(&self) -> Result<(), Error> {
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
    fn arrange(&self, command: &mut Command) {
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

/// Whether the server that runs as this process accepts connections: it says so in the last line of
/// `postmaster.pid`, which is what `pg_ctl` looks at. A connection alone would prove nothing, since
/// another server may have the port.
fn is_ready(data: &Path, process_id: u32) -> bool {
    let Ok(text) = std::fs::read_to_string(data.join("postmaster.pid")) else { return false };
    let mut lines = text.lines();
    lines.next() == Some(process_id.to_string().as_str())
        && lines.nth(6).is_some_and(|line| line.trim() == "ready")
}

/// The processes whose parent is this one. Linux only; elsewhere PostgreSQL's backends end a moment
/// later on their own.
fn children_of(parent: u32) -> Vec<Pid> {
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
fn unprivileged_user() -> Result<Option<User>, Error> {
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

async fn connect(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    // A connection that fails is seen by the client's next statement.
    tokio::spawn(connection);
    Ok(client)
}

fn quoted(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}

/// The URL with another database's name as its path.
fn with_database(url: &str, database: &str) -> String {
    let (address, parameters) =
        url.split_once('?').map_or((url, None), |(before, after)| (before, Some(after)));
    let host_starts = address.find("://").map_or(0, |at| at + 3);
    let host_ends = address[host_starts..].find('/').map_or(address.len(), |at| host_starts + at);
    let parameters = parameters.map(|parameters| format!("?{parameters}")).unwrap_or_default();
    format!("{}/{database}{parameters}", &address[..host_ends])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn puts_another_database_into_a_given_url() {
        assert_eq!(with_database("postgres://u:p@h:1/old", "new"), "postgres://u:p@h:1/new");
        assert_eq!(with_database("postgresql://h", "new"), "postgresql://h/new");
        assert_eq!(
            with_database("postgres://h/old?sslmode=disable", "new"),
            "postgres://h/new?sslmode=disable"
        );
    }
}
