//! The service's own database: the pool of connections, and its schema.

use deadpool_postgres::{Manager, Pool};
use tokio_postgres::{Config, NoTls};

use crate::failure::Failure;

/// Held while the schema is brought up to date, so that several instances may start at once.
const MIGRATION_LOCK: i64 = 0x5349_4d4b_4954_0001;

/// Held by the one relay that publishes; see [`crate::outbox`].
pub(crate) const RELAY_LOCK: i64 = 0x5349_4d4b_4954_0002;

/// One connection each for the relay, the consumer and what the service itself does, and one to
/// spare.
const CONNECTIONS: usize = 4;

/// The database can't be used.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The URL is not one. It is not repeated here: it may hold a password.
    #[error("the database URL can't be read; expected postgresql://user@host:port/database")]
    Url(#[source] tokio_postgres::Error),
    /// No connection.
    #[error(
        "can't connect to the database {database}; is the server up, and does --database-url name it?"
    )]
    Connect {
        /// The host and the name of the database.
        database: String,
        /// Why.
        #[source]
        source: tokio_postgres::Error,
    },
    /// The pool was refused its settings.
    #[error("can't make a pool of connections")]
    Pool(#[from] deadpool_postgres::BuildError),
    /// The lock around the migrations was not given.
    #[error("can't take the lock that protects the schema of {database}")]
    Lock {
        /// The host and the name of the database.
        database: String,
        /// Why.
        #[source]
        source: tokio_postgres::Error,
    },
    /// A migration failed.
    #[error("can't bring the schema of {database} up to date")]
    Migrate {
        /// The host and the name of the database.
        database: String,
        /// Why.
        #[source]
        source: Box<refinery::Error>,
    },
}

/// Brings the schema up to date, one instance at a time, and opens the pool.
///
/// # Errors
/// [`DatabaseError`] if the URL, the connection or a migration fails.
pub async fn open(url: &str, migrations: &refinery::Runner) -> Result<Pool, DatabaseError> {
    let mut config: Config = url.parse().map_err(DatabaseError::Url)?;
    // The tables hold TIMESTAMP without a zone: NOW() must mean UTC whatever the server's own zone
    // is.
    let options = format!("{} -c timezone=UTC", config.get_options().unwrap_or_default());
    config.options(options.trim_start());
    migrate(&config, migrations).await?;
    Ok(Pool::builder(Manager::new(config, NoTls)).max_size(CONNECTIONS).build()?)
}

async fn migrate(config: &Config, migrations: &refinery::Runner) -> Result<(), DatabaseError> {
    let database = describe(config);
    let (mut client, connection) = config
        .connect(NoTls)
        .await
        .map_err(|source| DatabaseError::Connect { database: database.clone(), source })?;
    let connection = tokio::spawn(connection);
    client
        .execute("SELECT pg_advisory_lock($1)", &[&MIGRATION_LOCK])
        .await
        .map_err(|source| DatabaseError::Lock { database: database.clone(), source })?;
    let migrated = migrations.run_async(&mut client).await;
    // The lock goes with the session.
    drop(client);
    // How this connection ended no longer matters: either the migrations ran, or their own error
    // says why not.
    let _ = connection.await;
    migrated
        .map(drop)
        .map_err(|source| DatabaseError::Migrate { database, source: Box::new(source) })
}

/// How many rows are in which state, in words, such as `60 orders: 41 confirmed, 19 cancelled`: of
/// a query that gives a state and a count in each row.
///
/// # Errors
/// What the database says.
pub async fn states(pool: &Pool, what: &str, query: &str) -> Result<String, Failure> {
    let rows = pool.get().await?.query(query, &[]).await?;
    let states: Vec<(String, i64)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let all: i64 = states.iter().map(|(_, count)| count).sum();
    let states: Vec<String> =
        states.iter().map(|(state, count)| format!("{count} {state}")).collect();
    let colon = if states.is_empty() { "" } else { ": " };
    Ok(format!("{all} {what}{colon}{}", states.join(", ")))
}

/// The host and the database's name, never the user's password.
fn describe(config: &Config) -> String {
    use tokio_postgres::config::Host;
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(host)) => host.clone(),
        Some(Host::Unix(path)) => path.display().to_string(),
        None => "localhost".to_owned(),
    };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    format!("{}@{host}:{port}", config.get_dbname().unwrap_or("(the user's own)"))
}
