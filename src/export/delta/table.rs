//! A table of ours, and how far it is.

use lake::column::Column;
use lake::delta::{Location, NewTable, Outcome, Table};
use lake::file::FileOptions;
use lake::{column::Storage, delta};

use super::writer::{Commit, TableWriter};
use crate::export::batch_range::BatchRange;
use crate::export::bookmark::{HandedOver, left_out};
use crate::export::columns::Columns;
use crate::export::error::Error;
use crate::export::handover::Source;
use crate::export::hive::PartitionBy;
use crate::export::lake::{ColumnRows, LakeEncoder, lake_columns};
use crate::export::manifest::Contents;
use crate::export::pieces::of_batches;
use crate::export::rows::Rows;
use crate::store::{self, RecordedBatch, ResolvedSelection, Session};

/// Who commits, in the table's history.
const WRITER: &str = concat!("audit/", env!("CARGO_PKG_VERSION"));

/// From so many rows on, the batches so far are a commit of their own: a first run over a large
/// record that is ended goes on from there.
const COMMIT_ROWS: u64 = 2_000_000;

/// So many batches without one selected row are noted all the same, so that no run looks at them
/// again and again.
const WORTH_NOTING: i64 = 10_000;

/// The properties of a table that say what it holds.
const INSTALLATION: &str = "audit.installation";
const SELECTORS: &str = "audit.selectors";
const COLUMNS: &str = "audit.columns";
const OPTIONS: &str = "audit.options";

/// What is said of a table that another program made.
const NOT_OURS: &str = "this table is not one of audit";

/// A table that this record is handed over to.
pub struct LakeTable {
    /// Away while a commit is under way.
    table: Option<Table>,
    columns: Vec<Column>,
    app_id: String,
    options: FileOptions,
}

/// What was appended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Appended {
    /// How many rows.
    pub rows: u64,
    /// In how many versions.
    pub versions: u64,
    /// The last batch that the table holds now, or that has nothing for it.
    pub batch_no: i64,
    /// The table's version now.
    pub version: u64,
}

impl LakeTable {
    /// What was handed over to the table at a location, and up to which batch; none is made.
    ///
    /// # Errors
    /// `Error::OtherContents` where there is no table of audit; `Error::Table`.
    pub async fn handed_over(location: Location) -> Result<HandedOver, Error> {
        let shown = location.to_string();
        let other = |difference: &str| Error::OtherContents {
            path: shown.into(),
            difference: difference.to_owned(),
        };
        let found = blocking(move || {
            let Some(table) = Table::open(&location, WRITER)? else { return Ok(None) };
            let property = |name| table.property(name).map(str::to_owned);
            let installation = property(INSTALLATION).unwrap_or_default();
            let words = |name| {
                let text = property(name).unwrap_or_default();
                text.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
            };
            let left_out = left_out(words(SELECTORS), words(OPTIONS));
            let batch_no = table.applied(&format!("audit-{installation}"))?.unwrap_or(0);
            Ok(Some(HandedOver { installation, left_out, batch_no }))
        });
        match found.await? {
            None => Err(other("there is no table")),
            Some(found) if found.installation.is_empty() => Err(other(NOT_OURS)),
            Some(found) => Ok(found),
        }
    }

    /// Opens the table at a location, or makes one there.
    ///
    /// # Errors
    /// `Error::OtherContents` where it holds something else, or is not of audit; `Error::Table`.
    pub async fn open(
        location: Location,
        contents: &Contents,
        columns: &Columns,
    ) -> Result<Self, Error> {
        let columns = lake_columns(columns);
        let app_id = format!("audit-{}", contents.installation);
        let properties = properties(contents);
        let (wanted, shown) = (columns.clone(), location.to_string());
        let opened = blocking(move || open_or_create(&location, &wanted, &properties));
        let table = opened.await?;
        if let Some(difference) = difference(&table, contents, &columns) {
            return Err(Error::OtherContents { path: shown.into(), difference });
        }
        // Several days are open at once, each with its row group.
        let options = FileOptions { row_group_bytes: 16 << 20, ..FileOptions::new(WRITER) };
        Ok(Self { table: Some(table), columns, app_id, options })
    }

    /// Appends the rows of all batches that the snapshot has and the table lacks.
    ///
    /// # Errors
    /// Whatever goes wrong: the table has the versions that were committed before that.
    pub async fn append_new(&mut self, source: &Source<'_>) -> Result<Appended, Error> {
        let last = store::snapshot(source.reading).await?.batch_no;
        let mut appended = Appended::default();
        // What the table says, and behind which batch the next rows are: batches without a selected
        // row are passed without a word to the table.
        let mut applied = self.refreshed().await?;
        let mut after = applied.unwrap_or(0);
        if source.wanted.selection == ResolvedSelection::default() {
            source.watch.expects(store::rows_after(source.reading, after).await?, true);
        }
        loop {
            appended.batch_no = after;
            if after > last {
                // Another run has appended what came after this snapshot.
                self.check_is_behind(after, source).await?;
                break;
            }
            let batches = next_batches(source, after, last).await?;
            let Some(to) = batches.last().map(|batch| batch.batch_no) else { break };
            let range = BatchRange { after, last: to };
            let (rows, outcome) =
                self.commit(source, applied, range, &batches, appended.rows).await?;
            match outcome {
                Some(Outcome::Committed(_)) => {
                    appended.rows += rows;
                    appended.versions += u64::from(rows > 0);
                    (applied, after) = (Some(to), to);
                }
                // Another run was quicker: goes on from where that one is.
                Some(Outcome::Overtaken(now)) => (applied, after) = (now, now.unwrap_or(0)),
                // Nothing was there to commit.
                None => after = to,
            }
        }
        appended.version = self.table.as_ref().map_or(0, Table::version);
        Ok(appended)
    }

    /// Writes the rows of these batches and commits them. `None` where there is nothing to commit.
    async fn commit(
        &mut self,
        source: &Source<'_>,
        from: Option<i64>,
        range: BatchRange,
        batches: &[RecordedBatch],
        before: u64,
    ) -> Result<(u64, Option<Outcome>), Error> {
        let table = self.table.take().ok_or_else(|| Error::table_gone("the table"))?;
        let writer = TableWriter::start(table, self.columns.clone(), self.options.clone())?;
        let pieces = match source.wanted.selection.is_empty() {
            true => Vec::new(),
            false => of_batches(batches),
        };
        let mut rows = 0;
        let encoder = |columns: &Columns| {
            Ok(LakeEncoder::new(columns, Storage::Delta, Some(PartitionBy::Date)))
        };
        let read = source
            .read(pieces, encoder, async |chunk: ColumnRows| {
                rows += chunk.len() as u64;
                writer.write(chunk).await?;
                source.watch.wrote(before + rows, writer.bytes());
                Ok(())
            })
            .await;
        if let Err(error) = read {
            // What the writer says is the reason, where it has one.
            let (table, outcome) = writer.abandon().await?;
            self.table = Some(table);
            return Err(outcome.err().unwrap_or(error));
        }
        let is_worth_it = rows > 0 || range.last - range.after >= WORTH_NOTING;
        let commit =
            is_worth_it.then(|| Commit { app_id: self.app_id.clone(), from, to: range.last });
        let (table, outcome) = writer.finish(commit).await?;
        self.table = Some(table);
        Ok((rows, outcome?))
    }

    /// How far the table is, looked at again: the last batch that it tells of.
    ///
    /// # Errors
    /// `Error::Table`.
    pub async fn refreshed(&mut self) -> Result<Option<i64>, Error> {
        let mut table = self.table.take().ok_or_else(|| Error::table_gone("the table"))?;
        let app_id = self.app_id.clone();
        let (table, applied) = blocking(move || {
            let applied = table.refresh().and_then(|()| table.applied(&app_id));
            Ok((table, applied))
        })
        .await?;
        self.table = Some(table);
        Ok(applied?)
    }

    /// Fails where the record as it is now lacks batches that the table holds.
    async fn check_is_behind(&self, batch_no: i64, source: &Source<'_>) -> Result<(), Error> {
        let session = Session::open(source.settings, "audit export").await?;
        let last = store::snapshot(&session).await?.batch_no;
        if batch_no <= last {
            return Ok(());
        }
        Err(Error::OtherContents {
            path: self.app_id.clone().into(),
            difference: format!(
                "the table holds events up to batch {batch_no}, and the record ends with {last}: the \
                 database was restored from a backup, or is another one"
            ),
        })
    }
}

/// The next batches behind `after`, as many as make a commit.
async fn next_batches(
    source: &Source<'_>,
    after: i64,
    last: i64,
) -> Result<Vec<RecordedBatch>, Error> {
    let mut batches = Vec::new();
    let (mut rows, mut behind) = (0, after);
    while rows < COMMIT_ROWS && behind < last {
        let next = store::batches_after(source.reading, behind, 1_000).await?;
        let Some(newest) = next.last().map(|batch| batch.batch_no) else { break };
        behind = newest;
        for batch in next {
            if rows >= COMMIT_ROWS || batch.batch_no > last {
                break;
            }
            rows += batch.ids.map_or(0, |(first, last)| last.abs_diff(first) + 1);
            batches.push(batch);
        }
    }
    Ok(batches)
}

fn open_or_create(
    location: &Location,
    columns: &[Column],
    properties: &[(String, String)],
) -> Result<Table, delta::Error> {
    loop {
        if let Some(table) = Table::open(location, WRITER)? {
            return Ok(table);
        }
        let new = NewTable { columns, properties };
        if let Some(table) = Table::create(location, WRITER, &new)? {
            return Ok(table);
        }
    }
}

fn properties(contents: &Contents) -> Vec<(String, String)> {
    [
        (INSTALLATION, contents.installation.clone()),
        (SELECTORS, contents.selectors.join(" ")),
        (COLUMNS, contents.columns.join(",")),
        (OPTIONS, contents.options.join(" ")),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// In what a table differs from what is to be handed over.
fn difference(table: &Table, contents: &Contents, columns: &[Column]) -> Option<String> {
    if table.property(INSTALLATION).is_none() {
        return Some(format!("{NOT_OURS}: name an empty or a new folder"));
    }
    for (name, value) in properties(contents) {
        let own = table.property(&name).unwrap_or_default();
        if own != value {
            let what = name.trim_start_matches("audit.");
            return Some(format!("the {what} of the table are {own:?}, and these are {value:?}"));
        }
    }
    (!table.holds(columns)).then(|| "the columns of the table were changed".to_owned())
}

/// Runs what blocks away from the tasks.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, delta::Error> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done?),
        Err(error) => Err(Error::table_gone(&error.to_string())),
    }
}
