//! Follows the record in the order in which batches committed.

use std::time::Duration;

use crate::cli::shared::{EventColumns, explain_names, in_a_shell};
use crate::cli::ui::{Failure, StdoutThread, Ui};
use crate::count_text::counted;
use crate::filter::Selection;
use crate::output::Renderer;
use crate::store;
use crate::store::{
    DistinctColumn, EventColumn, EventQuery, EventRow, Notifications, ReadMode, RecordedBatch,
    ResolvedSelection, RowOrder, RowScope, Session, Settings,
};

/// How long a batch may stay unnoticed when a notification is lost.
const POLL: Duration = Duration::from_secs(1);

/// A server that doesn't answer the smallest question for so long is taken for gone.
const ANSWER: Duration = Duration::from_secs(10);

/// The pause before connecting again, doubled up to a second.
const FIRST_RETRY: Duration = Duration::from_millis(50);
const LONGEST_RETRY: Duration = Duration::from_secs(1);

/// How many rows are read at once: few at first, because a row can be a megabyte.
const FEWEST_ROWS: i64 = 64;
const MOST_ROWS: i64 = 4096;
/// How many bytes of output one read should give, about.
const BYTES_A_READ: std::ops::Range<usize> = (1 << 20)..(4 << 20);

/// How many types, and how many services, lines keep room for.
const MOST_NAMES: i64 = 1_000;

/// A session that hears of new batches.
pub(super) struct Subscription {
    pub(super) session: Session,
    /// `None` on a standby, which tells nobody of new batches.
    notifications: Option<Notifications>,
}

impl Subscription {
    pub(super) async fn open(settings: &Settings) -> Result<Self, store::Error> {
        let channel = store::BATCH_CHANNEL;
        let (session, notifications) =
            Session::open_listening(settings, "audit tail", channel).await?;
        Ok(Self { session, notifications })
    }

    /// Whether it has to ask for new batches, because nobody tells of them.
    pub(super) fn is_polling(&self) -> bool {
        self.notifications.is_none()
    }

    /// Waits until a batch may be there: told of one, or after [`POLL`]. An error where the
    /// connection is known to be closed, or can be changed for one that is told.
    async fn wait(&mut self) -> Result<(), Interruption> {
        let Some(notifications) = &mut self.notifications else {
            tokio::time::sleep(POLL).await;
            return match self.session.home().await {
                Ok(home) if home.is_standby() => Ok(()),
                Ok(_) => Err(Interruption::Lost("the standby became a primary".to_owned())),
                Err(error) => Err(error.into()),
            };
        };
        match tokio::time::timeout(POLL, notifications.changed()).await {
            Ok(Err(_)) => Err(Interruption::Lost("the database closed the connection".to_owned())),
            Ok(Ok(())) | Err(_) => Ok(()),
        }
    }
}

/// How far the record is printed: all batches up to `batch_no`, and of the next one the rows up to
/// `row_id`.
#[derive(Debug, Clone, Copy)]
struct Position {
    batch_no: i64,
    row_id: Option<i64>,
}

/// Where to begin.
#[derive(Debug, Clone, Copy)]
pub(super) enum Start {
    /// With this many of the last rows.
    LastRows(u32),
    /// With the first row of this batch.
    Batch(i64),
}

/// What follows the record, and writes what is new.
pub(super) struct Tail {
    selection: Selection,
    following: ResolvedSelection,
    columns: EventColumns,
    renderer: Box<dyn Renderer>,
    stdout: StdoutThread,
    ui: Ui,
    position: Position,
    rows_a_read: i64,
    shown: u64,
    is_complete: bool,
}

/// What was shown in the end.
pub(super) struct Shown {
    pub(super) rows: u64,
    /// False where the ledger had no batch of a number that it should have.
    pub(super) is_complete: bool,
}

impl Tail {
    /// `selection` is what was asked for, `following` the same for rows that are still to come.
    pub(super) fn new(
        selection: Selection,
        following: ResolvedSelection,
        columns: EventColumns,
        renderer: Box<dyn Renderer>,
        ui: Ui,
    ) -> Result<Self, Failure> {
        Ok(Self {
            selection,
            following,
            columns,
            renderer,
            stdout: ui.stdout_thread()?,
            ui,
            position: Position { batch_no: 0, row_id: None },
            rows_a_read: FEWEST_ROWS,
            shown: 0,
            is_complete: true,
        })
    }

    /// Writes what stands behind the last row, waits until all is written, and says what was shown.
    pub(super) async fn finish(mut self) -> Result<Shown, Failure> {
        let mut foot = Vec::new();
        self.renderer.end(&mut foot)?;
        self.stdout.write(foot).await?;
        self.stdout.finish().await?;
        Ok(Shown { rows: self.shown, is_complete: self.is_complete })
    }

    /// Writes the head of the output, the last rows, and then new ones for as long as it lasts.
    pub(super) async fn show(
        &mut self,
        start: Start,
        is_followed: bool,
        settings: &Settings,
        mut subscription: Subscription,
        head: Vec<u8>,
    ) -> Result<(), Failure> {
        self.stdout.write(head).await?;
        match start {
            Start::Batch(batch_no) => {
                self.position.batch_no = batch_no - 1;
                self.expect_any(&subscription.session).await?;
                let session = &subscription.session;
                explain_names(session, &self.selection, false, self.ui).await?;
                if let Some(gone) = store::retired_batches_after(session, batch_no - 1).await? {
                    self.ui.status(&format!(
                        "the rows of {} up to batch {} were retired and are no longer here",
                        counted(gone.batches, "batch"),
                        gone.last_batch_no
                    ));
                }
            }
            Start::LastRows(count) => {
                self.show_last(&mut subscription.session, count.into()).await?;
            }
        }
        if !is_followed {
            return match start {
                Start::Batch(_) => {
                    self.catch_up(&subscription.session).await.map_err(Interruption::into_failure)
                }
                Start::LastRows(_) => Ok(()),
            };
        }
        loop {
            match self.follow(&mut subscription).await {
                Interruption::Failed(failure) => return Err(failure),
                Interruption::Lost(error) => {
                    self.ui.status(&format!("{error}; connecting again"));
                    subscription = reconnect(settings).await?;
                    self.ui.status(&format!(
                        "connected again, going on behind batch {}",
                        self.position.batch_no
                    ));
                }
            }
        }
    }

    /// Prints the last rows of what is there, in the order in which they committed.
    async fn show_last(&mut self, session: &mut Session, count: i64) -> Result<(), Failure> {
        let reading = session.read(ReadMode::Page).await?;
        let snapshot = store::snapshot(&reading).await?;
        let resolved = store::resolve(&reading, &self.selection, RowScope::Existing).await?;
        self.expect_any(&reading).await?;
        if count > 0 && !resolved.is_empty() {
            let query = EventQuery {
                selection: &resolved,
                columns: self.columns.selected(),
                order: RowOrder::LastOfBatches(snapshot.batch_no),
                limit: Some(count),
                dedup: false,
            };
            let rows = store::last_in_commit_order(&reading, &query, count).await?;
            for row in &rows {
                self.renderer.expect(&self.columns.cells(row)?);
            }
            let mut buffer = Vec::new();
            for row in &rows {
                self.render(row, &mut buffer)?;
            }
            self.stdout.write(buffer).await?;
        }
        self.say_story(&reading).await?;
        // What doesn't exist yet may still come, but more often it was mistyped.
        explain_names(&reading, &self.selection, self.shown > 0, self.ui).await?;
        reading.finish().await?;
        self.position.batch_no = snapshot.batch_no;
        Ok(())
    }

    /// Keeps room for every type and every service that is selected, so that columns stay where
    /// they are.
    async fn expect_any(&mut self, reading: &Session) -> Result<(), Failure> {
        if !self.ui.is_on_terminal() {
            return Ok(());
        }
        let some = |column| store::some_values(reading, column, "", MOST_NAMES);
        let mut types = some(DistinctColumn::EventType).await?;
        types.retain(|value| self.selection.event_types.matches(value));
        let mut services = some(DistinctColumn::SourceService).await?;
        services.retain(|value| self.selection.services.matches(value));
        self.renderer.expect(&self.columns.widest(&types, &services));
        Ok(())
    }

    /// Says how to follow the whole story where only an aggregate of it is followed.
    async fn say_story(&self, reading: &Session) -> Result<(), Failure> {
        let selection = &self.selection;
        if selection.aggregates.is_empty() || !selection.correlations.is_empty() {
            return Ok(());
        }
        let newest = Selection { aggregates: selection.aggregates.clone(), ..Selection::default() };
        let newest = store::events(reading, &newest, 1).await?;
        let Some(event) = newest.first() else { return Ok(()) };
        if event.uuid(EventColumn::CorrelationId)?.is_some() {
            let story = event.value(EventColumn::Correlation)?.to_text().unwrap_or_default();
            let story = in_a_shell(&story);
            self.ui.status(&format!(
                "--aggregate follows the aggregate's own events; --correlation {story} follows \
                 the whole story"
            ));
        }
        Ok(())
    }

    /// Prints new batches until something ends it.
    async fn follow(&mut self, subscription: &mut Subscription) -> Interruption {
        loop {
            if let Err(interruption) = self.catch_up(&subscription.session).await {
                return interruption;
            }
            if let Err(interruption) = subscription.wait().await {
                return interruption;
            }
        }
    }

    /// Prints the batches that are there and were not printed.
    async fn catch_up(&mut self, session: &Session) -> Result<(), Interruption> {
        loop {
            let batches = tokio::time::timeout(
                ANSWER,
                store::batches_after(session, self.position.batch_no, 100),
            )
            .await
            .map_err(|_| Interruption::Lost("the database does not answer".to_owned()))??;
            if batches.is_empty() {
                return Ok(());
            }
            for batch in batches {
                let expected = self.position.batch_no + 1;
                if batch.batch_no != expected {
                    self.ui.status(&format!(
                        "the ledger has no batches {expected} to {}: run `audit verify`",
                        batch.batch_no - 1
                    ));
                    self.position.row_id = None;
                    self.is_complete = false;
                }
                self.print_batch(session, batch).await?;
                self.position = Position { batch_no: batch.batch_no, row_id: None };
            }
        }
    }

    /// Prints a batch, some rows at a time: no statement stays open while the reader is slow,
    /// because the snapshot of one would keep the server from cleaning up behind the ingester.
    async fn print_batch(
        &mut self,
        session: &Session,
        batch: RecordedBatch,
    ) -> Result<(), Interruption> {
        let Some((first_id, last_id)) = batch.ids else { return Ok(()) };
        loop {
            let after = self.position.row_id.unwrap_or(first_id - 1);
            let query = EventQuery {
                selection: &self.following,
                columns: self.columns.selected(),
                order: RowOrder::IdRange { after, last: last_id },
                limit: Some(self.rows_a_read),
                dedup: false,
            };
            let rows = query.rows(session).await?;
            let mut buffer = Vec::new();
            for row in &rows {
                self.render(row, &mut buffer).map_err(Interruption::Failed)?;
            }
            let Some(last) = rows.last() else { return Ok(()) };
            self.position.row_id =
                Some(self.columns.integer(last, EventColumn::Id).map_err(Interruption::Failed)?);
            let bytes = buffer.len();
            self.stdout.write(buffer).await.map_err(|error| Interruption::Failed(error.into()))?;
            if (rows.len() as i64) < self.rows_a_read {
                return Ok(());
            }
            if bytes < BYTES_A_READ.start {
                self.rows_a_read = (self.rows_a_read * 2).min(MOST_ROWS);
            } else if bytes > BYTES_A_READ.end {
                self.rows_a_read = (self.rows_a_read / 2).max(1);
            }
        }
    }

    fn render(&mut self, row: &EventRow, buffer: &mut Vec<u8>) -> Result<(), Failure> {
        self.shown += 1;
        Ok(self.renderer.row(&self.columns.cells(row)?, self.columns.emphasis(row)?, buffer)?)
    }
}

/// Why following stopped.
enum Interruption {
    /// The database went away: it may come back.
    Lost(String),
    /// Nothing can go on.
    Failed(Failure),
}

impl Interruption {
    fn into_failure(self) -> Failure {
        match self {
            Self::Lost(message) => Failure::new(message),
            Self::Failed(failure) => failure,
        }
    }
}

impl From<store::Error> for Interruption {
    fn from(error: store::Error) -> Self {
        if error.is_transient() {
            Self::Lost(error.to_string())
        } else {
            Self::Failed(error.into())
        }
    }
}

/// Connects again, for as long as it takes.
async fn reconnect(settings: &Settings) -> Result<Subscription, Failure> {
    let mut pause = FIRST_RETRY;
    loop {
        match Subscription::open(settings).await {
            Ok(session) => return Ok(session),
            Err(error) if error.is_transient() => tokio::time::sleep(pause).await,
            Err(error) => return Err(error.into()),
        }
        pause = (pause * 2).min(LONGEST_RETRY);
    }
}
