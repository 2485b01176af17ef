//! `audit tail`: the last events, then new ones as they are recorded.

use std::time::Duration;

use clap::Args;

use crate::cli::settings::connection_args::ConnectionArgs;
use crate::cli::shared::event_columns::{EventColumns, default_columns};
use crate::cli::shared::output_args::OutputArgs;
use crate::cli::shared::selector_args::SelectorArgs;
use crate::cli::shared::suggestions::suggest;
use crate::cli::ui::failure::{Exit, Failure};
use crate::cli::ui::signals::interruption;
use crate::cli::ui::stdout_thread::StdoutThread;
use crate::cli::ui::terminal;
use crate::filter::Selection;
use crate::output::{self, Format, Renderer};
use crate::store::{
    self, EventColumn, EventQuery, EventRow, Notifications, ReadMode, RecordedBatch,
    ResolvedSelection, RowOrder, RowScope, Session, Settings,
};

/// How long a batch may stay unnoticed when a notification is lost.
const POLL: Duration = Duration::from_secs(1);

/// A server that doesn't answer the smallest question for so long is taken for gone.
const ANSWER: Duration = Duration::from_secs(10);

/// The pause before connecting again, doubled up to a second.
const FIRST_RETRY: Duration = Duration::from_millis(50);
const LONGEST_RETRY: Duration = Duration::from_secs(1);

/// Show the last events, then new ones as they are recorded
///
/// Follows the order in which batches committed, so that no event is skipped or shown twice, also
/// when the database goes away and comes back. Rows that no batch covers are not shown here: `audit
/// query` has them.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  audit tail
  audit tail -n 100 --type 'Payment*' --no-follow
  audit tail --dlt -n 0 -o ndjson | jq -r .payload
  audit tail --from-batch 1200")]
pub(crate) struct TailArgs {
    /// How many of the last events to begin with
    #[arg(short = 'n', long, value_name = "ROWS", default_value_t = 20, value_parser = clap::value_parser!(u32).range(..=1_000_000))]
    lines: u32,
    /// End after the events that are there
    #[arg(long)]
    no_follow: bool,
    /// Begin with the first event of this batch
    #[arg(long, value_name = "BATCH_NO", conflicts_with = "lines", value_parser = clap::value_parser!(i64).range(1..))]
    from_batch: Option<i64>,
    #[command(flatten)]
    pub(crate) selectors: SelectorArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

pub(crate) async fn run(args: &TailArgs, connection: &ConnectionArgs) -> Result<Exit, Failure> {
    let in_pipe = if terminal::stdout_is_terminal() { Format::Lines } else { Format::Ndjson };
    let format = match args.output.format() {
        Some(Format::Table) => Format::Lines,
        Some(format) => format,
        None => in_pipe,
    };
    let style = args.output.style();
    let needed = [EventColumn::Id, EventColumn::BatchNo, EventColumn::Mark];
    let columns = EventColumns::new(
        args.output.columns.as_deref(),
        &default_columns(format, style),
        &needed,
    )?;
    let selection = args.selectors.selection()?;
    let settings = connection.database()?;
    let session = Follower::open(&settings).await?;

    let mut renderer = output::renderer(format, style);
    let mut head = Vec::new();
    renderer.begin(&columns.shown(), &mut head)?;
    let following = store::resolve(&session.session, &selection, RowScope::Future).await?;
    let mut tail = Tail {
        selection,
        following,
        columns,
        renderer,
        stdout: StdoutThread::start()
            .map_err(|error| Failure::new(format!("can't start a thread: {error}")))?,
        position: Position { batch_no: 0, row_id: None },
        rows_a_read: FEWEST_ROWS,
        shown: 0,
    };
    let interruption = interruption()?;
    tokio::select! {
        outcome = tail.show(args, &settings, session, head) => outcome?,
        () = interruption => {}
    }
    let mut foot = Vec::new();
    tail.renderer.end(&mut foot)?;
    tokio::select! {
        written = tail.stdout.write(foot) => written?,
        () = tokio::time::sleep(POLL) => return Ok(Exit::Done),
    }
    tail.stdout.finish().await?;
    Ok(args.output.exit(tail.shown == 0))
}

/// How many rows are read at once: few at first, because a row can be a megabyte.
const FEWEST_ROWS: i64 = 64;
const MOST_ROWS: i64 = 4096;
/// What is read at once should be about so many bytes of output.
const BYTES_A_READ: std::ops::Range<usize> = (1 << 20)..(4 << 20);

/// A session that hears of new batches.
struct Follower {
    session: Session,
    notifications: Notifications,
}

impl Follower {
    async fn open(settings: &Settings) -> Result<Self, store::Error> {
        let channel = store::BATCH_CHANNEL;
        let (session, notifications) =
            Session::open_listening(settings, "audit tail", channel).await?;
        Ok(Self { session, notifications })
    }
}

/// What is printed: all batches up to `batch_no`, and of the next one the rows up to `row_id`.
#[derive(Debug, Clone, Copy)]
struct Position {
    batch_no: i64,
    row_id: Option<i64>,
}

struct Tail {
    selection: Selection,
    following: ResolvedSelection,
    columns: EventColumns,
    renderer: Box<dyn Renderer>,
    stdout: StdoutThread,
    position: Position,
    rows_a_read: i64,
    shown: u64,
}

impl Tail {
    async fn show(
        &mut self,
        args: &TailArgs,
        settings: &Settings,
        mut session: Follower,
        head: Vec<u8>,
    ) -> Result<(), Failure> {
        self.stdout.write(head).await?;
        match args.from_batch {
            Some(batch_no) => self.position.batch_no = batch_no - 1,
            None => self.show_last(&mut session.session, args.lines.into()).await?,
        }
        if args.no_follow {
            return if args.from_batch.is_some() {
                self.catch_up(&session.session).await.map_err(Interruption::into_failure)
            } else {
                Ok(())
            };
        }
        loop {
            match self.follow(&mut session).await {
                Interruption::Failed(failure) => return Err(failure),
                Interruption::Lost(error) => {
                    terminal::status(&format!("{error}; connecting again"));
                    session = reconnect(settings).await?;
                    terminal::status(&format!(
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
        // What doesn't exist yet may still come, but more often it was mistyped.
        suggest(&reading, &self.selection).await?;
        reading.finish().await?;
        self.position.batch_no = snapshot.batch_no;
        Ok(())
    }

    /// Prints new batches until something ends it.
    async fn follow(&mut self, session: &mut Follower) -> Interruption {
        loop {
            if let Err(interruption) = self.catch_up(&session.session).await {
                return interruption;
            }
            tokio::select! {
                changed = session.notifications.changed() => {
                    if changed.is_err() {
                        return Interruption::Lost("the database closed the connection".to_owned());
                    }
                }
                () = tokio::time::sleep(POLL) => {}
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
                    terminal::status(&format!(
                        "the ledger has no batches {expected} to {}: run `audit verify`",
                        batch.batch_no - 1
                    ));
                    self.position.row_id = None;
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
async fn reconnect(settings: &Settings) -> Result<Follower, Failure> {
    let mut pause = FIRST_RETRY;
    loop {
        match Follower::open(settings).await {
            Ok(session) => return Ok(session),
            Err(error) if error.is_transient() => tokio::time::sleep(pause).await,
            Err(error) => return Err(error.into()),
        }
        pause = (pause * 2).min(LONGEST_RETRY);
    }
}
