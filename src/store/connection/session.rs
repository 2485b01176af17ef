//! The one way in: a session that is connected and whose schema is the one this program needs, and
//! the transaction in which a command reads.

use std::ops::Deref;

use deadpool::managed::Object;
use futures_util::FutureExt;
use tokio::sync::watch;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

use super::choose_server::connect;
use super::parameters::Settings;
use super::pooled_client::PooledClients;
use super::query;
use super::query::TypedValue;
use super::schema;
use super::schema::home::Home;
use crate::store::error::Error;

const BEGIN_READING: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";

/// Counts the notifications that arrived: a receiver that falls behind sees the newest count only,
/// so a slow reader holds nothing up. Closed when the connection ends.
pub type Notifications = watch::Receiver<u64>;

/// A connection to the audit database.
pub struct Session(Connection);

enum Connection {
    Own(Client),
    /// Goes back to its pool when it is dropped.
    Pooled(Object<PooledClients>),
}

impl Session {
    /// Connects, and checks that the database has the schema that this program needs.
    /// `application` is what `pg_stat_activity` shows.
    ///
    /// # Errors
    /// Those of [`Session::connect`]; `Error::SchemaOlder` and `Error::SchemaNewer`.
    pub async fn open(settings: &Settings, application: &str) -> Result<Self, Error> {
        let session = Self::connect(settings, application).await?;
        schema::check(session.client(), settings).await?;
        Ok(session)
    }

    /// As [`Session::open`], and listens to `channel`. Nobody is told anything on a standby: there
    /// the notifications are `None`.
    ///
    /// # Errors
    /// Those of [`Session::open`], or `Error::Query` where LISTEN fails.
    pub async fn open_listening(
        settings: &Settings,
        application: &str,
        channel: &'static str,
    ) -> Result<(Self, Option<Notifications>), Error> {
        let (sender, receiver) = watch::channel(0);
        let client = connect(settings, application, Some(sender)).await?;
        schema::check(&client, settings).await?;
        let listening = client.batch_execute(&format!("LISTEN {channel}")).await;
        let receiver = match listening.map_err(Error::query("listening for new batches")) {
            Ok(()) => Some(receiver),
            Err(error) if error.is_read_only() => None,
            Err(error) => return Err(error),
        };
        Ok((Self(Connection::Own(client)), receiver))
    }

    /// Connects, whatever schema the database has.
    ///
    /// # Errors
    /// `Error::Connect`, `Error::NoAnswer`, `Error::WrongServer`, or `Error::NoServer`.
    pub async fn connect(settings: &Settings, application: &str) -> Result<Self, Error> {
        Ok(Self(Connection::Own(connect(settings, application, None).await?)))
    }

    /// Asks where the database is, and whether it may be written to there.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn home(&self) -> Result<Home, Error> {
        schema::home::home(self.client()).await
    }

    /// From now on, nobody's own tables or functions take the place of ours, wherever a role or a
    /// database has its names looked up.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn pin_search_path(&self) -> Result<(), Error> {
        let pinned = self.client().batch_execute("SET search_path = public, pg_temp").await;
        pinned.map_err(Error::query("pinning the search path"))
    }

    /// Changes what `pg_stat_activity` shows of it, up to 63 bytes.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn call_itself(&self, application: &str) -> Result<(), Error> {
        let sql = "SELECT set_config('application_name', $1, false)";
        self.execute("naming the session", sql, &[(&application, Type::TEXT)]).await
    }

    /// A session of a pool.
    pub(super) fn pooled(object: Object<PooledClients>) -> Self {
        Self(Connection::Pooled(object))
    }

    /// Begins a transaction in which every statement sees the same rows, and that can't write.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn read(&mut self, mode: ReadMode) -> Result<ReadTransaction<'_>, Error> {
        // Favours indexes: a page needs no table from end to end, and the rows that an index names
        // lie together or in memory.
        let page = "; SET LOCAL enable_seqscan = off; SET LOCAL random_page_cost = 1.1";
        let begin = match mode {
            ReadMode::Page => format!("{BEGIN_READING}{page}"),
            ReadMode::All => BEGIN_READING.to_owned(),
        };
        // Makes the guard first: the transaction is ended also where this future is dropped before
        // the server answers.
        let transaction = ReadTransaction { session: self, is_open: true };
        let begun = transaction.client().batch_execute(&begin).await;
        begun.map_err(Error::query("beginning to read"))?;
        Ok(transaction)
    }

    /// Begins to read what another session of the same server reads, on any thread.
    ///
    /// # Errors
    /// `Error::Query`, also where this session is of another server.
    pub async fn read_shared(self, snapshot: &SharedSnapshot) -> Result<SharedReading, Error> {
        // Takes no parameters; `ReadTransaction::share` has looked at the name.
        let begin = format!("{BEGIN_READING}; SET TRANSACTION SNAPSHOT '{}'", snapshot.0);
        let begun = self.client().batch_execute(&begin).await;
        begun.map_err(Error::query("sharing a snapshot"))?;
        Ok(SharedReading(self))
    }

    /// Runs `sql` and reads every row. `what` is being done, in errors.
    ///
    /// # Errors
    /// `Error::Query`.
    pub(in crate::store) async fn rows<T>(
        &self,
        what: &'static str,
        sql: &str,
        values: &[TypedValue<'_>],
        read: impl Fn(&Row) -> Result<T, tokio_postgres::Error>,
    ) -> Result<Vec<T>, Error> {
        query::rows(self.client(), what, sql, values, read).await
    }

    /// Runs `sql`, which gives exactly one row, and reads it.
    ///
    /// # Errors
    /// `Error::Query`, also where there are none or several rows.
    pub(in crate::store) async fn row<T>(
        &self,
        what: &'static str,
        sql: &str,
        values: &[TypedValue<'_>],
        read: impl Fn(&Row) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, Error> {
        query::row(self.client(), what, sql, values, read).await
    }

    /// Runs `sql`, which gives one row or none, and reads it.
    ///
    /// # Errors
    /// `Error::Query`, also where there are several rows.
    pub(in crate::store) async fn optional_row<T>(
        &self,
        what: &'static str,
        sql: &str,
        values: &[TypedValue<'_>],
        read: impl Fn(&Row) -> Result<T, tokio_postgres::Error>,
    ) -> Result<Option<T>, Error> {
        query::optional_row(self.client(), what, sql, values, read).await
    }

    /// Runs `sql`, whose rows don't matter.
    ///
    /// # Errors
    /// `Error::Query`.
    pub(in crate::store) async fn execute(
        &self,
        what: &'static str,
        sql: &str,
        values: &[TypedValue<'_>],
    ) -> Result<(), Error> {
        query::execute(self.client(), what, sql, values).await
    }

    /// The driver's client.
    pub(in crate::store) fn client(&self) -> &Client {
        match &self.0 {
            Connection::Own(client) => client,
            Connection::Pooled(object) => object,
        }
    }

    /// The driver's client, for transactions.
    pub(in crate::store) fn client_mut(&mut self) -> &mut Client {
        match &mut self.0 {
            Connection::Own(client) => client,
            Connection::Pooled(object) => object,
        }
    }
}

/// What a transaction is going to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadMode {
    /// A few rows out of many.
    Page,
    /// All that is selected.
    All,
}

/// A transaction that reads one snapshot, and ends when it is dropped.
pub struct ReadTransaction<'a> {
    session: &'a Session,
    is_open: bool,
}

/// The name of a snapshot that other sessions can read while the transaction that shares it is
/// open.
#[derive(Debug, Clone)]
pub struct SharedSnapshot(String);

/// A session that reads a shared snapshot, and is closed when this is dropped.
pub struct SharedReading(Session);

impl SharedSnapshot {
    /// A snapshot with the name that the server gave it.
    ///
    /// # Errors
    /// `Error::Protocol` where it can't be one.
    pub(in crate::store) fn named(name: String) -> Result<Self, Error> {
        let is_name = |byte: u8| byte.is_ascii_hexdigit() || byte == b'-';
        if name.is_empty() || !name.bytes().all(is_name) {
            return Err(Error::Protocol(format!("a snapshot is called {name:?}")));
        }
        Ok(Self(name))
    }
}

impl Deref for SharedReading {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.0
    }
}

impl ReadTransaction<'_> {
    /// Lets other sessions read what this one reads, for as long as this transaction is open.
    ///
    /// # Errors
    /// `Error::Query`; `Error::Protocol` where the server's name for it can't be one.
    pub async fn share(&self) -> Result<SharedSnapshot, Error> {
        let sql = "SELECT pg_export_snapshot()";
        let name: String = self.row("sharing a snapshot", sql, &[], |row| row.try_get(0)).await?;
        SharedSnapshot::named(name)
    }

    /// Ends the transaction. Dropping it does the same without waiting for the server's answer.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn finish(mut self) -> Result<(), Error> {
        self.is_open = false;
        self.client().batch_execute("COMMIT").await.map_err(Error::query("ending to read"))
    }
}

/// Gives the session, whose statements then run within the transaction.
impl Deref for ReadTransaction<'_> {
    type Target = Session;

    fn deref(&self) -> &Session {
        self.session
    }
}

impl Drop for ReadTransaction<'_> {
    fn drop(&mut self) {
        if self.is_open {
            // Polls once, which hands the statement to the connection's task. Nothing needs the
            // answer.
            let _ = self.client().batch_execute("ROLLBACK").now_or_never();
        }
    }
}
