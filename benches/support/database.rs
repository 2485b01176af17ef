//! Databases that last for one measurement.

use std::error::Error;

use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

/// An empty database, dropped when the measurement is done: the disk need not hold all of them.
#[derive(Debug)]
pub(crate) struct FreshDatabase<'s> {
    server: &'s sandbox::Postgres,
    name: String,
}

impl<'s> FreshDatabase<'s> {
    pub(crate) fn create(server: &'s sandbox::Postgres) -> Result<Self, Box<dyn Error>> {
        let name = format!("bench_{}", uuid::Uuid::new_v4().simple());
        server.create_database(&name)?;
        Ok(Self { server, name })
    }

    pub(crate) fn url(&self) -> String {
        self.server.url(&self.name)
    }
}

impl Drop for FreshDatabase<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.server.drop_database(&self.name) {
            eprintln!("a database is left over: {error}");
        }
    }
}

/// A connection.
pub(crate) struct Session {
    runtime: Runtime,
    client: Client,
}

impl Session {
    pub(crate) fn open(url: &str) -> Result<Self, Box<dyn Error>> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let (client, connection) = runtime.block_on(tokio_postgres::connect(url, NoTls))?;
        runtime.spawn(connection);
        Ok(Self { runtime, client })
    }

    /// The rows of a query as text; NULL is empty.
    pub(crate) fn rows(&self, query: &str) -> Result<Vec<Vec<String>>, Box<dyn Error>> {
        let messages = self.runtime.block_on(self.client.simple_query(query))?;
        let rows = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        Ok(rows
            .map(|row| {
                (0..row.len())
                    .map(|column| row.get(column).unwrap_or_default().to_owned())
                    .collect()
            })
            .collect())
    }

    /// The one value of a query.
    pub(crate) fn value(&self, query: &str) -> Result<String, Box<dyn Error>> {
        let rows = self.rows(query)?;
        rows.into_iter().flatten().next().ok_or_else(|| format!("{query}: no rows").into())
    }
}
