//! The sandbox's PostgreSQL.

use std::error::Error as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use tokio_postgres::{Client, Config, NoTls};

use super::installed;
use super::own::{Own, Peculiarities, SERVER, children_of, unprivileged_user};
use crate::blocking;
use crate::error::Error;
use crate::process::{Guardian, Process};
use crate::progress::Progress;

/// Names a PostgreSQL to use instead of one of the sandbox's own: a URL, with a user who may create
/// databases.
pub const GIVEN_POSTGRES: &str = "SANDBOX_POSTGRES_URL";

const STOPS_WITHIN: Duration = Duration::from_secs(60);

/// A PostgreSQL server: one of the sandbox's own, or the given one.
#[derive(Debug)]
pub struct Postgres(pub(super) Server);

#[derive(Debug)]
pub(super) enum Server {
    Given { url: String, port: u16 },
    Own(Box<Own>),
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
        let installed = installed::postgres(guardian, progress)?;
        Postgres::start_found(guardian, progress, installed, folder, peculiarities)
    }

    /// Starts the one that is fetched where none is installed, also where one is.
    pub(crate) fn start_fetched(
        guardian: &Arc<Guardian>,
        progress: &Progress,
        folder: &str,
    ) -> Result<Postgres, Error> {
        let fetched = installed::fetched(guardian, progress)?;
        Postgres::start_found(guardian, progress, fetched, folder, Peculiarities::default())
    }

    fn start_found(
        guardian: &Arc<Guardian>,
        progress: &Progress,
        (bin, version): (PathBuf, String),
        folder: &str,
        peculiarities: Peculiarities<'_>,
    ) -> Result<Postgres, Error> {
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
        own.start_on_free_port()?;
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
        self.create_database_with(name, "")
    }

    /// Creates a database with options of `CREATE DATABASE`, such as `ENCODING 'LATIN1' TEMPLATE
    /// template0`.
    ///
    /// # Errors
    /// As [`Postgres::create_database`].
    pub fn create_database_with(&self, name: &str, options: &str) -> Result<(), Error> {
        self.execute(
            &format!("create the database {name}"),
            &format!("CREATE DATABASE {} {options}", quoted(name)),
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

    /// One of PostgreSQL's own programs, such as `pg_dump`: the one beside the server, else the one
    /// on PATH.
    pub fn program(&self, name: &str) -> PathBuf {
        self.own("asked for its programs")
            .map_or_else(|_| PathBuf::from(name), |own| own.program(name))
    }

    pub(super) fn execute(&self, action: &str, statement: &str) -> Result<(), Error> {
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

    pub(super) fn own(&self, action: &'static str) -> Result<&Own, Error> {
        match &self.0 {
            Server::Given { .. } => {
                Err(Error::NotOurs { server: SERVER, action, what: "the given one" })
            }
            Server::Own(own) => Ok(own),
        }
    }
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
