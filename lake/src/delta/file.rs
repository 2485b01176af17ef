//! Data files on their way into the store.

use std::io::{self, Write};
use std::mem;
use std::time::{SystemTime, UNIX_EPOCH};

use arrow::array::RecordBatch;
use bytes::Bytes;
use object_store::buffered::BufWriter;
use object_store::path::Path;
use parquet::file::metadata::ParquetMetaData;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::error::may_pass;
use super::{Error, Location, PARTITION, stats};

/// What is sent to the store at once: the least that S3 takes as a part of an upload.
const PART: usize = 5 * 1024 * 1024;
/// How many parts are under way at once. With the one that is being filled and one that waits, a
/// file has at most four in memory.
const UNDER_WAY: usize = 2;

/// The folder of rows without a date, by Hive's convention.
const NO_DATE: &str = "__HIVE_DEFAULT_PARTITION__";

/// A data file that is being written. What is written goes to the store in the background; memory
/// stays flat. A file that is dropped before [`DataFile::finish`] is taken back in the background;
/// where the process ends first, a part of it stays that no reader sees (in a bucket, an unfinished
/// upload: let its lifecycle end those).
///
/// Writing blocks while the store is slower than the writer.
#[derive(Debug)]
pub struct DataFile {
    location: Location,
    name: String,
    date: Option<i32>,
    part: Vec<u8>,
    bytes: u64,
    /// Where parts go; none once the upload has ended.
    upload: Option<Upload>,
}

#[derive(Debug)]
struct Upload {
    parts: Sender<Part>,
    end: JoinHandle<Result<(), object_store::Error>>,
}

#[derive(Debug)]
enum Part {
    More(Bytes),
    Last(Bytes),
}

/// A data file that is whole and durable in the store, but not yet part of a table.
#[derive(Debug, Clone)]
pub struct AddedFile {
    /// Its path below the table.
    pub(super) name: String,
    /// The row that the library makes an add action of.
    pub(super) action: RecordBatch,
    bytes: u64,
    rows: u64,
}

impl AddedFile {
    /// Its path below the table.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its size in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many rows it holds.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }
}

impl DataFile {
    /// Begins a file for rows of `date`, in days since 1970.
    pub(super) fn new(location: &Location, date: Option<i32>) -> Self {
        // Names sort by the time at which they were given.
        let file = format!("part-{}.parquet", Uuid::now_v7());
        let folder = date.and_then(stats::day).unwrap_or_else(|| NO_DATE.to_owned());
        let name = format!("{PARTITION}={folder}/{file}");
        Self { location: location.clone(), name, date, part: Vec::new(), bytes: 0, upload: None }
    }

    /// Sends what is left and waits until the file is durable. `metadata` is the footer of what
    /// was written: its counts and bounds become the table's statistics of the file.
    ///
    /// # Errors
    ///
    /// A store that does not take the file; then none is there.
    pub fn finish(mut self, metadata: &ParquetMetaData) -> Result<AddedFile, Error> {
        let last = Part::Last(mem::take(&mut self.part).into());
        self.send(last).map_err(|error| self.location.failed("write a data file to", &error))?;
        self.end().map_err(|error| self.location.failed("write a data file to", &error))?;
        let written = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let action = stats::Action {
            name: &self.name,
            date: self.date,
            bytes: self.bytes,
            written_ms: i64::try_from(written.as_millis()).unwrap_or(i64::MAX),
        }
        .batch(metadata)
        .map_err(|error| self.location.failed("describe a data file of", &error))?;
        let rows = u64::try_from(metadata.file_metadata().num_rows()).unwrap_or_default();
        let name = mem::take(&mut self.name);
        Ok(AddedFile { name, action, bytes: self.bytes, rows })
    }

    /// Hands `part` to the upload, which begins with the first one.
    fn send(&mut self, part: Part) -> io::Result<()> {
        let upload = self.upload.get_or_insert_with(|| {
            let (parts, received) = mpsc::channel(1);
            let store = self.location.objects.clone();
            let writer = BufWriter::with_capacity(store, self.location.path(&self.name), PART)
                .with_max_concurrency(UNDER_WAY);
            let handle = self.location.runtime();
            Upload { parts, end: handle.spawn(upload(writer, received)) }
        });
        let parts = upload.parts.clone();
        match self.location.wait(async move { parts.send(part).await }) {
            Ok(()) => Ok(()),
            // The upload has ended before its time: it says why.
            Err(_) => self.end().and(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    /// Waits for the end of the upload.
    fn end(&mut self) -> io::Result<()> {
        let Some(upload) = self.upload.take() else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        match self.location.wait(upload.end) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => {
                // The kind is all that whoever writes through others gets to see of it.
                let kind = match may_pass(&error) {
                    true => io::ErrorKind::Other,
                    false => io::ErrorKind::PermissionDenied,
                };
                Err(io::Error::new(kind, self.location.reason(&error)))
            }
            Err(error) => Err(io::Error::other(error)),
        }
    }
}

impl Write for DataFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(PART - self.part.len());
        self.part.extend_from_slice(&bytes[..taken]);
        self.bytes += taken as u64;
        if self.part.len() == PART {
            let part = mem::take(&mut self.part);
            self.send(Part::More(part.into())).map_err(|error| {
                io::Error::new(error.kind(), format!("{}: {error}", self.location))
            })?;
        }
        Ok(taken)
    }

    /// Does nothing: only a finished file is durable.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Sends what `parts` brings. Without a last part the file was given up: it is taken back.
async fn upload(
    mut writer: BufWriter,
    mut parts: Receiver<Part>,
) -> Result<(), object_store::Error> {
    while let Some(part) = parts.recv().await {
        let (bytes, last) = match part {
            Part::More(bytes) => (bytes, false),
            Part::Last(bytes) => (bytes, true),
        };
        let sent = writer.put(bytes).await;
        if let Err(error) = sent {
            abort(writer).await;
            return Err(error);
        }
        if last {
            return writer.shutdown().await.map_err(|error| object_store::Error::Generic {
                store: "upload",
                source: error.into(),
            });
        }
    }
    abort(writer).await;
    Ok(())
}

/// Takes an upload back. Where that fails, the store keeps parts that no reader sees.
async fn abort(mut writer: BufWriter) {
    let _ = writer.abort().await;
}

/// Deletes files that no version names. Where that fails they stay as files that no reader sees,
/// and that any tool's VACUUM removes.
pub(super) fn discard(location: &Location, files: &[AddedFile]) {
    use object_store::ObjectStoreExt as _;
    let paths: Vec<Path> = files.iter().map(|file| location.path(&file.name)).collect();
    let objects = location.objects.clone();
    location.wait(async move {
        for path in paths {
            let _ = objects.delete(&path).await;
        }
    });
}
