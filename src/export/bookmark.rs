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

use super::batch_range::BatchRange;
use super::error::Error;
use super::files::{TEMPORARY, WholeFile, folder_of, followed, sync_stdout};
use super::handover::{Prepared, Source, Summary};
use super::manifest::{Contents, data_files, is_inside, manifests_of};
use super::target::Target;
use crate::store;

/// What the first member of a bookmark says.
const KIND: &str = "audit-bookmark-1";

/// What was handed over to somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandedOver {
    /// The installation that recorded it.
    pub installation: String,
    /// The options that left events out.
    pub left_out: Vec<String>,
    /// The last batch.
    pub batch_no: i64,
}

/// Of the options of an export those that leave events out.
pub(super) fn left_out(selectors: Vec<String>, options: Vec<String>) -> Vec<String> {
    let dedup = options.into_iter().filter(|option| option == "--dedup");
    selectors.into_iter().chain(dedup).collect()
}

/// How far a record was handed over.
pub struct Bookmark {
    path: PathBuf,
    state: State,
    is_new: bool,
    /// How the names of its unfinished files begin: those of a run that was killed are known by it.
    unfinished: String,
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

impl State {
    /// Reads a bookmark; `None` where there is none.
    fn read(path: &Path) -> Result<Option<Self>, Error> {
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::file("reading", path)(error)),
        };
        let state: Self = serde_json::from_slice(&text).map_err(|error| {
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
        Ok(Some(state))
    }
}

impl Bookmark {
    /// What was handed over as a bookmark tells, and up to which batch; nothing is begun or locked.
    ///
    /// # Errors
    /// `Error::File` and `Error::Unusable` where it can't be read.
    pub fn handed_over(path: &Path) -> Result<HandedOver, Error> {
        let missing = || Error::unusable(path, "there is no such bookmark");
        let State { contents, batch_no, .. } = State::read(path)?.ok_or_else(missing)?;
        Ok(HandedOver {
            installation: contents.installation,
            left_out: left_out(contents.selectors, contents.options),
            batch_no,
        })
    }

    /// Opens a bookmark, or begins one at the first batch, and keeps it from other runs.
    ///
    /// # Errors
    /// `Error::Locked` where another run has it; `Error::OtherContents` where it is of something
    /// else; `Error::Unusable` where it can't be read.
    pub fn open(path: &Path, contents: &Contents) -> Result<Self, Error> {
        let place = place(path);
        let lock = lock(path, &place)?;
        let unfinished = unfinished(&place);
        sweep(folder_of(&place), &unfinished)?;
        let Some(state) = State::read(path)? else {
            let state = State {
                bookmark: KIND.to_owned(),
                contents: contents.clone(),
                batch_no: 0,
                pending: None,
            };
            let path = path.to_owned();
            return Ok(Self { path, state, is_new: true, unfinished, _lock: lock });
        };
        if let Some(difference) = state.contents.difference(contents) {
            return Err(Error::OtherContents { path: path.to_owned(), difference });
        }
        Ok(Self { path: path.to_owned(), state, is_new: false, unfinished, _lock: lock })
    }

    /// The last batch that was handed over; `None` where it is new.
    pub fn batch_no(&self) -> Option<i64> {
        (!self.is_new).then_some(self.state.batch_no)
    }

    fn save(&mut self, batch_no: i64, pending: Option<Pending>) -> Result<(), Error> {
        self.state.batch_no = batch_no;
        self.state.pending = pending;
        let mut text = serde_json::to_vec_pretty(&self.state).map_err(|error| {
            Error::unusable(&self.path, format!("it can't be written: {error}"))
        })?;
        text.push(b'\n');
        let mut file = WholeFile::begin(&self.path, None, &self.unfinished)?;
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

/// Where a bookmark really is, whatever it is called: it has one lock.
fn place(path: &Path) -> PathBuf {
    let file = followed(path);
    let folder = folder_of(&file).canonicalize();
    folder.ok().zip(file.file_name()).map(|(folder, name)| folder.join(name)).unwrap_or(file)
}

fn unfinished(place: &Path) -> String {
    let hash = sha256(place.as_os_str().as_encoded_bytes());
    let hash: String = hash[..6].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{TEMPORARY}{hash}-")
}

/// Keeps a bookmark from other runs, by a file beside it that stays.
fn lock(path: &Path, place: &Path) -> Result<File, Error> {
    let mut name = place.as_os_str().to_owned();
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
        let mut before = None;
        if let Some(pending) = bookmark.state.pending.clone() {
            let is_same = !target.is_folder() && pending.target.path == target.path;
            let summary = self.end_pending(pending, bookmark).await?;
            if is_same {
                return Ok(summary);
            }
            before = Some(summary);
        }
        refuse_existing(target)?;
        bookmark.refuse_inside(target)?;
        sweep_target(target, &bookmark.unfinished)?;
        let after = bookmark.state.batch_no;
        let last = store::snapshot(self.reading).await?.batch_no;
        if last < after {
            return Err(bookmark.is_ahead(after, last));
        }
        let batches = BatchRange { after, last };
        bookmark.refuse_used_folder(target)?;
        let prepared = self.prepare_batches(target, batches, &bookmark.unfinished).await?;
        let has_files = prepared.has_files();
        if has_files {
            prepared.refuse_taken()?;
            let pending = Pending { batches, target: target.clone(), names: prepared.names() };
            bookmark.save(after, Some(pending))?;
        }
        let summary = prepared.publish()?;
        if last > after || has_files {
            if target.path.is_none() {
                sync_stdout()?;
            }
            bookmark.save(last, None)?;
        }
        Ok(before.map_or(summary, |before| before.and(summary)))
    }

    /// Writes the files that a killed run had noted, and moves the bookmark behind them.
    async fn end_pending(
        &self,
        pending: Pending,
        bookmark: &mut Bookmark,
    ) -> Result<Summary, Error> {
        let Pending { batches, target, names } = pending;
        sweep_target(&target, &bookmark.unfinished)?;
        let last = store::snapshot(self.reading).await?.batch_no;
        if last < batches.last {
            return Err(bookmark.is_ahead(batches.last, last));
        }
        let prepared = self.prepare_batches(&target, batches, &bookmark.unfinished).await?;
        bookmark.end_outdated(&prepared, batches, &target, names)?;
        let summary = prepared.publish()?;
        bookmark.save(batches.last, None)?;
        Ok(summary)
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

    /// Removes what a killed run noted and this one does not write again. The rows are the same,
    /// but another version of the program may divide them among other files.
    fn end_outdated(
        &mut self,
        prepared: &Prepared,
        batches: BatchRange,
        target: &Target,
        noted: Vec<PathBuf>,
    ) -> Result<(), Error> {
        let mut names = prepared.names();
        let (_, outdated): (Vec<_>, Vec<_>) =
            noted.into_iter().partition(|name| names.contains(name));
        let folder = target.path.as_deref().filter(|_| target.is_folder());
        let (Some(folder), false) = (folder, outdated.is_empty()) else { return Ok(()) };
        names.extend(outdated.iter().cloned());
        let pending = Pending { batches, target: target.clone(), names };
        self.save(self.state.batch_no, Some(pending))?;
        for name in outdated.iter().filter(|name| is_inside(name)) {
            let path = folder.join(name);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(Error::file("removing", &path)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// A bookmark that begins anew must not write again what a folder holds.
    fn refuse_used_folder(&self, target: &Target) -> Result<(), Error> {
        let folder = target.path.as_deref().filter(|path| target.is_folder() && path.is_dir());
        let (Some(folder), true) = (folder, self.is_new) else { return Ok(()) };
        if data_files(folder)?.is_empty() && manifests_of(folder)?.is_empty() {
            return Ok(());
        }
        let problem = format!(
            "the folder holds data already, and the bookmark {} is new: name another folder, or bring \
             the bookmark back",
            self.path.display()
        );
        Err(Error::unusable(folder, problem))
    }

    /// A bookmark among the files would be taken for one of them.
    fn refuse_inside(&self, target: &Target) -> Result<(), Error> {
        let Some(folder) = target.path.as_deref().filter(|_| target.is_folder()) else {
            return Ok(());
        };
        let place = place(&self.path);
        let is_hidden =
            place.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        if is_hidden || !place.starts_with(&folder) {
            return Ok(());
        }
        let problem = "the bookmark lies among the files: put it elsewhere, or begin its name with a \
                       dot";
        Err(Error::unusable(&self.path, problem))
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
fn sweep_target(target: &Target, unfinished: &str) -> Result<(), Error> {
    let folder = target.unfinished_in().filter(|folder| folder.is_dir());
    folder.map_or(Ok(()), |folder| sweep(&folder, unfinished))
}

fn sweep(folder: &Path, unfinished: &str) -> Result<(), Error> {
    for entry in fs::read_dir(folder).map_err(Error::file("reading", folder))? {
        let path = entry.map_err(Error::file("reading", folder))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with(unfinished) {
            fs::remove_file(&path).map_err(Error::file("removing", &path))?;
        }
    }
    Ok(())
}
