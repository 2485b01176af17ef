//! Applies the schema's migrations, under an advisory lock.

use tokio_postgres::types::Type;

use crate::store::connection::parameters::Settings;
use crate::store::connection::query::TypedValue;
use crate::store::connection::schema;
use crate::store::connection::schema::home::Home;
use crate::store::connection::schema::{Migration, SchemaState};
use crate::store::connection::session::Session;
use crate::store::error::Error;

/// Roles belong to the whole server, so they are no migration.
const ROLES: &str = include_str!("../../../sql/audit_db/roles.sql");

/// The advisory lock that is held while migrating, so that any number of `audit migrate` may run at
/// once. The number has no meaning.
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
/// `Error::Encoding` and `Error::Standby` where the database can't be what is needed,
/// `Error::Migrate` where a migration fails, `Error::SchemaNewer`, `Error::Query`.
pub async fn migrate(session: &mut Session, settings: &Settings) -> Result<Vec<Migration>, Error> {
    Home::of_server(session.client()).await?.check_writable(settings)?;
    let key: [TypedValue<'_>; 1] = [(&MIGRATION_LOCK, Type::INT8)];
    let waiting = "waiting for another migration to end";
    session.execute(waiting, "SELECT pg_advisory_lock($1)", &key).await?;
    let missing = pending(session, settings).await?;
    if !missing.is_empty() {
        check_ids_of_old_leaves(session, &missing).await?;
        schema::runner()
            .run_async(session.client_mut())
            .await
            .map_err(|error| Error::Migrate(one_line(&error)))?;
    }
    // Lets a caller go on with the session, whose end would release the lock, too.
    let releasing = "releasing the migration lock";
    session.execute(releasing, "SELECT pg_advisory_unlock($1)", &key).await?;
    Ok(missing)
}

/// The migration that takes leaves out of `event_logs` and puts them back.
const LEAVES: i32 = 11;

/// Spares the migration [`LEAVES`] the reading of the leaves that it puts back, under a lock that
/// everybody waits for: a constraint that is checked before, while others go on, tells that their
/// ids are right. The leaf that is written to, and those of versions before, are read then.
async fn check_ids_of_old_leaves(session: &Session, missing: &[Migration]) -> Result<(), Error> {
    if missing.first().is_none_or(|first| first.version > LEAVES || first.version == 1) {
        return Ok(());
    }
    let what = "checking the ids of the partitions of event_logs";
    // Bounds and names come out of the catalog: names of leaves need no quotes.
    let leaves: Vec<(String, String, String)> = session
        .rows(
            what,
            "SELECT inhrelid::regclass::text, bound[1], bound[2]
               FROM pg_inherits
               JOIN pg_class ON pg_class.oid = inhrelid
              CROSS JOIN LATERAL regexp_match(pg_get_expr(relpartbound, pg_class.oid), 'FROM \\(''(\\d+)''\\) TO \\(''(\\d+)''\\)') AS bound
              WHERE inhparent = 'event_logs'::regclass
                AND bound[2]::bigint <= (SELECT last_value FROM event_logs_id_seq)
              ORDER BY bound[1]::bigint",
            &[],
            |row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?)),
        )
        .await?;
    for (leaf, first_id, next_id) in leaves {
        let constraint = format!(
            "ALTER TABLE {leaf} DROP CONSTRAINT IF EXISTS audit_leaf_ids;
             ALTER TABLE {leaf} ADD CONSTRAINT audit_leaf_ids CHECK (id >= {first_id} AND id < {next_id}) NOT VALID"
        );
        let validate = format!("ALTER TABLE {leaf} VALIDATE CONSTRAINT audit_leaf_ids");
        for statement in [constraint, validate] {
            session.client().batch_execute(&statement).await.map_err(Error::query(what))?;
        }
    }
    Ok(())
}

/// Makes the group roles `audit_ingester`, `audit_reader` and `audit_replayer`, and gives them
/// their rights (`sql/audit_db/roles.sql`).
///
/// # Errors
/// `Error::NotOwner`; `Error::Query`, for example where the connected user may not create roles.
pub async fn apply_roles(session: &Session) -> Result<(), Error> {
    // PostgreSQL only warns where a GRANT by another than the owner gives some of the rights.
    let owners = session
        .rows(
            "looking for the owner of the tables",
            "SELECT DISTINCT pg_get_userbyid(relowner)::text FROM pg_class
              WHERE (oid = to_regclass('event_logs') OR oid IN (
                     SELECT inhrelid FROM pg_inherits WHERE inhparent = to_regclass('event_logs')))
                AND NOT pg_has_role(relowner, 'USAGE')",
            &[],
            |row| row.try_get(0),
        )
        .await?;
    if let Some(owner) = owners.into_iter().next() {
        return Err(Error::NotOwner { owner });
    }
    let transaction =
        format!("BEGIN; SELECT pg_advisory_xact_lock({MIGRATION_LOCK}); {ROLES}; COMMIT");
    session.client().batch_execute(&transaction).await.map_err(Error::query("making the roles"))
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
