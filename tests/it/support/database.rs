//! Asks the database directly, past the program.

use std::pin::pin;

use futures_util::{SinkExt, TryStreamExt};
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

/// A connection.
pub(crate) struct Database {
    runtime: Runtime,
    client: Client,
}

impl Database {
    pub(crate) fn open(url: &str) -> Self {
        let runtime = match Builder::new_multi_thread().worker_threads(1).enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => panic!("no runtime: {error}"),
        };
        let (client, connection) = match runtime.block_on(tokio_postgres::connect(url, NoTls)) {
            Ok(opened) => opened,
            Err(error) => panic!("{url} can't be reached: {error}"),
        };
        runtime.spawn(connection);
        Self { runtime, client }
    }

    /// Runs statements, which have to succeed.
    pub(crate) fn execute(&self, statements: &str) {
        if let Err(error) = self.try_execute(statements) {
            panic!("{statements}: {error}");
        }
    }

    /// Runs statements; the error is the server's message.
    pub(crate) fn try_execute(&self, statements: &str) -> Result<(), String> {
        self.runtime.block_on(self.client.batch_execute(statements)).map_err(|error| {
            error
                .as_db_error()
                .map_or_else(|| error.to_string(), |server| server.message().to_owned())
        })
    }

    /// Runs one statement with parameters.
    pub(crate) fn execute_with(&self, statement: &str, parameters: &[&(dyn ToSql + Sync)]) {
        if let Err(error) = self.runtime.block_on(self.client.execute(statement, parameters)) {
            panic!("{statement}: {error}");
        }
    }

    /// All rows as text; NULL is "∅".
    pub(crate) fn rows(&self, query: &str) -> Vec<Vec<String>> {
        let messages = match self.runtime.block_on(self.client.simple_query(query)) {
            Ok(messages) => messages,
            Err(error) => panic!("{query}: {error}"),
        };
        let rows = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        rows.map(|row| {
            (0..row.len()).map(|column| row.get(column).unwrap_or("∅").to_owned()).collect()
        })
        .collect()
    }

    /// The only value of a query.
    pub(crate) fn value(&self, query: &str) -> String {
        self.rows(query).first().and_then(|row| row.first()).cloned().unwrap_or_default()
    }

    /// The only value of a query, as a number.
    pub(crate) fn number(&self, query: &str) -> i64 {
        let value = self.value(query);
        match value.parse() {
            Ok(number) => number,
            Err(_) => panic!("{query}: '{value}' is no number"),
        }
    }

    /// What a COPY … TO STDOUT writes.
    pub(crate) fn copy_out(&self, statement: &str) -> String {
        match String::from_utf8(self.copy_out_bytes(statement)) {
            Ok(text) => text,
            Err(error) => panic!("{statement}: {error}"),
        }
    }

    /// What a COPY … TO STDOUT writes, as bytes.
    pub(crate) fn copy_out_bytes(&self, statement: &str) -> Vec<u8> {
        let copied = self.runtime.block_on(async {
            let pieces: Vec<_> = self.client.copy_out(statement).await?.try_collect().await?;
            Ok::<_, tokio_postgres::Error>(pieces.concat())
        });
        match copied {
            Ok(bytes) => bytes,
            Err(error) => panic!("{statement}: {error}"),
        }
    }

    /// Feeds a COPY … FROM STDIN.
    pub(crate) fn copy_in(&self, statement: &str, input: &[u8]) {
        let copied = self.runtime.block_on(async {
            let mut sink = pin!(self.client.copy_in::<_, bytes::Bytes>(statement).await?);
            sink.send(bytes::Bytes::copy_from_slice(input)).await?;
            sink.finish().await
        });
        if let Err(error) = copied {
            panic!("{statement}: {error}");
        }
    }

    pub(crate) fn event_count(&self) -> i64 {
        self.number("SELECT count(*) FROM event_logs")
    }
}
