//! One run: reads the rows, writes the files, gives them their names, and leaves a manifest.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::{fs, io};

#[cfg(feature = "lake")]
use ::lake::{column::Storage, file::FileOptions};
use chrono::Utc;

use super::batch_range::BatchRange;
use super::columns::Columns;
use super::error::Error;
use super::files::{
    Body, Compressor, Files, Finished, Frame, Output, SealedFile, TEMPORARY, TextBody, WholeFile,
    folder_of, make_folder, sync_folder,
};
#[cfg(feature = "lake")]
use super::lake::{LakeEncoder, ParquetBody, lake_columns};
use super::manifest::{Contents, Manifest, data_files, manifests_of};
use super::ocel::{self, OcelSummary, write_ocel};
use super::pieces::{IdRange, by_id, of_batches};
use super::reading::{Encoder, Wanted, read};
use super::rows::{Rows, TextEncoder};
use super::target::{FileFormat, Target};
use crate::output::{Format, Style};
use crate::store::{self, ReadTransaction, ResolvedSelection, SelectedColumn, Session};

/// Of fewer rows than this it is not worth to connect once more.
const WORTH_SESSIONS: u64 = 100_000;

/// How many sessions read side by side at most.
const MOST_SESSIONS: usize = 4;

/// Of a selection of fewer rows than one in so many, reading by ranges of ids would look at too
/// many others.
const NARROW: u64 = 5;

/// What a run reads.
pub struct Source<'a> {
    /// The snapshot that is read.
    pub reading: &'a ReadTransaction<'a>,
    /// How to connect once more.
    pub settings: &'a store::Settings,
    /// Which rows.
    pub wanted: Arc<Wanted>,
    /// How values are written as text.
    pub style: Style,
    /// What is handed over, for the manifest.
    pub contents: Contents,
    /// Who watches.
    pub watch: &'a dyn Watch,
}

/// Is told how far a run is.
pub trait Watch {
    /// So many rows will come; about so many where that is not known exactly.
    fn expects(&self, rows: u64, is_exact: bool);

    /// So many rows and bytes are written.
    fn wrote(&self, rows: u64, bytes: u64);
}

/// What a run wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// How many rows.
    pub rows: u64,
    /// How many files.
    pub files: usize,
    /// How many bytes.
    pub bytes: u64,
    /// Whether the limit cut the rows.
    pub is_cut: bool,
}

impl Summary {
    /// Both together.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            rows: self.rows + other.rows,
            files: self.files + other.files,
            bytes: self.bytes + other.bytes,
            is_cut: self.is_cut || other.is_cut,
        }
    }
}

/// Files with all their content, which lack only their names.
pub(super) struct Prepared {
    target: Target,
    files: Vec<Finished>,
    manifest: Option<SealedFile>,
    pub(super) summary: Summary,
}

impl Source<'_> {
    /// Writes every selected row, by id.
    ///
    /// # Errors
    /// Whatever goes wrong: nothing has its name then, except where giving names failed.
    pub async fn write(&self, target: &Target) -> Result<Summary, Error> {
        refuse_used_folder(target)?;
        let all = store::stored_rows(self.reading).await?;
        // Before anything that may take its time.
        if self.wants_all() {
            self.watch.expects(self.up_to_limit(all), true);
        }
        let last = store::snapshot(self.reading).await?.batch_no;
        let pieces = match store::id_span(self.reading).await? {
            Some((first, last)) if !self.wanted.selection.is_empty() => {
                self.pieces_of_all(IdRange { after: first - 1, last }, all).await?
            }
            _ => Vec::new(),
        };
        let batches = BatchRange { after: 0, last };
        self.prepare(target, pieces, batches, None, TEMPORARY).await?.publish()
    }

    /// Writes an object-centric event log of the selected events. `attributes` are what its events
    /// have besides.
    ///
    /// # Errors
    /// Whatever goes wrong: no log has its name then.
    pub async fn write_ocel(
        &self,
        target: &Target,
        attributes: &[SelectedColumn],
    ) -> Result<OcelSummary, Error> {
        let last = store::snapshot(self.reading).await?.batch_no;
        let bytes = Arc::new(AtomicU64::new(0));
        let (name, output) = match target.path.clone() {
            Some(path) => {
                let file = WholeFile::create(&path)?;
                (path.clone(), Output::file(file, &path, Arc::clone(&bytes)))
            }
            None => (PathBuf::new(), Output::stdout(Arc::clone(&bytes))),
        };
        let place = output.place();
        let output = Compressor::new(output, target.compression);
        let mut output = output.map_err(|error| place.error(error))?;
        let mut is_told = false;
        let progress = |events, all| {
            if !is_told {
                self.watch.expects(all, true);
                is_told = true;
            }
            self.watch.wrote(events, bytes.load(Relaxed));
        };
        let selection = &self.wanted.selection;
        let written = write_ocel(self.reading, selection, attributes, &mut output, progress).await;
        let summary = written.map_err(|error| match error {
            ocel::Error::Store(error) => Error::Store(error),
            ocel::Error::Output(error) => place.error(error),
            error => Error::Ocel(error),
        })?;
        let written = output.finish().map_err(|error| place.error(error))?.finish()?;
        let files = vec![Finished { name, rows: summary.events, written }];
        let batches = BatchRange { after: 0, last };
        self.prepared(target, files, false, (batches, None), TEMPORARY)?.publish()?;
        Ok(summary)
    }

    fn wants_all(&self) -> bool {
        self.wanted.selection == ResolvedSelection::default() && !self.wanted.dedup
    }

    fn up_to_limit(&self, rows: u64) -> u64 {
        self.wanted.limit.map_or(rows, |limit| rows.min(limit))
    }

    /// All rows as one piece, where that is the quicker way to few of them, else in pieces.
    async fn pieces_of_all(&self, whole: IdRange, all: u64) -> Result<Vec<IdRange>, Error> {
        let is_all = self.wants_all();
        let expected = match is_all {
            true => all,
            false => self.wanted.query(whole).expected_rows(self.reading).await?,
        };
        // PostgreSQL knows nothing of what a payload holds.
        if !is_all && !self.wanted.selection.has_predicates() {
            self.watch.expects(self.up_to_limit(expected), false);
        }
        let is_narrow = self.wanted.limit.is_some() || expected < all / NARROW;
        Ok(if is_narrow { vec![whole] } else { by_id(whole) })
    }

    /// Writes the selected rows of these batches, batch by batch. `unfinished` is how the names of
    /// unfinished files begin.
    pub(super) async fn prepare_batches(
        &self,
        target: &Target,
        batches: BatchRange,
        unfinished: &str,
    ) -> Result<Prepared, Error> {
        let mut found = store::batches_after(self.reading, batches.after, i64::MAX).await?;
        found.retain(|batch| batch.batch_no <= batches.last);
        let pieces = match self.wanted.selection.is_empty() {
            true => Vec::new(),
            false => of_batches(&found),
        };
        if self.wanted.selection == ResolvedSelection::default() {
            let rows = pieces.iter().map(|piece| piece.last.abs_diff(piece.after)).sum();
            self.watch.expects(rows, true);
        }
        self.prepare(target, pieces, batches, Some(batches), unfinished).await
    }

    async fn prepare(
        &self,
        target: &Target,
        pieces: Vec<IdRange>,
        batches: BatchRange,
        named: Option<BatchRange>,
        unfinished: &str,
    ) -> Result<Prepared, Error> {
        target.make_folder()?;
        let bytes = Arc::new(AtomicU64::new(0));
        let layout = target.layout(named);
        let (files, is_cut) = match target.format {
            FileFormat::Csv | FileFormat::Ndjson | FileFormat::Json => {
                let encoder = |columns: &Columns| self.text_encoder(columns, target);
                let head = encoder(&self.wanted.columns)?.head().to_owned();
                let frame = Frame { head, is_array: target.format == FileFormat::Json };
                let make =
                    Box::new(move |output| TextBody::new(output, target.compression, &frame));
                let files = Files::new(layout, unfinished, Arc::clone(&bytes), make);
                self.fill(files, pieces, encoder, &bytes).await?
            }
            #[cfg(feature = "lake")]
            FileFormat::Parquet => {
                let columns = lake_columns(&self.wanted.columns);
                let options = FileOptions::new(concat!("audit ", env!("CARGO_PKG_VERSION")));
                let make =
                    Box::new(move |output| ParquetBody::new(output, &columns, options.clone()));
                let files = Files::new(layout, unfinished, Arc::clone(&bytes), make);
                let encoder =
                    |columns: &Columns| Ok(LakeEncoder::new(columns, Storage::Parquet, target.by));
                self.fill(files, pieces, encoder, &bytes).await?
            }
            FileFormat::Ocel => {
                return Err(Error::Ended("a log is no row after another".to_owned()));
            }
            #[cfg(not(feature = "lake"))]
            FileFormat::Parquet => return Err(Error::NotBuilt("Parquet")),
        };
        self.prepared(target, files, is_cut, (batches, named), unfinished)
    }

    /// Files with all their content, and their manifest.
    fn prepared(
        &self,
        target: &Target,
        files: Vec<Finished>,
        is_cut: bool,
        (batches, named): (BatchRange, Option<BatchRange>),
        unfinished: &str,
    ) -> Result<Prepared, Error> {
        let manifest = match target.manifest(named) {
            Some(path) if !files.is_empty() && files.iter().all(Finished::is_file) => {
                let manifest = Manifest::new(target, &self.contents, batches, Utc::now(), &files);
                Some(manifest.seal(&path, unfinished)?)
            }
            _ => None,
        };
        let summary = Summary {
            rows: files.iter().map(|file| file.rows).sum(),
            files: files.len(),
            bytes: files.iter().map(|file| file.written.bytes).sum(),
            is_cut,
        };
        Ok(Prepared { target: target.clone(), files, manifest, summary })
    }

    fn text_encoder(&self, columns: &Columns, target: &Target) -> Result<TextEncoder, Error> {
        let format = match target.format {
            FileFormat::Csv => Format::Csv,
            _ => Format::Ndjson,
        };
        TextEncoder::new(columns, format, self.style, target.by)
    }

    /// Reads the pieces into files.
    async fn fill<E: Encoder<Rows: Rows>, B: Body<Rows = E::Rows>>(
        &self,
        mut files: Files<'_, B>,
        pieces: Vec<IdRange>,
        encoder: impl Fn(&Columns) -> Result<E, Error>,
        bytes: &AtomicU64,
    ) -> Result<(Vec<Finished>, bool), Error> {
        let mut count = 0;
        let write = async |rows: E::Rows| {
            // Says it first: a reader that does not read holds the writing up.
            count += rows.len() as u64;
            self.watch.wrote(count, bytes.load(Relaxed));
            files.write(&rows)
        };
        let is_cut = self.read(pieces, encoder, write).await?;
        Ok((files.finish()?, is_cut))
    }

    /// Reads the pieces and hands their rows over in order. Returns whether the limit cut them.
    pub(super) async fn read<E: Encoder>(
        &self,
        pieces: Vec<IdRange>,
        encoder: impl Fn(&Columns) -> Result<E, Error>,
        take: impl AsyncFnMut(E::Rows) -> Result<(), Error>,
    ) -> Result<bool, Error> {
        let more = self.more_sessions(&pieces).await?;
        // A piece of all ids may have more batches than memory has room for.
        let wanted = match pieces.iter().all(IdRange::is_small) {
            true => Arc::new(self.wanted.derived()),
            false => Arc::clone(&self.wanted),
        };
        read(self.reading, more, &wanted, pieces, encoder, take).await
    }

    /// The sessions that read side by side; not one where there is little to read.
    async fn more_sessions(&self, pieces: &[IdRange]) -> Result<Vec<Session>, Error> {
        let ids: u64 = pieces.iter().map(|piece| piece.last.abs_diff(piece.after)).sum();
        if pieces.len() < 2 || ids < WORTH_SESSIONS {
            return Ok(Vec::new());
        }
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let mut sessions = Vec::new();
        for _ in 0..cores.clamp(1, MOST_SESSIONS) {
            // One more that can't be had only makes it slower.
            sessions.extend(Session::open(self.settings, "audit export").await.ok());
        }
        Ok(sessions)
    }
}

impl Prepared {
    /// The names to come.
    pub(super) fn names(&self) -> Vec<PathBuf> {
        self.files.iter().map(|file| file.name.clone()).collect()
    }

    /// Whether files will be there: a pipe or a device is none.
    pub(super) fn has_files(&self) -> bool {
        self.files.iter().any(Finished::is_file)
    }

    /// Fails where a file of a folder would replace another one.
    pub(super) fn refuse_taken(&self) -> Result<(), Error> {
        let Some(folder) = self.target.path.as_deref().filter(|_| self.target.is_folder()) else {
            return Ok(());
        };
        let taken =
            self.files.iter().map(|file| folder.join(&file.name)).find(|path| path.exists());
        taken.map_or(Ok(()), |path| {
            Err(Error::unusable(&path, "another run has written this file: name another folder"))
        })
    }

    /// Gives the files their names, then the manifest.
    pub(super) fn publish(self) -> Result<Summary, Error> {
        let mut folders = BTreeSet::new();
        if let Some(path) = self.target.path.as_deref().filter(|_| self.target.is_folder()) {
            folders.insert(folder_of(path).to_owned());
            folders.insert(path.to_owned());
            for file in &self.files {
                let folder = path.join(folder_of(&file.name));
                make_folder(&folder).map_err(Error::file("making", &folder))?;
            }
        } else if let Some(path) = self.target.manifest(None).filter(|_| self.manifest.is_some()) {
            // A manifest of what was there before must not stand beside what comes.
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(Error::file("replacing", &path)(error));
                }
                _ => {}
            }
        }
        for file in self.files {
            folders.extend(file.written.sealed.map(SealedFile::rename).transpose()?.flatten());
        }
        for folder in folders {
            sync_folder(&folder).map_err(Error::file("writing", &folder))?;
        }
        self.manifest.map(SealedFile::publish).transpose()?;
        Ok(self.summary)
    }
}

/// A folder that holds data is another run's.
fn refuse_used_folder(target: &Target) -> Result<(), Error> {
    let Some(path) = target.path.as_deref().filter(|path| target.is_folder() && path.exists())
    else {
        return Ok(());
    };
    if !path.is_dir() {
        return Err(Error::unusable(
            path,
            "it is a file: --partition-by and --rotate make a folder",
        ));
    }
    if data_files(path)?.is_empty() && manifests_of(path)?.is_empty() {
        return Ok(());
    }
    Err(Error::unusable(
        path,
        "the folder holds data already: name another one, or go on behind it with --incremental",
    ))
}
