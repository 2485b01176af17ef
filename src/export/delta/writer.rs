//! Writes the data files of one commit on a thread of its own: the library blocks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;

use lake::column::Column;
use lake::delta::{self, Maintenance, Outcome, Progress, Table};
use lake::file::FileOptions;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::oneshot;

use super::files::TableFiles;
use crate::export::error::Error;
use crate::export::lake::ColumnRows;

/// How many chunks wait for the thread.
const WAITING: usize = 2;

/// What a commit says, besides its files.
pub(super) struct Commit {
    /// Who writes.
    pub(super) app_id: String,
    /// The last batch before it.
    pub(super) from: Option<i64>,
    /// Its last batch.
    pub(super) to: i64,
}

enum Message {
    Rows(ColumnRows),
    Commit(Commit),
}

/// What came of a commit: `None` where there was none.
type Done = Result<Option<Outcome>, Error>;

/// The thread that has the table while a commit is under way.
pub(super) struct TableWriter {
    messages: Sender<Message>,
    done: oneshot::Receiver<(Table, Done)>,
    bytes: Arc<AtomicU64>,
}

impl TableWriter {
    /// Starts the thread.
    pub(super) fn start(
        table: Table,
        columns: Vec<Column>,
        options: FileOptions,
    ) -> Result<Self, Error> {
        let (messages, received) = channel(WAITING);
        let (report, done) = oneshot::channel();
        let bytes = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&bytes);
        thread::Builder::new()
            .name("lake".to_owned())
            .spawn(move || {
                let mut received = received;
                let mut table = table;
                let done = write(&mut table, &columns, &options, &mut received, &counted);
                // Whoever started it may have ended meanwhile.
                let _ = report.send((table, done));
            })
            .map_err(|error| Error::table_gone(&error.to_string()))?;
        Ok(Self { messages, done, bytes })
    }

    /// Hands rows over, waiting while others are being written.
    pub(super) async fn write(&self, rows: ColumnRows) -> Result<(), Error> {
        self.messages
            .send(Message::Rows(rows))
            .await
            .map_err(|_| Error::table_gone("its thread ended"))
    }

    /// How many bytes the files have so far, about.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }

    /// Commits, where there is something to, and gives the table back.
    pub(super) async fn finish(self, commit: Option<Commit>) -> Result<(Table, Done), Error> {
        if let Some(commit) = commit {
            // Where the thread has ended, it says why.
            let _ = self.messages.send(Message::Commit(commit)).await;
        }
        drop(self.messages);
        self.done.await.map_err(|_| Error::table_gone("its thread ended"))
    }

    /// Throws the files away and gives the table back.
    pub(super) async fn abandon(self) -> Result<(Table, Done), Error> {
        self.finish(None).await
    }
}

fn write(
    table: &mut Table,
    columns: &[Column],
    options: &FileOptions,
    messages: &mut Receiver<Message>,
    bytes: &AtomicU64,
) -> Done {
    let mut files = TableFiles::new(columns, options);
    while let Some(message) = messages.blocking_recv() {
        match message {
            Message::Rows(rows) => {
                files.write(table, &rows)?;
                bytes.store(files.bytes(), Relaxed);
            }
            Message::Commit(commit) => {
                let files = files.finish()?;
                let progress =
                    Progress { app_id: &commit.app_id, from: commit.from, to: commit.to };
                let outcome = table.append(&files, &progress)?;
                maintain(table, columns, options)?;
                return Ok(Some(outcome));
            }
        }
    }
    Ok(None)
}

/// Keeps the table quick to open and to read. What fails here fails the next time, too, and the
/// rows are there: it is said, and no reason to end.
fn maintain(table: &mut Table, columns: &[Column], options: &FileOptions) -> Result<(), Error> {
    let plan = Maintenance::new(columns, "id", options.clone());
    match table.maintain(&plan) {
        Ok(_) => Ok(()),
        Err(error @ delta::Error::Threads(_)) => Err(error.into()),
        Err(error) => {
            tracing::warn!(%error, "the table has its rows, but could not be looked after");
            Ok(())
        }
    }
}
