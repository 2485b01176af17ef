//! New rows: data files become part of the table, once.

use std::thread;
use std::time::Duration;

use delta_kernel::KernelError;
use delta_kernel::committer::FileSystemCommitter;
use delta_kernel::engine::arrow_data::ArrowEngineData;
use delta_kernel::transaction::{CommitResult, CommittedTransaction, UpdateTableOperation};
use object_store::ObjectStoreExt as _;
use serde_json::Value;
use uuid::Uuid;

use super::file::discard;
use super::{AddedFile, Error, Table, Version};

/// How often a commit is tried where others are quicker: each of them made progress.
const TURNS: u32 = 100;
/// How often a commit is tried where the store fails, on top of the store's own retries.
const FAILURES: u32 = 3;
/// The longest pause between two tries.
const PAUSE: Duration = Duration::from_millis(500);

/// The name under which a commit says which attempt made it.
pub(super) const ATTEMPT: &str = "commit";

/// How far a writer comes with a commit.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// The writer's name in the table.
    pub app_id: &'a str,
    /// How far it was; `None` before its first commit.
    pub from: Option<i64>,
    /// How far it is with these files: further than it was.
    pub to: i64,
}

/// How a commit went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The files are part of the table since this version.
    Committed(Version),
    /// The writer of this name is elsewhere than expected: another run of it was quicker. The
    /// files are thrown away. So far it is now.
    Overtaken(Option<i64>),
}

impl Table {
    /// Makes `files` part of the table in one new version, which also says that the writer came
    /// from `progress.from` to `progress.to`; but only if it is at `progress.from` there. Where
    /// others committed in between, the same files are committed behind them. Afterwards this
    /// table is at the newest version.
    ///
    /// # Errors
    ///
    /// A store that fails, or a progress that is none. [`Error::Unknown`] says that the files may
    /// have become part of the table all the same; [`Table::applied`] tells, once the store
    /// answers. After any other error they are thrown away.
    pub fn append(&mut self, files: &[AddedFile], progress: &Progress) -> Result<Outcome, Error> {
        if progress.from.is_some_and(|from| progress.to <= from) {
            // A commit that does not move its writer could not be told from one that was not made.
            discard(&self.location, files);
            return Err(Error::Backwards { from: progress.from, to: progress.to });
        }
        let attempt = Uuid::now_v7().to_string();
        let mut tries = Tries::begin(self.version() + 1);
        loop {
            let applied = match self.look(&mut tries, progress.app_id) {
                Ok(applied) => applied,
                Err(error) => {
                    tries.failed(error);
                    self.give_up(files, &mut tries)?;
                    continue;
                }
            };
            if applied != progress.from {
                return self.overtaken(files, &tries, &attempt, applied);
            }
            // What another has made cannot be made by a request of ours that is still under way.
            tries.open = tries.open.filter(|version| *version > self.version());
            self.give_up(files, &mut tries)?;
            let next = self.version() + 1;
            match self.commit(files, progress, &attempt) {
                Ok(Some(version)) => return Ok(Outcome::Committed(version)),
                Ok(None) => tries.turns += 1,
                Err(Failed::Before(error)) => {
                    tries.failed(self.location.failed("commit to", &error));
                    tries.failures = FAILURES;
                    self.give_up(files, &mut tries)?;
                }
                Err(Failed::During(error)) => {
                    tries.failed(self.location.failed("commit to", &error));
                }
            }
            tries.open = Some(next);
        }
    }

    /// Where the writer is; after a first try, in the newest version and after a pause.
    fn look(&mut self, tries: &mut Tries, app_id: &str) -> Result<Option<i64>, Error> {
        if tries.failures + tries.turns > 0 {
            tries.pause();
            self.refresh()?;
        }
        self.applied(app_id)
    }

    /// Ends a commit that was tried often enough.
    fn give_up(&self, files: &[AddedFile], tries: &mut Tries) -> Result<(), Error> {
        let location = || self.location.to_string();
        let failed = tries.failures >= FAILURES;
        if !failed && tries.turns < TURNS {
            return Ok(());
        }
        let error = tries.error.take().filter(|_| failed);
        if tries.open.is_some() {
            // What may have arrived, or may still arrive, keeps its files.
            let reason = match error {
                Some(Error::Store { reason, .. }) => reason,
                Some(error) => error.to_string(),
                None => "others were quicker".to_owned(),
            };
            return Err(Error::Unknown { location: location(), reason });
        }
        discard(&self.location, files);
        Err(error.unwrap_or(Error::Busy { location: location(), attempts: tries.turns }))
    }

    /// The writer is not where it was: by this commit, whose answer got lost, or by another.
    fn overtaken(
        &self,
        files: &[AddedFile],
        tries: &Tries,
        attempt: &str,
        applied: Option<i64>,
    ) -> Result<Outcome, Error> {
        if tries.failures + tries.turns > 0 {
            for version in tries.first..=self.version() {
                if self.made_by(version, attempt)? {
                    return Ok(Outcome::Committed(version));
                }
            }
        }
        discard(&self.location, files);
        Ok(Outcome::Overtaken(applied))
    }

    /// Tries one commit; `None` says that its version exists already.
    fn commit(
        &mut self,
        files: &[AddedFile],
        progress: &Progress,
        attempt: &str,
    ) -> Result<Option<Version>, Failed> {
        let mut begun = self
            .snapshot
            .clone()
            .update_table(UpdateTableOperation::Write, self.writer.as_str(), true)
            .with_operation_parameters([
                ("mode", Some("Append".to_owned())),
                ("partitionBy", Some(format!("[\"{}\"]", super::PARTITION))),
                (ATTEMPT, Some(attempt.to_owned())),
            ])
            .with_operation_metrics(metrics(files))
            .with_transaction_id(progress.app_id, progress.to);
        if !files.is_empty() {
            begun = begun.with_blind_append();
        }
        let mut transaction = begun
            .build(self.engine.as_ref(), Box::new(FileSystemCommitter::new()))
            .map_err(Failed::Before)?;
        for file in files {
            transaction.add_files(Box::new(ArrowEngineData::new(file.action.clone())));
        }
        match transaction.commit(self.engine.as_ref()) {
            Ok(CommitResult::Committed(committed)) => Ok(Some(self.took(&committed))),
            Ok(CommitResult::Conflicted(_)) => Ok(None),
            Ok(CommitResult::Retryable(retryable)) => Err(self.failure(retryable.error)),
            Err(error) => Err(self.failure(error)),
        }
    }

    /// Tells a request that the store refused from one that may have arrived. A folder refuses
    /// nothing for certain: the commit may be there, and only its fsync refused.
    fn failure(&self, error: KernelError) -> Failed {
        use object_store::Error::{PermissionDenied, Unauthenticated};
        match error {
            KernelError::ObjectStore(PermissionDenied { .. } | Unauthenticated { .. })
                if self.location.is_bucket() =>
            {
                Failed::Before(error)
            }
            _ => Failed::During(error),
        }
    }

    /// Goes on from the version that was just committed.
    pub(super) fn took(&mut self, committed: &CommittedTransaction) -> Version {
        self.unchecked = Some(committed.post_commit_stats().commits_since_checkpoint);
        if let Some(snapshot) = committed.post_commit_snapshot() {
            self.snapshot = snapshot.clone();
        }
        committed.commit_version()
    }

    /// Whether `version` was made by `attempt`.
    pub(super) fn made_by(&self, version: Version, attempt: &str) -> Result<bool, Error> {
        let path = self.location.path(&format!("_delta_log/{version:020}.json"));
        let objects = self.location.objects.clone();
        let read = self.location.wait(async move { objects.get(&path).await?.bytes().await });
        let unknown =
            |reason: String| Error::Unknown { location: self.location.to_string(), reason };
        let bytes = read.map_err(|error| unknown(self.location.reason(&error)))?;
        let mut actions = serde_json::Deserializer::from_slice(&bytes).into_iter::<Value>();
        actions
            .try_fold(false, |found, action| {
                let made = &action?["commitInfo"]["operationParameters"][ATTEMPT];
                Ok(found || made.as_str() == Some(attempt))
            })
            .map_err(|error: serde_json::Error| unknown(error.to_string()))
    }
}

/// Where a commit failed.
enum Failed {
    /// Nothing was sent.
    Before(KernelError),
    /// It may have arrived.
    During(KernelError),
}

/// How often a commit was tried, and how it went.
struct Tries {
    /// The first version that it can have made.
    first: Version,
    /// How often another was quicker.
    turns: u32,
    /// How often the store failed.
    failures: u32,
    /// The version that a request may have made, or may still make, without an answer.
    open: Option<Version>,
    /// The last failure.
    error: Option<Error>,
}

impl Tries {
    fn begin(first: Version) -> Self {
        Self { first, turns: 0, failures: 0, open: None, error: None }
    }

    fn failed(&mut self, error: Error) {
        self.failures += 1;
        self.error = Some(error);
    }

    /// Waits a while that differs between writers, longer each time.
    fn pause(&self) {
        let step = 5u64 << (self.turns + 4 * self.failures).min(7);
        let spread = Uuid::new_v4().as_u64_pair().0 % step;
        thread::sleep(Duration::from_millis(step / 2 + spread).min(PAUSE));
    }
}

/// What the table's history shows of a commit of `files`.
pub(super) fn metrics(files: &[AddedFile]) -> [(&'static str, Option<String>); 3] {
    let rows: u64 = files.iter().map(AddedFile::rows).sum();
    let bytes: u64 = files.iter().map(AddedFile::bytes).sum();
    [
        ("numFiles", Some(files.len().to_string())),
        ("numOutputRows", Some(rows.to_string())),
        ("numOutputBytes", Some(bytes.to_string())),
    ]
}
