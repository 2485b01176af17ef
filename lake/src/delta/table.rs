//! A table and what it says of itself.

use std::fmt;
use std::sync::Arc;

use delta_kernel::committer::FileSystemCommitter;
use delta_kernel::transaction::CommitResult;
use delta_kernel::transaction::create_table::create_table;
use delta_kernel::transaction::data_layout::DataLayout;
use delta_kernel::{KernelError, Snapshot, SnapshotRef};
use delta_kernel_default_engine::DefaultEngine;
use delta_kernel_default_engine::executor::tokio::TokioMultiThreadExecutor;
use futures_util::StreamExt as _;

use super::error::may_pass;
use super::{DataFile, Error, Location, PARTITION, schema};
use crate::column::{Column, Kind};

/// A version of a table: 0 is its creation, each commit adds one.
pub type Version = u64;

pub(super) type Engine = DefaultEngine<TokioMultiThreadExecutor>;

/// A table as it was when it was last looked at.
pub struct Table {
    pub(super) location: Location,
    pub(super) engine: Arc<Engine>,
    pub(super) snapshot: SnapshotRef,
    /// What commits say of who made them, such as `name/1.0`.
    pub(super) writer: String,
    /// How many commits the newest checkpoint lacks, where that is known.
    pub(super) unchecked: Option<u64>,
}

/// What a table begins with.
#[derive(Debug, Clone)]
pub struct NewTable<'a> {
    /// Its columns. [`PARTITION`] comes behind them.
    pub columns: &'a [Column],
    /// What it says of itself, by names that do not begin with `delta.`.
    pub properties: &'a [(String, String)],
}

/// The property that names the columns of which files have bounds. Readers expect bounds of the
/// others, too, where it is not said, and one that finds none (deltalake's pyarrow dataset) finds
/// no row.
fn bounded(columns: &[Column]) -> (String, String) {
    let has_bounds = |column: &&Column| !matches!(column.kind, Kind::Boolean | Kind::Json);
    let names: Vec<&str> =
        columns.iter().filter(has_bounds).map(|column| column.name.as_str()).collect();
    ("delta.dataSkippingStatsColumns".to_owned(), names.join(","))
}

impl fmt::Debug for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Table")
            .field("location", &self.location)
            .field("version", &self.version())
            .finish_non_exhaustive()
    }
}

impl Table {
    /// Looks at the table at `location`; `None` where nothing is. `writer` is what commits will
    /// say of who made them, such as `name/1.0`.
    ///
    /// # Errors
    ///
    /// Files that are no table, a table that the library cannot read, or a store that fails.
    pub fn open(location: &Location, writer: &str) -> Result<Option<Self>, Error> {
        let engine = engine(location);
        let mut has_looked_again = false;
        loop {
            let error = match Snapshot::builder_for(location.url.as_str()).build(engine.as_ref()) {
                Ok(snapshot) => {
                    return Ok(Some(Self {
                        location: location.clone(),
                        engine,
                        snapshot,
                        writer: writer.to_owned(),
                        unchecked: None,
                    }));
                }
                // Nobody needs to ask a store again that does not answer.
                Err(error) if location.is_bucket() && may_pass(&error) => {
                    return Err(location.failed("read the table at", &error));
                }
                Err(error) => error,
            };
            // The library says it in many ways; what is there says it plainly. The log is looked
            // for last: another may be making the table right now.
            let holds_files = holds_any(location, "")?;
            if !holds_any(location, "_delta_log")? {
                return match holds_files {
                    true => Err(Error::NotATable { location: location.to_string() }),
                    false => Ok(None),
                };
            }
            if has_looked_again {
                return Err(location.failed("read the table at", &error));
            }
            has_looked_again = true;
        }
    }

    /// Makes a table without rows, version 0, at `location`, where nothing is. Of several writers
    /// that do so at once, one makes it; `None` tells the others to open it and look.
    ///
    /// # Errors
    ///
    /// Columns or properties that the library refuses, or a store that fails. After a store
    /// failed, the table may be there all the same: open it and look.
    pub fn create(
        location: &Location,
        writer: &str,
        new: &NewTable,
    ) -> Result<Option<Self>, Error> {
        location.make()?;
        let failed = |error: &KernelError| location.failed("make a table at", error);
        let engine = engine(location);
        let schema = schema::schema(new.columns).map_err(|error| failed(&error))?;
        let begun = create_table(location.url.as_str(), schema, writer, false)
            .with_table_properties(new.properties.iter().cloned().chain([bounded(new.columns)]))
            .with_data_layout(DataLayout::partitioned([PARTITION]))
            .build(engine.as_ref(), Box::new(FileSystemCommitter::new()));
        let transaction = match begun {
            Ok(transaction) => transaction,
            Err(KernelError::TableAlreadyExistsAtPath(_)) => return Ok(None),
            Err(error) => return Err(failed(&error)),
        };
        match transaction.commit(engine.as_ref()) {
            Ok(CommitResult::Committed(committed)) => match committed.post_commit_snapshot() {
                Some(snapshot) => Ok(Some(Self {
                    location: location.clone(),
                    engine,
                    snapshot: snapshot.clone(),
                    writer: writer.to_owned(),
                    unchecked: None,
                })),
                None => Self::open(location, writer),
            },
            Ok(CommitResult::Conflicted(_)) => Ok(None),
            Ok(CommitResult::Retryable(retryable)) => Err(failed(&retryable.error)),
            Err(error) => Err(failed(&error)),
        }
    }

    /// The version that was last looked at.
    #[must_use]
    pub fn version(&self) -> Version {
        self.snapshot.version()
    }

    /// Looks at the table again.
    ///
    /// # Errors
    ///
    /// A table that can no longer be read, or a store that fails.
    pub fn refresh(&mut self) -> Result<(), Error> {
        self.snapshot = Snapshot::builder_from(self.snapshot.clone())
            .build(self.engine.as_ref())
            .map_err(|error| self.location.failed("read the table at", &error))?;
        Ok(())
    }

    /// How far the writer `app_id` is in this version, as its last commit said; `None` where it
    /// never wrote.
    ///
    /// # Errors
    ///
    /// A log that cannot be read.
    pub fn applied(&self, app_id: &str) -> Result<Option<i64>, Error> {
        self.snapshot
            .get_app_id_version(app_id, self.engine.as_ref())
            .map_err(|error| self.location.failed("read the table at", &error))
    }

    /// What the table says of itself under `name`.
    #[must_use]
    pub fn property(&self, name: &str) -> Option<&str> {
        self.snapshot.table_properties().unknown_properties.get(name).map(String::as_str)
    }

    /// Whether the table's columns are `columns` and [`PARTITION`], by name, type and order.
    #[must_use]
    pub fn holds(&self, columns: &[Column]) -> bool {
        schema::holds(&self.snapshot.schema(), columns)
    }

    /// Begins a data file for rows of `date`, in days since 1970. Dates outside the years 1 to
    /// 9999 are kept as none.
    #[must_use]
    pub fn new_file(&self, date: Option<i32>) -> DataFile {
        DataFile::new(&self.location, date)
    }
}

fn engine(location: &Location) -> Arc<Engine> {
    let builder = DefaultEngine::builder(location.objects.clone());
    Arc::new(builder.with_task_executor(location.executor.clone()).build())
}

/// Whether anything is stored below `folder` of `location`.
fn holds_any(location: &Location, folder: &str) -> Result<bool, Error> {
    let prefix = if folder.is_empty() { location.root.clone() } else { location.path(folder) };
    let objects = location.objects.clone();
    let first = location.wait(async move { objects.list(Some(&prefix)).next().await });
    match first {
        Some(Ok(_)) => Ok(true),
        None | Some(Err(object_store::Error::NotFound { .. })) => Ok(false),
        Some(Err(error)) => Err(location.failed("list", &error)),
    }
}
