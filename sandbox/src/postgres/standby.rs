//! Standbys: a server that follows another one, and one that is a standby for a while.

use std::os::unix::fs::chown;
use std::sync::Mutex;

use super::own::Own;
use super::server::{Postgres, Server};
use crate::error::Error;
use crate::process::Process;

/// A file of this name in its data folder makes a server a standby when it starts.
const STANDBY_SIGNAL: &str = "standby.signal";

impl Postgres {
    /// Starts a streaming standby of this server, in the folder `name`. Like the server itself it
    /// ends when it is dropped, or with the sandbox.
    ///
    /// # Errors
    /// When the server is given, there is no `pg_basebackup`, or the standby doesn't come up.
    pub fn standby(&self, name: &str) -> Result<Postgres, Error> {
        let primary = self.own("followed")?;
        let mut standby = Own {
            process: Mutex::new(None),
            port: 0,
            bin: primary.bin.clone(),
            folder: primary.guardian.folder(name, primary.user.as_ref())?,
            user: primary.user.clone(),
            settings: primary.settings.clone(),
            guardian: primary.guardian.clone(),
        };
        let program = standby.program("pg_basebackup");
        Process::run(&standby.guardian, &standby.folder, &program, |command| {
            standby.arrange(command);
            command
                .args(["--host=127.0.0.1", "--username=postgres", "--no-sync"])
                .args(["--checkpoint=fast", "--wal-method=stream", "--write-recovery-conf"])
                .arg(format!("--port={}", primary.port))
                .arg("--pgdata")
                .arg(standby.data());
        })?;
        standby.start_on_free_port()?;
        Ok(Postgres(Server::Own(Box::new(standby))))
    }

    /// Makes a standby a primary. Returns when it takes writes.
    ///
    /// # Errors
    /// When it is no standby, or does not become a primary within a minute.
    pub fn promote(&self) -> Result<(), Error> {
        self.execute("promote the standby", "SELECT pg_promote()")
    }

    /// Restarts the server as a standby that follows nobody: it answers, and takes no writes until
    /// it is promoted.
    ///
    /// # Errors
    /// As [`Postgres::restart`].
    pub fn demote(&self) -> Result<(), Error> {
        let own = self.own("demoted")?;
        self.stop()?;
        let path = own.data().join(STANDBY_SIGNAL);
        let (user, group) =
            own.user.as_ref().map(|user| (user.uid.as_raw(), user.gid.as_raw())).unzip();
        std::fs::write(&path, "")
            .and_then(|()| chown(&path, user, group))
            .map_err(|error| Error::Directory { path, reason: error.to_string() })?;
        self.start()
    }
}
