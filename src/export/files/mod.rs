//! Divides rows among files.

mod body;
mod compression;
mod output;
mod whole_file;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

pub(super) use body::{Body, Frame, TextBody};
pub use compression::Compression;
pub(super) use compression::Compressor;
#[cfg(feature = "lake")]
pub(super) use output::Place;
pub(super) use output::{Output, Written, sync_stdout};
pub use whole_file::WholeFile;
pub(super) use whole_file::{SealedFile, TEMPORARY, folder_of, followed, make_folder, sync_folder};

use super::error::Error;
use super::hive::PartitionBy;
use super::rows::Rows;

/// How many files are open at once. Of more, the one that was not written to for longest rests.
const MOST_OPEN: usize = 100;

/// How many bytes all open files together hold in memory.
const MOST_HELD: usize = 48 << 20;

/// When a file ends and the next one begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rotation {
    /// With so many rows.
    Rows(u64),
    /// With the row that makes it as large as this, in bytes.
    Size(u64),
}

/// Where files go.
#[derive(Debug, Clone)]
pub(super) enum Layout {
    /// To stdout.
    Stdout,
    /// Into one file.
    File(PathBuf),
    /// Into a folder.
    Folder(FolderLayout),
}

/// How files lie in a folder.
#[derive(Debug, Clone)]
pub(super) struct FolderLayout {
    /// The folder, which is there.
    pub(super) folder: PathBuf,
    /// By what rows are divided among its folders.
    pub(super) by: Option<PartitionBy>,
    /// When a file ends.
    pub(super) rotation: Option<Rotation>,
    /// How the names of the files begin: `events`.
    pub(super) prefix: String,
    /// How they end: `csv.gz`.
    pub(super) ending: String,
}

/// A file with all its content.
pub(super) struct Finished {
    /// Its name, within the folder where there is one.
    pub(super) name: PathBuf,
    /// How many rows it has.
    pub(super) rows: u64,
    /// What was written.
    pub(super) written: Written,
}

impl Finished {
    /// Whether a file will be there: a pipe or a device is none.
    pub(super) fn is_file(&self) -> bool {
        self.written.sealed.as_ref().is_some_and(SealedFile::is_file)
    }
}

/// Makes the content of a file.
pub(super) type Make<'a, B> = Box<dyn Fn(Output) -> Result<B, Error> + Send + 'a>;

/// The files of a run.
pub(super) struct Files<'a, B> {
    layout: Layout,
    /// How the names of unfinished files begin.
    unfinished: String,
    make: Make<'a, B>,
    total: Arc<AtomicU64>,
    /// Those that are written to, by the value that divides the rows.
    open: HashMap<Option<String>, Open<B>>,
    /// The values of those that do not rest, by when they were written to.
    awake: BTreeMap<u64, Option<String>>,
    /// How many files a value has had.
    numbers: HashMap<Option<String>, u64>,
    finished: Vec<Finished>,
    /// Counts the turns: which file was not written to for longest.
    clock: u64,
}

struct Open<B> {
    name: PathBuf,
    body: B,
    rows: u64,
    /// When it was written to, as in `awake`.
    used: u64,
}

impl<'a, B: Body> Files<'a, B> {
    /// No file yet. `total` is told how many bytes are written.
    pub(super) fn new(
        layout: Layout,
        unfinished: &str,
        total: Arc<AtomicU64>,
        make: Make<'a, B>,
    ) -> Self {
        Self {
            layout,
            unfinished: unfinished.to_owned(),
            make,
            total,
            open: HashMap::new(),
            awake: BTreeMap::new(),
            numbers: HashMap::new(),
            finished: Vec::new(),
            clock: 0,
        }
    }

    /// Writes rows.
    pub(super) fn write(&mut self, rows: &B::Rows) -> Result<(), Error> {
        if let Some(keys) = rows.keys() {
            let mut places = vec![Vec::new(); keys.values.len()];
            for (row, value) in (0..).zip(&keys.of_rows) {
                places[*value as usize].push(row);
            }
            for (value, places) in keys.values.iter().zip(&places) {
                self.divide(value.as_ref(), rows, places)?;
            }
        } else if matches!(&self.layout, Layout::Folder(folder) if folder.rotation.is_some()) {
            let places: Vec<u32> = (0..rows.len() as u32).collect();
            self.divide(None, rows, &places)?;
        } else {
            let file = self.file(None)?;
            file.body.write(rows)?;
            file.rows += rows.len() as u64;
        }
        self.relieve()
    }

    /// Writes these rows, which have one value, and begins files as it is due.
    fn divide(
        &mut self,
        value: Option<&String>,
        rows: &B::Rows,
        mut places: &[u32],
    ) -> Result<(), Error> {
        let rotation = match &self.layout {
            Layout::Folder(folder) => folder.rotation,
            Layout::Stdout | Layout::File(_) => None,
        };
        while !places.is_empty() {
            let file = self.file(value)?;
            let room = match rotation {
                None => places.len(),
                Some(Rotation::Rows(most)) => {
                    usize::try_from(most.saturating_sub(file.rows)).unwrap_or(usize::MAX)
                }
                Some(Rotation::Size(_)) => B::STEP,
            };
            let (now, later) = places.split_at(room.clamp(1, places.len()));
            file.body.write_some(rows, now)?;
            file.rows += now.len() as u64;
            let is_full = match rotation {
                None => false,
                Some(Rotation::Rows(most)) => file.rows >= most,
                Some(Rotation::Size(most)) => file.body.size() >= most,
            };
            if is_full {
                self.end(&value.cloned())?;
            }
            places = later;
        }
        Ok(())
    }

    /// The file that takes the next row with this value.
    fn file(&mut self, value: Option<&String>) -> Result<&mut Open<B>, Error> {
        let value = value.cloned();
        let used = self.open.get(&value).map(|file| file.used);
        if used.and_then(|used| self.awake.remove(&used)).is_none() {
            self.make_room()?;
        }
        if used.is_none() {
            let begun = self.begin(value.as_ref())?;
            self.open.insert(value.clone(), begun);
        }
        self.clock += 1;
        self.awake.insert(self.clock, value.clone());
        let file = self.open.get_mut(&value);
        let file = file.ok_or_else(|| Error::Ended("a file is gone".to_owned()))?;
        file.used = self.clock;
        Ok(file)
    }

    /// Lets a file rest where as many are awake as may be.
    fn make_room(&mut self) -> Result<(), Error> {
        if self.awake.len() < MOST_OPEN {
            return Ok(());
        }
        let oldest = self.awake.pop_first().and_then(|(_, value)| self.open.get_mut(&value));
        oldest.map_or(Ok(()), |file| file.body.rest())
    }

    fn begin(&mut self, value: Option<&String>) -> Result<Open<B>, Error> {
        let (name, output) = match &self.layout {
            Layout::Stdout => (PathBuf::new(), Output::stdout(Arc::clone(&self.total))),
            Layout::File(path) => {
                let file = WholeFile::begin(path, None, &self.unfinished)?;
                (path.clone(), Output::file(file, path, Arc::clone(&self.total)))
            }
            Layout::Folder(folder) => {
                let number = self.numbers.entry(value.cloned()).or_default();
                let name = folder.name(value, *number);
                *number += 1;
                let path = folder.folder.join(&name);
                let file = WholeFile::begin(&path, Some(&folder.folder), &self.unfinished)?;
                (name, Output::file(file, &path, Arc::clone(&self.total)))
            }
        };
        Ok(Open { name, body: (self.make)(output)?, rows: 0, used: self.clock })
    }

    fn end(&mut self, value: &Option<String>) -> Result<(), Error> {
        let Some(Open { name, body, rows, used }) = self.open.remove(value) else { return Ok(()) };
        self.awake.remove(&used);
        self.finished.push(Finished { name, rows, written: body.finish()? });
        Ok(())
    }

    /// Lets the files that hold most in memory write it, where all of them hold too much.
    fn relieve(&mut self) -> Result<(), Error> {
        let mut held: usize = self.open.values().map(|file| file.body.held()).sum();
        if held <= MOST_HELD || self.open.len() < 2 {
            return Ok(());
        }
        let mut files: Vec<_> = self.open.values_mut().collect();
        files.sort_by_key(|file| std::cmp::Reverse(file.body.held()));
        for file in files {
            held = held.saturating_sub(file.body.held());
            file.body.relieve()?;
            if !self.awake.contains_key(&file.used) {
                file.body.rest()?;
            }
            if held < MOST_HELD / 2 {
                break;
            }
        }
        Ok(())
    }

    /// Ends all files and returns them, in the order of their names. One file, and stdout, are
    /// there without any row, too.
    pub(super) fn finish(mut self) -> Result<Vec<Finished>, Error> {
        if self.finished.is_empty() && !matches!(self.layout, Layout::Folder(_)) {
            self.file(None)?;
        }
        let values: Vec<_> = self.open.keys().cloned().collect();
        for value in values {
            self.end(&value)?;
        }
        self.finished.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(self.finished)
    }
}

impl FolderLayout {
    /// The name of a file within the folder.
    fn name(&self, value: Option<&String>, number: u64) -> PathBuf {
        let file = format!("{}-{number:06}.{}", self.prefix, self.ending);
        match self.by {
            Some(by) => Path::new(&by.folder(value.map(String::as_str))).join(file),
            None => PathBuf::from(file),
        }
    }
}
