//! The schema's migrations, under an advisory lock, and the check that a database has the schema
//! this program needs.

use tokio_postgres::{Client, SimpleQueryMessage};

use crate::store::{Error, Settings};

mod embedded {
    refinery::embed_migrations!("sql/audit_db");
}

/// Roles belong to the whole server, so they are no migration.
const ROLES: &str = include_str!("../../../sql/audit_db/roles.sql");

/// Held while migrating, so that any number of `audit migrate` may run at once. The number has no
/// meaning.
const MIGRATION_LOCK: i64 = 0x6175_6469_745f_6d69;

/// One migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedMigration {
    /// Its number.
    pub version: i32,
    /// Its name.
    pub name: String,
}

/// How a database's schema stands to the one that this program was built with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SchemaState {
    /// The newest migration found; `None` where the schema is missing.
    pub found: Option<i32>,
    /// The newest migration that this program knows.
    pub known: i32,
}

fn known() -> Vec<AppliedMigration> {
    let mut migrations: Vec<_> = embedded::migrations::runner()
        .get_migrations()
        .iter()
        .map(|migration| AppliedMigration {
            version: migration.version(),
            name: migration.name().to_owned(),
        })
        .collect();
    migrations.sort_by_key(|migration| migration.version);
    migrations
}

/// Reads which schema the database has.
///
/// # Errors
/// `Error::Query`.
pub async fn schema_state(client: &Client) -> Result<SchemaState, Error> {
    let failed = Error::query;
    let known = known().last().map_or(0, |migration| migration.version);
    let history: Option<String> = client
        .query_one("SELECT to_regclass('refinery_schema_history')::text", &[])
        .await
        .map_err(failed("reading the schema's version"))?
        .get(0);
    let found = match history {
        None => None,
        Some(_) => client
            .query_one("SELECT max(version) FROM refinery_schema_history", &[])
            .await
            .map_err(failed("reading the schema's version"))?
            .get(0),
    };
    Ok(SchemaState { found, known })
}

/// Fails unless the database has exactly the schema that this program needs.
///
/// # Errors
/// `Error::SchemaOlder`, `Error::SchemaNewer`, `Error::Query`.
pub async fn check_schema(client: &Client, settings: &Settings) -> Result<(), Error> {
    let state = schema_state(client).await?;
    match state.found {
        Some(found) if found == state.known => Ok(()),
        Some(found) if found > state.known => {
            Err(Error::SchemaNewer { target: settings.target(), found, known: state.known })
        }
        found => Err(Error::SchemaOlder {
            target: settings.target(),
            found: found.map_or_else(|| "missing".to_owned(), |found| format!("version {found}")),
            needed: state.known,
        }),
    }
}

/// The migrations that `migrate` would apply.
///
/// # Errors
/// As [`schema_state`], and `Error::SchemaNewer`.
pub async fn pending(client: &Client, settings: &Settings) -> Result<Vec<AppliedMigration>, Error> {
    let state = schema_state(client).await?;
    let found = state.found.unwrap_or(0);
    if found > state.known {
        return Err(Error::SchemaNewer { target: settings.target(), found, known: state.known });
    }
    Ok(known().into_iter().filter(|migration| migration.version > found).collect())
}

/// Applies what is missing and returns it. Each migration is one transaction. Safe when several run
/// at once: the others wait, and find nothing left to do.
///
/// # Errors
/// `Error::Migrate` where a migration fails, `Error::SchemaNewer`, `Error::Query`.
pub async fn migrate(
    client: &mut Client,
    settings: &Settings,
) -> Result<Vec<AppliedMigration>, Error> {
    client
        .execute("SELECT pg_advisory_lock($1)", &[&MIGRATION_LOCK])
        .await
        .map_err(Error::query("waiting for another migration to end"))?;
    let missing = pending(client, settings).await?;
    if !missing.is_empty() {
        embedded::migrations::runner()
            .run_async(client)
            .await
            .map_err(|error| Error::Migrate(one_line(&error)))?;
    }
    // The session's end would release it too; this lets a caller go on with the connection.
    client
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
pub async fn apply_roles(client: &Client) -> Result<(), Error> {
    let transaction =
        format!("BEGIN; SELECT pg_advisory_xact_lock({MIGRATION_LOCK}); {ROLES}; COMMIT");
    let messages: Vec<SimpleQueryMessage> =
        client.simple_query(&transaction).await.map_err(Error::query("making the roles"))?;
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
