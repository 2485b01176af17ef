//! Files that are written whole or not at all.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempPath};

use crate::export::error::Error;

/// How the names of unfinished files begin.
pub(in crate::export) const TEMPORARY: &str = ".audit-";

/// A file that appears under its name when it is whole, and replaces the one that was there.
/// Dropped before that, it leaves nothing.
#[derive(Debug)]
pub struct WholeFile {
    path: PathBuf,
    destination: Destination,
}

#[derive(Debug)]
enum Destination {
    /// In the same file system as the file that it becomes.
    Temporary { file: NamedTempFile, target: PathBuf },
    /// A pipe or a device, which no file can replace.
    Device(File),
}

/// A file whose content is on the disk, and that only lacks its name. Dropped, it leaves nothing.
#[derive(Debug)]
pub(in crate::export) struct SealedFile {
    path: PathBuf,
    temporary: Option<(TempPath, PathBuf)>,
}

impl WholeFile {
    /// Begins it, with its unfinished content in the same folder.
    ///
    /// # Errors
    /// Where nothing can be written there.
    pub fn create(path: &Path) -> Result<Self, Error> {
        Self::begin(path, None, TEMPORARY)
    }

    /// Begins it, with its unfinished content in this folder, else in that of the file, under a
    /// name that begins so.
    ///
    /// # Errors
    /// Where nothing can be written there.
    pub(in crate::export) fn begin(
        path: &Path,
        unfinished: Option<&Path>,
        prefix: &str,
    ) -> Result<Self, Error> {
        // A link stays a link.
        let target = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        if target.metadata().is_ok_and(|found| !found.is_file() && !found.is_dir()) {
            let file = OpenOptions::new().write(true).open(&target);
            let file = file.map_err(Error::file("writing", path))?;
            return Ok(Self { path: path.to_owned(), destination: Destination::Device(file) });
        }
        if target.is_dir() {
            return Err(Error::unusable(path, "it is a directory"));
        }
        let folder = unfinished.unwrap_or(folder_of(&target));
        let file = tempfile::Builder::new()
            .prefix(prefix)
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(folder)
            .map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => {
                    Error::unusable(path, format!("there is no folder {}", folder.display()))
                }
                _ => Error::file("writing", path)(error),
            })?;
        let destination = Destination::Temporary { file, target };
        Ok(Self { path: path.to_owned(), destination })
    }

    /// Ends its content: all of it is on the disk then.
    ///
    /// # Errors
    /// Where that can't be done.
    pub(in crate::export) fn seal(self) -> Result<SealedFile, Error> {
        let Destination::Temporary { file, target } = self.destination else {
            return Ok(SealedFile { path: self.path, temporary: None });
        };
        // The rename must not become durable before the content is.
        file.as_file().sync_all().map_err(Error::file("writing", &self.path))?;
        Ok(SealedFile { path: self.path, temporary: Some((file.into_temp_path(), target)) })
    }

    /// Ends its content and gives it its name.
    ///
    /// # Errors
    /// Where that can't be done.
    pub fn finish(self) -> Result<(), Error> {
        self.seal()?.publish()
    }
}

impl SealedFile {
    /// Whether a file will be there: a pipe or a device is none.
    pub(in crate::export) fn is_file(&self) -> bool {
        self.temporary.is_some()
    }

    /// Its name is durable then.
    ///
    /// # Errors
    /// Where it can't get its name.
    pub(in crate::export) fn publish(self) -> Result<(), Error> {
        let path = self.path.clone();
        match self.rename()? {
            Some(folder) => sync_folder(&folder).map_err(Error::file("writing", &path)),
            None => Ok(()),
        }
    }

    /// Gives it its name, and returns the folder whose names are to be made durable.
    pub(in crate::export) fn rename(self) -> Result<Option<PathBuf>, Error> {
        let Some((temporary, target)) = self.temporary else { return Ok(None) };
        let persisted = temporary.persist(&target);
        persisted.map_err(|error| Error::file("writing", &self.path)(error.error))?;
        Ok(Some(folder_of(&target).to_owned()))
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.destination {
            Destination::Temporary { file, .. } => file.write(bytes),
            Destination::Device(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.destination {
            Destination::Temporary { file, .. } => file.flush(),
            Destination::Device(file) => file.flush(),
        }
    }
}

/// The folder that a file is in.
pub(in crate::export) fn folder_of(file: &Path) -> &Path {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// Makes the names in a folder durable.
pub(in crate::export) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
