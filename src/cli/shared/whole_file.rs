//! Files that are written whole or not at all.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::cli::ui::Failure;

/// A file that appears under its name when it is whole, and replaces the one that was there.
/// Dropped before that, it leaves nothing.
pub(crate) struct WholeFile {
    path: PathBuf,
    destination: Destination,
}

enum Destination {
    /// Beside the file that it becomes.
    Temporary { file: NamedTempFile, target: PathBuf },
    /// A pipe or a device, which no file can replace.
    Device(File),
}

impl WholeFile {
    /// Begins it.
    ///
    /// # Errors
    /// Where nothing can be written there.
    pub(crate) fn create(path: &Path) -> Result<Self, Failure> {
        let failed = |error: &dyn std::fmt::Display| failure(path, error);
        // A link stays a link.
        let target = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        if target.metadata().is_ok_and(|found| !found.is_file() && !found.is_dir()) {
            let file = OpenOptions::new().write(true).open(&target);
            let file = file.map_err(|error| failed(&error))?;
            return Ok(Self { path: path.to_owned(), destination: Destination::Device(file) });
        }
        if target.is_dir() {
            return Err(failed(&"it is a directory"));
        }
        let file = tempfile::Builder::new()
            .prefix(".audit-")
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(folder(&target))
            .map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => {
                    failed(&format!("there is no folder {}", folder(&target).display()))
                }
                _ => failed(&error),
            })?;
        let destination = Destination::Temporary { file, target };
        Ok(Self { path: path.to_owned(), destination })
    }

    /// Gives it its name: all of it is on the disk then.
    ///
    /// # Errors
    /// Where that can't be done.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        let Destination::Temporary { file, target } = self.destination else { return Ok(()) };
        let failed = |error: &dyn std::fmt::Display| failure(&self.path, error);
        // The rename must not become durable before the content is.
        file.as_file().sync_all().map_err(|error| failed(&error))?;
        file.persist(&target).map_err(|error| failed(&error.error))?;
        let folder = File::open(folder(&target)).and_then(|folder| folder.sync_all());
        folder.map_err(|error| failed(&error))
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

fn failure(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::new(format!("writing {}: {error}", path.display()))
}

/// The folder that a file is in.
fn folder(file: &Path) -> &Path {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}
