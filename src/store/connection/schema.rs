//! Which schema a database has, and which one this program needs.

use tokio_postgres::Client;

use super::parameters::Settings;
use super::query::row;
use crate::store::error::Error;

pub(in crate::store) mod home;

mod embedded {
    refinery::embed_migrations!("sql/audit_db");
}

/// A migration of the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    /// Its number.
    pub version: i32,
    /// Its name.
    pub name: String,
}

/// The version of a database's schema, and that of the schema that this program was built with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SchemaState {
    /// The newest migration found; `None` where the schema is missing.
    pub found: Option<i32>,
    /// The newest migration that this program knows.
    pub known: i32,
}

/// Refinery's runner of the migrations in `sql/audit_db`.
pub(in crate::store) fn runner() -> refinery::Runner {
    embedded::migrations::runner()
}

/// All migrations, in their order.
pub(in crate::store) fn migrations() -> Vec<Migration> {
    let runner = runner();
    let mut migrations: Vec<_> = runner
        .get_migrations()
        .iter()
        .map(|migration| Migration {
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
pub(in crate::store) async fn state(client: &Client) -> Result<SchemaState, Error> {
    let what = "reading the schema's version";
    let known = migrations().last().map_or(0, |migration| migration.version);
    let exists = "SELECT to_regclass('refinery_schema_history') IS NOT NULL";
    let found = match row(client, what, exists, &[], |row| row.try_get(0)).await? {
        false => None,
        true => {
            let newest = "SELECT max(version) FROM refinery_schema_history";
            row(client, what, newest, &[], |row| row.try_get(0)).await?
        }
    };
    Ok(SchemaState { found, known })
}

/// Fails unless the database has exactly the schema that this program needs.
///
/// # Errors
/// `Error::SchemaOlder`, `Error::SchemaNewer`, `Error::Query`.
pub(super) async fn check(client: &Client, settings: &Settings) -> Result<(), Error> {
    let state = state(client).await?;
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
