//! What can go wrong with PostgreSQL, in words that name the thing and the next step.

mod driver_text;
pub(in crate::store) mod tls_refusal;

use tokio_postgres::error::SqlState;

use driver_text::{connect_hint, describe, lacks_password, tls_refusal};

/// An error of the store. The text never holds a password: it is made of the host, the database and
/// the server's message.
#[derive(Debug, thiserror::Error)]
pub enum Error {
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
    /// A column of a row holds something else than it should.
    #[error("reading the column {column}: {}", describe(.source))]
    Column {
        /// The column's name.
        column: &'static str,
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
    /// The server did something that the protocol rules out.
    #[error("{0}; nothing was recorded of it")]
    Protocol(String),
    /// A migration failed; the one that failed was rolled back.
    #[error("migrating the schema: {0}")]
    Migrate(String),
}

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
            Self::Query { source, .. } if source.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => Some(
                "`audit migrate --roles` makes the roles audit_ingester, audit_reader and audit_replayer"
                    .to_owned(),
            ),
            Self::PayloadPredicate { predicate, message, .. } => Some(predicate_hint(predicate, message)),
            Self::Settings(_) | Self::Query { .. } | Self::Column { .. } | Self::Protocol(_) | Self::Migrate(_) => None,
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

    /// Whether the server refuses a row for what it holds (SQLSTATE classes 22 and 54, and 23 but
    /// for a doubled key or a row outside its partition, which would mean a broken protocol).
    pub fn is_refused_data(&self) -> bool {
        self.sql_state().map(SqlState::code).is_some_and(|code| {
            ["22", "23", "54"].iter().any(|class| code.starts_with(class))
                && code != "23505"
                && code != "23514"
        })
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

    /// Whether trying again later can help: the connection broke, the server is going down or
    /// coming up, out of resources, a lock was not to be had, or a session froze (SQLSTATE classes
    /// 08, 40, 53 and 57, 55P03, 25P03; no SQLSTATE at all is a broken connection).
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Connect { source, .. }
                if tls_refusal(source).is_some() || lacks_password(source) =>
            {
                false
            }
            Self::Connect { source, .. } | Self::Query { source, .. } => {
                source.code().is_none_or(|state| {
                    let code = state.code();
                    code == "55P03"
                        || code == "25P03"
                        || ["08", "40", "53", "57"].iter().any(|class| code.starts_with(class))
                })
            }
            // A standby becomes the primary, and the other way around.
            Self::NoAnswer { .. } | Self::WrongServer { .. } => true,
            Self::NoServer { tried } => tried.iter().any(Self::is_transient),
            _ => false,
        }
    }
}

fn joined(errors: &[Error]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// An example of a predicate, and a mark below the place that PostgreSQL names.
fn predicate_hint(predicate: &str, message: &str) -> String {
    let example =
        "write an SQL/JSON path predicate, such as '$.total > 100' or '$.items[*].sku == \"A-1\"'";
    let token = message.split_once("at or near \"").and_then(|(_, rest)| rest.split_once("\" of"));
    let place = match token {
        Some((token, _)) => predicate.rfind(token),
        None => message.contains("at end of").then_some(predicate.len()),
    };
    match place {
        Some(place) => {
            let column = predicate[..place].chars().count();
            format!("{example}\n  {predicate}\n  {}^", " ".repeat(column))
        }
        None => example.to_owned(),
    }
}
