//! What can go wrong with PostgreSQL, in words that name the thing and the next step.

mod driver_text;
pub(in crate::store) mod tls_refusal;

use tokio_postgres::error::SqlState;

use crate::evidence::CanonicalError;
use driver_text::{connect_hint, describe, lacks_password, tls_refusal};

/// An error of the store. The text never holds a password: it is made of the host, the database and
/// the server's message.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The URL or key/value text of a database can't be read.
    #[error("database URL: {0}")]
    Url(String),
    /// The connection settings can't be used.
    #[error("database settings: {0}")]
    Settings(String),
    /// No connection could be made.
    #[error("can't connect to PostgreSQL at {target}: {}", describe(.source))]
    Connect {
        /// host:port/database
        target: String,
        /// What the driver said.
        source: tokio_postgres::Error,
    },
    /// The server accepted a connection and said nothing more.
    #[error("PostgreSQL at {target} gave no answer within {seconds} s")]
    NoAnswer {
        /// host:port/database
        target: String,
        /// How long this side waited, in seconds.
        seconds: u64,
    },
    /// The server can't do what `target_session_attrs` asks for.
    #[error("PostgreSQL at {target} is {found}, and target_session_attrs={wanted}")]
    WrongServer {
        /// host:port/database
        target: String,
        /// What was asked for, as it is written.
        wanted: &'static str,
        /// What the server is, in words.
        found: &'static str,
    },
    /// Of several servers, no one could be used.
    #[error("{}", joined(.tried))]
    NoServer {
        /// Why, server by server.
        tried: Vec<Error>,
    },
    /// A statement failed.
    #[error("{what}: {}", describe(.source))]
    Query {
        /// What was being done, as a fragment: "reading the ledger".
        what: &'static str,
        /// What the driver said.
        source: tokio_postgres::Error,
    },
    /// A row or a leaf has no canonical form, so it can't be proven.
    #[error("evidence: {0}")]
    Evidence(CanonicalError),
    /// The log of evidence lacks something that it had.
    #[error("{what}: something of the log of evidence was taken away or changed")]
    EvidenceLacks {
        /// What is missing.
        what: String,
    },
    /// A column of a row holds something else than it should.
    #[error("reading the column {column}: {}", describe(.source))]
    Column {
        /// The column's name.
        column: String,
        /// What the driver said.
        source: tokio_postgres::Error,
    },
    /// PostgreSQL can't read a path into the payload.
    #[error("{option}: '{path}': {message}")]
    PayloadPath {
        /// The option that it was given with.
        option: &'static str,
        /// As it was typed.
        path: String,
        /// What PostgreSQL said, and where.
        message: String,
        /// What the driver said.
        source: tokio_postgres::Error,
    },
    /// PostgreSQL can't read a predicate on the payload.
    #[error("--where '{predicate}': {message}")]
    PayloadPredicate {
        /// As it was typed.
        predicate: String,
        /// What PostgreSQL said, and where.
        message: String,
        /// What the driver said.
        source: tokio_postgres::Error,
    },
    /// The database has no schema yet, or an older one than this program needs.
    #[error("the schema of {target} is {found}, this program needs version {needed}")]
    SchemaOlder {
        /// host:port/database
        target: String,
        /// "missing" or "version N".
        found: String,
        /// The version that this program was built with.
        needed: i32,
    },
    /// The database was migrated by a newer program.
    #[error(
        "the schema of {target} is version {found}, newer than the version {known} that this program knows"
    )]
    SchemaNewer {
        /// host:port/database
        target: String,
        /// The version found.
        found: i32,
        /// The version that this program was built with.
        known: i32,
    },
    /// The database can't hold every character.
    #[error(
        "the encoding of {target} is {encoding}, which can't hold every event: it has to be UTF8"
    )]
    Encoding {
        /// host:port/database
        target: String,
        /// The encoding found.
        encoding: String,
    },
    /// The database is not where it was at home.
    #[error(
        "{target} is a copy of an audit database, or was moved: it was recorded on another server, or as another database"
    )]
    Copy {
        /// host:port/database
        target: String,
    },
    /// The server only reads.
    #[error("PostgreSQL at {target} is a standby, which takes no writes")]
    Standby {
        /// host:port/database
        target: String,
    },
    /// The server did something that the protocol rules out.
    #[error("{0}; nothing was recorded of it")]
    Protocol(String),
    /// Somebody else owns the tables, and alone can give rights on them.
    #[error("making the roles: {owner} owns the tables, and gives the rights on them")]
    NotOwner {
        /// A role that owns tables, of which the connected one is no member.
        owner: String,
    },
    /// Somebody else owns the tables, and alone can adopt batches or begin the log anew.
    #[error("{owner} owns the log of evidence, and alone can do that")]
    NotOwnerOfLog {
        /// The owner, of which the connected role is no member.
        owner: String,
    },
    /// A migration failed; the one that failed was rolled back.
    #[error("migrating the schema: {0}")]
    Migrate(String),
}

/// Where writes are taken.
const PRIMARY_HINT: &str = "connect to the primary; of several hosts in the URL, target_session_attrs=read-write chooses it";

impl Error {
    /// For `map_err`: names what was being done.
    pub(crate) fn query(what: &'static str) -> impl Fn(tokio_postgres::Error) -> Self + Copy {
        move |source| Self::Query { what, source }
    }

    /// The error of a statement that had PostgreSQL read a predicate on the payload.
    pub(crate) fn payload_predicate(predicate: &str, source: tokio_postgres::Error) -> Self {
        let Some(server) = source.as_db_error() else {
            return Self::Query { what: "checking --where", source };
        };
        let message = match server.code() {
            &SqlState::SINGLETON_SQL_JSON_ITEM_REQUIRED => {
                "this is a path, not a predicate".to_owned()
            }
            _ => server.message().to_owned(),
        };
        Self::PayloadPredicate { predicate: predicate.to_owned(), message, source }
    }

    /// The error of a statement that had PostgreSQL read a path into the payload.
    pub(crate) fn payload_path(
        option: &'static str,
        path: &str,
        source: tokio_postgres::Error,
    ) -> Self {
        let Some(server) = source.as_db_error() else {
            return Self::Query { what: "checking a path of the payload", source };
        };
        let message = server.message().to_owned();
        Self::PayloadPath { option, path: path.to_owned(), message, source }
    }

    /// What the user can do about it, where there is something.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Connect { source, .. } => Some(connect_hint(source).to_owned()),
            Self::NoAnswer { .. } => {
                Some("is it a PostgreSQL, and is it overloaded or just starting? connect_timeout in the URL waits longer".to_owned())
            }
            Self::WrongServer { .. } => Some(
                "name all servers, as in host=one,two; with target_session_attrs=any each of them will do".to_owned(),
            ),
            Self::NoServer { tried } => tried.iter().rev().find_map(Self::hint),
            Self::SchemaOlder { .. } => Some("run `audit migrate`".to_owned()),
            Self::SchemaNewer { .. } => Some("use the `audit` that migrated it, or a newer one".to_owned()),
            Self::NotOwner { owner } => {
                Some(format!("connect as {owner}, or as a member of it that may create roles"))
            }
            Self::Query { what: "making the roles", .. } => {
                Some("connect as a role that owns the tables and may create roles (CREATEROLE)".to_owned())
            }
            Self::Query { source, .. } if source.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => Some(
                "`audit migrate --roles` makes the roles audit_ingester, audit_reader and audit_replayer"
                    .to_owned(),
            ),
            Self::Query { source, .. } if source.code() == Some(&SqlState::READ_ONLY_SQL_TRANSACTION) => {
                Some(PRIMARY_HINT.to_owned())
            }
            Self::Query { source, .. } if source.code() == Some(&SqlState::T_R_SERIALIZATION_FAILURE) => Some(
                "run it again: a standby ends queries that are in the way of what its primary sends; \
                 max_standby_streaming_delay or hot_standby_feedback give them more time"
                    .to_owned(),
            ),
            Self::Standby { .. } => Some(PRIMARY_HINT.to_owned()),
            Self::Encoding { .. } => Some(
                "make another database: CREATE DATABASE audit_db ENCODING 'UTF8' TEMPLATE template0; then run `audit migrate`"
                    .to_owned(),
            ),
            Self::Copy { .. } => Some(
                "where its original is still recorded, run `audit migrate --adopt-copy new-id`: it then records for itself; \
                 where this is the original, moved or restored, run `audit migrate --adopt-copy moved`"
                    .to_owned(),
            ),
            Self::PayloadPredicate { predicate, message, .. } => Some(jsonpath_hint(PREDICATE, predicate, message)),
            Self::PayloadPath { path, message, .. } => Some(jsonpath_hint(PATH, path, message)),
            Self::NotOwnerOfLog { owner } => {
                Some(format!("connect as {owner}, or as a member of it"))
            }
            Self::EvidenceLacks { .. } => Some("`audit verify` tells what was changed".to_owned()),
            Self::Url(_) | Self::Settings(_) | Self::Query { .. } | Self::Column { .. } | Self::Protocol(_) | Self::Migrate(_) | Self::Evidence(_) => None,
        }
    }

    /// The SQLSTATE, where the server gave one.
    pub fn sql_state(&self) -> Option<&SqlState> {
        match self {
            Self::Connect { source, .. } | Self::Query { source, .. } => source.code(),
            Self::NoServer { tried } => tried.iter().rev().find_map(Self::sql_state),
            _ => None,
        }
    }

    /// Whether the server refuses a row for what it holds, or for what somebody added to the
    /// tables: an index, a constraint, a trigger that raises (SQLSTATE classes 22, 23, 54 and P0).
    /// A doubled primary key or a row outside its leaf would mean a broken protocol.
    pub fn is_refused_data(&self) -> bool {
        let Self::Query { source, .. } = self else { return false };
        let Some(server) = source.as_db_error() else { return false };
        let constraint = server.constraint();
        match server.code().code() {
            "23505" => constraint.is_some_and(|name| !name.ends_with("_pkey")),
            // The bounds of a leaf are a constraint without a name.
            "23514" => constraint.is_some(),
            code => ["22", "23", "54", "P0"].iter().any(|class| code.starts_with(class)),
        }
    }

    /// Whether a lock was not to be had within `lock_timeout`.
    pub fn is_lock_not_available(&self) -> bool {
        self.sql_state() == Some(&SqlState::LOCK_NOT_AVAILABLE)
    }

    /// The server's own words, and in which line of a COPY it found the fault (the first is 1),
    /// where it says so.
    pub fn refused_row(&self) -> (String, Option<usize>) {
        let Self::Query { source, .. } = self else { return (self.to_string(), None) };
        let Some(server) = source.as_db_error() else { return (self.to_string(), None) };
        // Reads "COPY event_logs_000000, line 57, column payload" by its number: the words are
        // translated.
        let line =
            server.where_().unwrap_or_default().lines().find(|line| line.starts_with("COPY "));
        let line = line.and_then(|context| {
            let number =
                context.split(", ").nth(1)?.split_whitespace().find_map(|word| word.parse().ok());
            number.filter(|line| *line > 0)
        });
        (format!("{} [SQLSTATE {}]", server.message(), server.code().code()), line)
    }

    /// Whether trying again later can help, on a new connection: the old one broke, the server is
    /// going down or coming up, out of resources, or takes no writes because it is a standby, a
    /// lock was not to be had, a session froze, or what was prepared no longer fits (SQLSTATE
    /// classes 08, 40, 53 and 57, 55P03, 25P03, 25006, 0A000; no SQLSTATE at all is a broken
    /// connection).
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Connect { source, .. }
                if tls_refusal(source).is_some() || lacks_password(source) =>
            {
                false
            }
            Self::Connect { source, .. } => source.code().is_none_or(is_transient_state),
            Self::Query { source, .. } => source.code().is_none_or(|state| {
                is_transient_state(state) || state == &SqlState::FEATURE_NOT_SUPPORTED
            }),
            // A standby becomes the primary, and the other way around.
            Self::NoAnswer { .. } | Self::Standby { .. } | Self::WrongServer { .. } => true,
            Self::NoServer { tried } => tried.iter().any(Self::is_transient),
            _ => false,
        }
    }

    /// Whether the server refuses to write because it is a standby, or set to only read.
    pub fn is_read_only(&self) -> bool {
        matches!(self, Self::Standby { .. })
            || self.sql_state() == Some(&SqlState::READ_ONLY_SQL_TRANSACTION)
    }
}

fn is_transient_state(state: &SqlState) -> bool {
    let code = state.code();
    ["55P03", "25P03", "25006"].contains(&code)
        || ["08", "40", "53", "57"].iter().any(|class| code.starts_with(class))
}

fn joined(errors: &[Error]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// How a predicate on the payload is written.
const PREDICATE: &str = "write an SQL/JSON path predicate, such as '$.total.double() > 100' or '$.items[*].sku == \"A-1\"'";
/// How a path into the payload is written.
const PATH: &str = "write an SQL/JSON path, such as '$.total_amount' or '$.items[0].sku'; a comma within it is '\\,'";

/// How it is written, and a mark below the place that PostgreSQL names.
fn jsonpath_hint(example: &str, jsonpath: &str, message: &str) -> String {
    let token = message.split_once("at or near \"").and_then(|(_, rest)| rest.split_once("\" of"));
    let place = match token {
        Some((token, _)) => jsonpath.rfind(token),
        None => message.contains("at end of").then_some(jsonpath.len()),
    };
    match place {
        Some(place) => {
            let column = jsonpath[..place].chars().count();
            format!("{example}\n  {jsonpath}\n  {}^", " ".repeat(column))
        }
        None => example.to_owned(),
    }
}
