//! Starts a private PostgreSQL and a private Kafka as real processes, for the demo, the tests and
//! the benches.
//!
//! ```no_run
//! let sandbox = sandbox::Sandbox::shared();
//! let scope = sandbox.scope("keeps_every_event");
//! let topic = scope.create_topic("orders.events", 4);
//! println!("{} {} {topic}", scope.database_url(), scope.brokers());
//! ```
//!
//! PostgreSQL is, in this order: the one that `SANDBOX_POSTGRES_URL` names; `initdb` and `postgres`
//! on PATH or in the usual folders; binaries through Maven. Kafka is: the one that
//! `SANDBOX_BROKERS` names; `KAFKA_HOME`; Apache Kafka through Maven, on Java 17; librdkafka's
//! mock. A schema registry is started only where it is asked for: the one that
//! `SANDBOX_SCHEMA_REGISTRY_URL` names; Apicurio through Maven. However the process that started
//! them ends, the servers and their directory go with it (see `process/guardian.sh`).

mod blocking;
mod error;
mod fetch;
mod kafka;
mod ports;
mod postgres;
mod process;
mod progress;
mod proxy;
mod registry;
mod scope;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};

pub use crate::error::Error;
pub use crate::kafka::{GIVEN_BROKERS, Kafka, Placed, SASL_USER, create_topic, produce};
pub use crate::postgres::{GIVEN_POSTGRES, Peculiarities, Postgres};
pub use crate::process::Process;
pub use crate::progress::Progress;
pub use crate::proxy::{Direction, Proxy, Verdict};
pub use crate::registry::{GIVEN_SCHEMA_REGISTRY, SchemaRegistry};
pub use crate::scope::Scope;

use nix::sys::signal::Signal;

use crate::process::Guardian;

/// A running PostgreSQL and a running Kafka, and a schema registry beside them where it was asked
/// for. They stop, and their directory goes, when it is
/// dropped or when its process ends in any way.
#[derive(Debug)]
pub struct Sandbox {
    // Fields drop in their order: the servers before the guardian, which they also hold.
    postgres: Postgres,
    kafka: Kafka,
    registry: OnceLock<SchemaRegistry>,
    guardian: Arc<Guardian>,
}

impl Sandbox {
    /// Starts both servers, and says in plain lines on stderr which ones. Blocks until both answer.
    ///
    /// # Errors
    /// When a server can't be found, fetched or started. The message says what to do, and has the
    /// last lines of the server's log.
    pub fn start() -> Result<Sandbox, Error> {
        Sandbox::start_with(&Progress::lines())
    }

    /// Starts both servers, and shows its progress as asked.
    ///
    /// # Errors
    /// As [`Sandbox::start`].
    pub fn start_with(progress: &Progress) -> Result<Sandbox, Error> {
        Sandbox::start_servers(progress, false)
    }

    /// Starts all three servers: the schema registry, too, at the same time as the others.
    ///
    /// # Errors
    /// As [`Sandbox::start`].
    pub fn start_with_registry(progress: &Progress) -> Result<Sandbox, Error> {
        Sandbox::start_servers(progress, true)
    }

    fn start_servers(progress: &Progress, with_registry: bool) -> Result<Sandbox, Error> {
        let guardian = Arc::new(Guardian::start()?);
        let (postgres, kafka, registry) = std::thread::scope(|threads| {
            let kafka = threads.spawn(|| Kafka::set_up(&guardian, progress));
            let registry = with_registry
                .then(|| threads.spawn(|| SchemaRegistry::set_up(&guardian, progress)));
            let postgres = Postgres::set_up(&guardian, progress);
            let kafka = kafka.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            let registry = registry.map(|registry| {
                registry.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            });
            (postgres, kafka, registry)
        });
        let registry = registry.transpose()?.map_or_else(OnceLock::new, OnceLock::from);
        Ok(Sandbox { postgres: postgres?, kafka: kafka?, registry, guardian })
    }

    /// The one sandbox of this process, started when it is first asked for.
    ///
    /// # Panics
    /// With the readable error when it can't be started: it is for tests.
    pub fn shared() -> &'static Sandbox {
        static SHARED: OnceLock<Sandbox> = OnceLock::new();
        SHARED.get_or_init(|| scope::or_panic(Sandbox::start()))
    }

    /// The PostgreSQL server.
    pub fn postgres(&self) -> &Postgres {
        &self.postgres
    }

    /// Starts another PostgreSQL, which ends when it is dropped, or with the sandbox. Its files are
    /// in the folder `name`.
    ///
    /// # Errors
    /// As [`Sandbox::start`].
    pub fn another_postgres(
        &self,
        name: &str,
        peculiarities: Peculiarities<'_>,
    ) -> Result<Postgres, Error> {
        Postgres::start_own(&self.guardian, &Progress::lines(), name, peculiarities)
    }

    /// As [`Sandbox::another_postgres`], and always of major version 17, which is fetched through
    /// Maven, once, into the cache folder.
    ///
    /// # Errors
    /// When it can't be had ([`Error::NoPostgres`] where there is no Maven), or doesn't start.
    pub fn postgres_17(&self, name: &str) -> Result<Postgres, Error> {
        Postgres::start_fetched(&self.guardian, &Progress::lines(), name)
    }

    /// The Kafka cluster.
    pub fn kafka(&self) -> &Kafka {
        &self.kafka
    }

    /// The schema registry, started when it is first asked for.
    ///
    /// # Panics
    /// With the readable error when it can't be started: it is for tests.
    pub fn registry(&self) -> &SchemaRegistry {
        let start = || SchemaRegistry::set_up(&self.guardian, &Progress::lines());
        self.registry.get_or_init(|| scope::or_panic(start()))
    }

    /// One test's own databases and topics on these servers. The name shows up in theirs.
    pub fn scope(&self, name: &str) -> Scope<'_> {
        Scope::new(&self.postgres, &self.kafka, name)
    }

    /// Starts a program beside the servers, which ends with them at the latest, even after a kill
    /// -9 of this process. It runs, and its output goes to the file `log`, in the folder `name` of
    /// the sandbox's directory: one at a time in each. `arrange` adds its arguments.
    ///
    /// # Errors
    /// When the program can't be run, or the folder not be made.
    pub fn spawn(
        &self,
        name: &str,
        program: &Path,
        arrange: impl FnOnce(&mut Command),
    ) -> Result<Process, Error> {
        let folder = self.folder(name)?;
        Process::start(&self.guardian, &folder, program, Signal::SIGKILL, arrange)
    }

    /// Java 17 or newer, as the sandbox's own Kafka would use it.
    ///
    /// # Errors
    /// When there is none: why not.
    pub fn java(&self) -> Result<PathBuf, String> {
        fetch::java()
    }

    /// The folder of all jars that a Maven project depends on. They are fetched once, into the
    /// user's cache folder; `None` where that has yet to be done and there is no Maven.
    ///
    /// # Errors
    /// When they can't be fetched.
    pub fn jars(&self, name: &str, pom: &str) -> Result<Option<PathBuf>, Error> {
        fetch::jars(&self.guardian, &Progress::lines(), name, pom)
    }

    /// A folder in the sandbox's directory, made when it isn't there yet.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn folder(&self, name: &str) -> Result<PathBuf, Error> {
        self.guardian.folder(name, None)
    }

    /// The directory that holds all files of the sandbox, and goes with it.
    pub fn directory(&self) -> &Path {
        self.guardian.directory()
    }
}
