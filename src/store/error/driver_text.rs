//! Words for the driver's errors: its own text is often just "db error".

use std::error::Error as _;

use tokio_postgres::error::SqlState;

use super::tls_refusal::TlsRefusal;

/// The server's message, or the error and what caused it, on one line.
pub(super) fn describe(error: &tokio_postgres::Error) -> String {
    if let Some(server) = error.as_db_error() {
        let detail = server.detail().map(|detail| format!(" ({detail})")).unwrap_or_default();
        return format!("{}{detail} [SQLSTATE {}]", server.message(), server.code().code())
            .replace('\n', " ");
    }
    match tls_refusal(error) {
        Some(refusal) => refusal.to_string(),
        None => causes(error),
    }
}

/// The error and what caused it, on one line.
fn causes(error: &tokio_postgres::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.ends_with(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text.replace('\n', " ")
}

/// What the user can do about a connection that failed.
pub(super) fn connect_hint(error: &tokio_postgres::Error) -> &'static str {
    const SERVER: &str =
        "check --database-url, AUDIT_DATABASE_URL or the PG* variables, and that the server runs";
    const PASSWORD: &str =
        "check the user, and the password in PGPASSWORD, PGPASSFILE or ~/.pgpass";
    if lacks_password(error) {
        return "the server wants a password: PGPASSWORD, PGPASSFILE or ~/.pgpass";
    }
    match tls_refusal(error) {
        Some(TlsRefusal::Certificate(_)) => {
            return "sslrootcert (PGSSLROOTCERT) names the certificates to trust; with sslmode=verify-full the server's has to be \
                    for the host that is connected to";
        }
        Some(TlsRefusal::Settings(_)) => {
            return "check the files that sslrootcert, sslcert and sslkey name";
        }
        None => {}
    }
    match error.code() {
        Some(&SqlState::INVALID_PASSWORD) => PASSWORD,
        Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION) => {
            "the server does not let this user in like this: check the user, sslmode, and sslcert with sslkey"
        }
        Some(&SqlState::INVALID_CATALOG_NAME) => {
            "check the database's name, or create it; then run `audit migrate`"
        }
        Some(&SqlState::SYNTAX_ERROR | &SqlState::UNDEFINED_OBJECT) => {
            "check options in the URL, or PGOPTIONS: they are written as in options=-c%20statement_timeout=5s"
        }
        Some(&SqlState::TOO_MANY_CONNECTIONS | &SqlState::CANNOT_CONNECT_NOW) => {
            "try again in a moment"
        }
        _ if causes(error).contains("does not support TLS") => {
            "with sslmode=prefer or disable it goes without TLS"
        }
        _ if is_hung_up(error) => {
            "the server ended the connection, and its log says why: a certificate of sslcert that it does not accept, or a restart"
        }
        _ => SERVER,
    }
}

/// The refusal below the driver's error, where TLS is what failed.
pub(super) fn tls_refusal(error: &tokio_postgres::Error) -> Option<&TlsRefusal> {
    error.source()?.downcast_ref()
}

/// Whether the server asked for a password and the settings have none. The driver has no code for
/// it.
pub(super) fn lacks_password(error: &tokio_postgres::Error) -> bool {
    error.source().is_some_and(|cause| cause.to_string() == "password missing")
}

/// Whether a server answered, but ended the connection without an error message of PostgreSQL.
fn is_hung_up(error: &tokio_postgres::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    let kind = error
        .source()
        .and_then(|cause| cause.downcast_ref::<std::io::Error>())
        .map(std::io::Error::kind);
    matches!(kind, Some(BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof))
        || causes(error).contains(" alert ")
}
