//! Applies the schema's migrations, under an advisory lock.

use tokio_postgres::SimpleQueryMessage;

use crate::store::Error;
use crate::store::connection::schema::{self, Migration, SchemaState};
use crate::store::connection::session::Session;
use crate::store::connection::settings::Settings;

/// Roles belong to the whole server, so they are no migration.
const ROLES: &str = include_str!("../../../sql/audit_db/roles.sql");

/// Held while migrating, so that any number of `audit migrate` may run at once. The number has no
/// meaning.
const MIGRATION_LOCK: i64 = 0x6175_6469_745f_6d69;

/// Reads which schema the database has.
///
/// # Errors
/// `Error::Query`.
pub async fn schema_state(session: &Session) -> Result<SchemaState, Error> {
    schema::state(session.client()).await
}

/// The migrations that `migrate` would apply.
///
/// # Errors
/// As [`schema_state`], and `Error::SchemaNewer`.
pub async fn pending(session: &Session, settings: &Settings) -> Result<Vec<Migration>, Error> {
    let state = schema_state(session).await?;
    let found = state.found.unwrap_or(0);
    if found > state.known {
        return Err(Error::SchemaNewer { target: settings.target(), found, known: state.known });
    }
    Ok(schema::migrations().into_iter().filter(|migration| migration.version > found).collect())
}

/// Applies what is missing and returns it. Each migration is one transaction. Safe when several run
/// at once: the others wait, and find nothing left to do.
///
/// # Errors
/// `Error::Migrate` where a migration fails, `Error::SchemaNewer`, `Error::Query`.
pub async fn migrate(session: &mut Session, settings: &Settings) -> Result<Vec<Migration>, Error> {
    session
        .client()
        .execute("SELECT pg_advisory_lock($1)", &[&MIGRATION_LOCK])
        .await
        .map_err(Error::query("waiting for another migration to end"))?;
    let missing = pending(session, settings).await?;
    if !missing.is_empty() {
        schema::runner()
            .run_async(session.client_mut())
            .await
            .map_err(|error| Error::Migrate(one_line(&error)))?;
    }
    // The session's end would release it too; this lets a caller go on with the connection.
    session
        .client()
        .execute("SELECT pg_advisory_unlock($1)", &[&MIGRATION_LOCK])
        .await
        .map_err(Error::query("releasing the migration lock"))?;
    Ok(missing)
}

/// Makes the group roles `audit_ingester`, `audit_reader` and `audit_replayer`, and gives them
/// their rights (`sql/audit_db/roles.sql`).
///
/// # Errors
/// `Error::Query`, for example where the connected user may not create roles.
pub async fn apply_roles(session: &Session) -> Result<(), Error> {
    let transaction =
        format!("BEGIN; SELECT pg_advisory_xact_lock({MIGRATION_LOCK}); {ROLES}; COMMIT");
    let messages: Vec<SimpleQueryMessage> = session
        .client()
        .simple_query(&transaction)
        .await
        .map_err(Error::query("making the roles"))?;
    drop(messages);
    Ok(())
}

fn one_line(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text.replace('\n', " ")
}
