//! Where the bytes of a file go, counted and summed up on their way.

use std::fs::File;
use std::io::{self, Stdout, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use openssl::sha::Sha256;

use super::whole_file::{SealedFile, WholeFile};
use crate::export::error::Error;

/// The bytes of one file, or those for stdout.
pub(in crate::export) struct Output {
    sink: Sink,
    hash: Sha256,
    bytes: u64,
    /// What all files of the run have so far.
    total: Arc<AtomicU64>,
}

enum Sink {
    File(WholeFile, PathBuf),
    Stdout(Stdout),
}

/// What came of the bytes.
pub(in crate::export) struct Written {
    /// The file, where it is one.
    pub(in crate::export) sealed: Option<SealedFile>,
    /// How many they are.
    pub(in crate::export) bytes: u64,
    /// Their SHA-256.
    pub(in crate::export) sha256: [u8; 32],
}

impl Output {
    pub(in crate::export) fn file(file: WholeFile, path: &Path, total: Arc<AtomicU64>) -> Self {
        Self { sink: Sink::File(file, path.to_owned()), hash: Sha256::new(), bytes: 0, total }
    }

    pub(in crate::export) fn stdout(total: Arc<AtomicU64>) -> Self {
        Self { sink: Sink::Stdout(io::stdout()), hash: Sha256::new(), bytes: 0, total }
    }

    /// How many bytes were written.
    pub(in crate::export) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Gives its open file back until more is written.
    pub(in crate::export) fn rest(&mut self) {
        if let Sink::File(file, _) = &mut self.sink {
            file.rest();
        }
    }

    /// Gives errors of writing their place.
    pub(in crate::export) fn place(&self) -> Place {
        match &self.sink {
            Sink::File(_, path) => Place(Some(path.clone())),
            Sink::Stdout(_) => Place(None),
        }
    }

    /// Ends them: those of a file are on the disk then.
    pub(in crate::export) fn finish(mut self) -> Result<Written, Error> {
        let place = self.place();
        self.flush().map_err(|error| place.error(error))?;
        let sealed = match self.sink {
            Sink::File(file, _) => Some(file.seal()?),
            Sink::Stdout(_) => None,
        };
        Ok(Written { sealed, bytes: self.bytes, sha256: self.hash.finish() })
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = match &mut self.sink {
            Sink::File(file, _) => file.write(bytes)?,
            Sink::Stdout(stdout) => stdout.write(bytes)?,
        };
        self.hash.update(&bytes[..written]);
        self.bytes += written as u64;
        self.total.fetch_add(written as u64, Relaxed);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.sink {
            Sink::File(file, _) => file.flush(),
            Sink::Stdout(stdout) => stdout.flush(),
        }
    }
}

/// Makes durable what was written to stdout, where that is a file.
pub(in crate::export) fn sync_stdout() -> Result<(), Error> {
    let synced = io::stdout().as_fd().try_clone_to_owned().map(File::from).and_then(|stdout| {
        let is_file = stdout.metadata()?.is_file();
        if is_file { stdout.sync_all() } else { Ok(()) }
    });
    synced.map_err(Error::Output)
}

/// What an error of writing is about: a file, or stdout.
#[derive(Debug, Clone)]
pub(in crate::export) struct Place(Option<PathBuf>);

impl Place {
    /// The error, with its place.
    pub(in crate::export) fn error(&self, error: io::Error) -> Error {
        match &self.0 {
            Some(path) => Error::file("writing", path)(error),
            None => Error::Output(error),
        }
    }
}
