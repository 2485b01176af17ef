//! What can go wrong while the sandbox starts or drives its servers.

use std::path::PathBuf;

/// Why the sandbox could not do something. The messages say what failed, on what, and what to do
/// next.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The temporary directory, or something in it, could not be made or written.
    #[error("cannot use the directory {}: {reason}; TMPDIR chooses another place", path.display())]
    Directory {
        /// The directory or file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// Neither a PostgreSQL that is installed nor a way to fetch one was found.
    #[error(
        "found no PostgreSQL 15 or newer: {reason}; install its server, put initdb and postgres on PATH, or name a \
         running one in SANDBOX_POSTGRES_URL"
    )]
    NoPostgres {
        /// Why the last way that was tried did not work.
        reason: String,
    },
    /// Neither a schema registry that is given nor a way to fetch one was found.
    #[error(
        "found no schema registry: {reason}; install Java 17 and Maven, or name a running one in \
         SANDBOX_SCHEMA_REGISTRY_URL"
    )]
    NoSchemaRegistry {
        /// Why there is none.
        reason: String,
    },
    /// Something could not be fetched through Maven.
    #[error("cannot fetch {what} through Maven: {reason}")]
    Fetch {
        /// What was to be fetched.
        what: String,
        /// What went wrong, with the last lines of Maven's output.
        reason: String,
    },
    /// `SANDBOX_POSTGRES_URL`, `SANDBOX_BROKERS`, `SANDBOX_SCHEMA_REGISTRY_URL` or `KAFKA_HOME`
    /// cannot be used.
    #[error("cannot use {variable}: {reason}")]
    Given {
        /// The environment variable.
        variable: &'static str,
        /// What is wrong with it, without its value.
        reason: String,
    },
    /// A program that the sandbox needs for a moment (`initdb`, Kafka's format tool) failed.
    #[error("{program} failed ({reason}); the last lines of its output:\n{log}")]
    Program {
        /// The program.
        program: String,
        /// How it ended.
        reason: String,
        /// The last lines of its output.
        log: String,
    },
    /// A server did not come up.
    #[error("{server} did not start: {reason}; the last lines of its log:\n{log}")]
    NotStarted {
        /// The server.
        server: &'static str,
        /// Whether it ended, or did not answer in time.
        reason: String,
        /// The last lines of its log.
        log: String,
    },
    /// A server was told to stop and did not.
    #[error("{server} did not stop: {reason}")]
    NotStopped {
        /// The server.
        server: &'static str,
        /// What went wrong.
        reason: String,
    },
    /// The server is not the sandbox's own, and so cannot be stopped or started by it.
    #[error("{server} can't be {action} here: it is {what}, not a server that the sandbox started")]
    NotOurs {
        /// The server.
        server: &'static str,
        /// What was asked, as a participle.
        action: &'static str,
        /// What the server is: given by the user, or a mock.
        what: &'static str,
    },
    /// The database or topic exists already.
    #[error("{what} {name} exists already")]
    Exists {
        /// Database or topic.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// A statement or an administrative request failed.
    #[error("cannot {action}: {reason}")]
    Request {
        /// What was to be done, and on what.
        action: String,
        /// What the server or the client library said.
        reason: String,
    },
    /// A proxy could not be started.
    #[error("cannot start a proxy on the loopback interface: {0}")]
    Proxy(#[source] std::io::Error),
}
