//! Bookmarks: how far a record was handed over, for a run every hour that writes what is new.
//!
//! A run first writes its files without their names. Then the bookmark notes, durably, which
//! batches they hold and what they will be called; then the files get their names, and the bookmark
//! moves. A run that finds such a note writes exactly these batches under exactly these names, and
//! only then goes on: wherever it is killed, each row is in one file.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use openssl::sha::sha256;
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::files::{TEMPORARY, WholeFile};
use super::handover::{Source, Summary};
use super::manifest::{BatchRange, Contents, Manifest, manifests_of};
use super::target::Target;
use crate::store;

/// What the first member of a bookmark says.
const KIND: &str = "audit-bookmark-1";

/// How far a record was handed over.
pub struct Bookmark {
    path: PathBuf,
    state: State,
    is_new: bool,
    /// Locked as long as this lives.
    _lock: File,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct State {
    bookmark: String,
    #[serde(flatten)]
    contents: Contents,
    /// The last batch that was handed over.
    batch_no: i64,
    /// Files that are about to get their names.
    pending: Option<Pending>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Pending {
    batches: BatchRange,
    target: Target,
    names: Vec<PathBuf>,
}

impl Bookmark {
    /// Opens a bookmark, or begins one at the first batch, and keeps it from other runs.
    ///
    /// # Errors
    /// `Error::Locked` where another run has it; `Error::OtherContents` where it is of something
    /// else; `Error::Unusable` where it can't be read.
    pub fn open(path: &Path, contents: &Contents) -> Result<Self, Error> {
        let lock = lock(path)?;
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let state = State {
                    bookmark: KIND.to_owned(),
                    contents: contents.clone(),
                    batch_no: 0,
                    pending: None,
                };
                return Ok(Self { path: path.to_owned(), state, is_new: true, _lock: lock });
            }
            Err(error) => return Err(Error::file("reading", path)(error)),
        };
        let state: State = serde_json::from_slice(&text).map_err(|error| {
            let problem = format!(
                "this is no bookmark of audit: {error}; where it was one, restore it: a new one begins \
                 with the first event"
            );
            Error::unusable(path, problem)
        })?;
        if state.bookmark != KIND {
            let problem = format!("a bookmark of kind {:?} is not known here", state.bookmark);
            return Err(Error::unusable(path, problem));
        }
        if let Some(difference) = state.contents.difference(contents) {
            return Err(Error::OtherContents { path: path.to_owned(), difference });
        }
        Ok(Self { path: path.to_owned(), state, is_new: false, _lock: lock })
    }

    /// How the names of its unfinished files begin: those of a run that was killed are known by it.
    fn unfinished(&self) -> String {
        let name = std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone());
        let hash = sha256(name.as_os_str().as_encoded_bytes());
        let hash: String = hash[..6].iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{TEMPORARY}{hash}-")
    }

    fn save(&mut self, batch_no: i64, pending: Option<Pending>) -> Result<(), Error> {
        self.state.batch_no = batch_no;
        self.state.pending = pending;
        let mut text = serde_json::to_vec_pretty(&self.state).unwrap_or_default();
        text.push(b'\n');
        let mut file = WholeFile::create(&self.path)?;
        file.write_all(&text).map_err(Error::file("writing", &self.path))?;
        file.finish()
    }
}

impl Contents {
    /// In what it differs from `other`.
    pub(super) fn difference(&self, other: &Self) -> Option<String> {
        let texts = |texts: &[String]| match texts {
            [] => "(all)".to_owned(),
            texts => texts.join(" "),
        };
        if self.installation != other.installation {
            return Some(format!(
                "it is of the installation {}, and this one is {}",
                self.installation, other.installation
            ));
        }
        [
            ("selectors", texts(&self.selectors), texts(&other.selectors)),
            ("columns", self.columns.join(","), other.columns.join(",")),
            ("options", self.options.join(" "), other.options.join(" ")),
        ]
        .into_iter()
        .find(|(_, own, other)| own != other)
        .map(|(what, own, other)| format!("its {what} are {own:?}, and these are {other:?}"))
    }
}

/// Keeps a bookmark from other runs, by a file beside it that stays.
fn lock(path: &Path) -> Result<File, Error> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let lock_path = PathBuf::from(name);
    let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&lock_path);
    let lock = lock.map_err(Error::file("locking", &lock_path))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(Error::Locked(path.to_owned())),
        Err(TryLockError::Error(error)) => Err(Error::file("locking", &lock_path)(error)),
    }
}

impl Source<'_> {
    /// Writes what is behind a bookmark, and moves it.
    ///
    /// # Errors
    /// Whatever goes wrong: the bookmark has not moved then, or the next run ends what it noted.
    pub async fn write_behind(
        &self,
        target: &Target,
        bookmark: &mut Bookmark,
    ) -> Result<Summary, Error> {
        let unfinished = bookmark.unfinished();
        let mut before = None;
        if let Some(pending) = bookmark.state.pending.clone() {
            sweep(&pending.target, &unfinished)?;
            let last = store::snapshot(self.reading).await?.batch_no;
            if last < pending.batches.last {
                return Err(bookmark.is_ahead(pending.batches.last, last));
            }
            let prepared =
                self.prepare_batches(&pending.target, pending.batches, &unfinished).await?;
            if prepared.names() != pending.names {
                let problem = "the files it notes would have other names now: the rows of these \
                               batches are others";
                return Err(Error::unusable(&bookmark.path, problem));
            }
            let summary = prepared.publish()?;
            bookmark.save(pending.batches.last, None)?;
            if !target.is_folder() && pending.target.path == target.path {
                return Ok(summary);
            }
            before = Some(summary);
        }
        refuse_existing(target)?;
        sweep(target, &unfinished)?;
        let after = bookmark.state.batch_no;
        let last = store::snapshot(self.reading).await?.batch_no;
        if last < after {
            return Err(bookmark.is_ahead(after, last));
        }
        let batches = BatchRange { after, last };
        bookmark.refuse_overlap(target, batches)?;
        let prepared = self.prepare_batches(target, batches, &unfinished).await?;
        let names = prepared.names();
        let has_names = target.path.is_some() && !names.is_empty();
        if has_names {
            let pending = Pending { batches, target: target.clone(), names };
            bookmark.save(after, Some(pending))?;
        }
        let summary = prepared.publish()?;
        if last > after || has_names {
            bookmark.save(last, None)?;
        }
        Ok(before.map_or(summary, |before| before.and(summary)))
    }
}

impl Bookmark {
    fn is_ahead(&self, batch_no: i64, last: i64) -> Error {
        let problem = format!(
            "it stands behind batch {batch_no}, and the record ends with {last}: the database was \
             restored from a backup, or is another one"
        );
        Error::unusable(&self.path, problem)
    }

    /// A bookmark that begins anew must not write again what a folder holds.
    fn refuse_overlap(&self, target: &Target, batches: BatchRange) -> Result<(), Error> {
        let folder = target.path.as_deref().filter(|path| target.is_folder() && path.is_dir());
        let (Some(folder), true) = (folder, self.is_new) else { return Ok(()) };
        for path in manifests_of(folder)? {
            let there = Manifest::read(&path)?;
            if there.contents.installation == self.state.contents.installation
                && there.batches.last > batches.after
            {
                let problem = format!(
                    "it holds events up to batch {} already, and the bookmark {} is new: name another \
                     folder, or bring the bookmark back",
                    there.batches.last,
                    self.path.display()
                );
                return Err(Error::unusable(folder, problem));
            }
        }
        Ok(())
    }
}

/// With a bookmark no file is replaced: what it holds was handed over.
fn refuse_existing(target: &Target) -> Result<(), Error> {
    let Some(path) = target.path.as_deref() else { return Ok(()) };
    let found = path.metadata().ok();
    match target.is_folder() {
        true if found.as_ref().is_some_and(|found| !found.is_dir()) => {
            Err(Error::unusable(path, "it is a file: --partition-by and --rotate make a folder"))
        }
        false if found.as_ref().is_some_and(fs::Metadata::is_file) => Err(Error::unusable(
            path,
            "the file is there already: with --incremental each run needs a name of its own, such as \
             one with the hour",
        )),
        _ => Ok(()),
    }
}

/// Removes unfinished files of a run that was killed.
fn sweep(target: &Target, unfinished: &str) -> Result<(), Error> {
    let Some(folder) = target.unfinished_in().filter(|folder| folder.is_dir()) else {
        return Ok(());
    };
    for entry in fs::read_dir(&folder).map_err(Error::file("reading", &folder))? {
        let path = entry.map_err(Error::file("reading", &folder))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with(unfinished) {
            fs::remove_file(&path).map_err(Error::file("removing", &path))?;
        }
    }
    Ok(())
}
