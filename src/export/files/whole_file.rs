//! Files that are written whole or not at all.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use crate::export::error::Error;

/// How the names of unfinished files begin.
pub(in crate::export) const TEMPORARY: &str = ".audit-";

/// How many links may lead to each other.
const MOST_LINKS: usize = 40;

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
    Temporary { temporary: Temporary, target: PathBuf },
    /// A pipe or a device, which no file can replace.
    Device(File),
}

/// Unfinished content, and its open file unless it rests.
#[derive(Debug)]
struct Temporary {
    file: Option<File>,
    path: TempPath,
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
        let target = followed(path);
        let there = target.metadata().ok();
        if there.as_ref().is_some_and(|found| !found.is_file() && !found.is_dir()) {
            let file = OpenOptions::new().write(true).open(&target);
            let file = file.map_err(Error::file("writing", path))?;
            return Ok(Self { path: path.to_owned(), destination: Destination::Device(file) });
        }
        if there.as_ref().is_some_and(fs::Metadata::is_dir) {
            return Err(Error::unusable(path, "it is a directory"));
        }
        let folder = unfinished.unwrap_or(folder_of(&target));
        let (file, temporary) = tempfile::Builder::new()
            .prefix(prefix)
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(folder)
            .map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => {
                    Error::unusable(path, format!("there is no folder {}", folder.display()))
                }
                _ => Error::file("writing", path)(error),
            })?
            .into_parts();
        // Whoever may read the file that is replaced may read the one that comes, and nobody else.
        if let Some(there) = there {
            keep_mode(&file, &there).map_err(Error::file("writing", path))?;
        }
        let temporary = Temporary { file: Some(file), path: temporary };
        let destination = Destination::Temporary { temporary, target };
        Ok(Self { path: path.to_owned(), destination })
    }

    /// Ends its content: all of it is on the disk then.
    ///
    /// # Errors
    /// Where that can't be done.
    pub(in crate::export) fn seal(self) -> Result<SealedFile, Error> {
        let Destination::Temporary { mut temporary, target } = self.destination else {
            return Ok(SealedFile { path: self.path, temporary: None });
        };
        // The rename must not become durable before the content is.
        let synced = temporary.file().and_then(|file| file.sync_all());
        synced.map_err(Error::file("writing", &self.path))?;
        Ok(SealedFile { path: self.path, temporary: Some((temporary.path, target)) })
    }

    /// Closes it until more is written: a process may have so many open files, and no more.
    pub(in crate::export) fn rest(&mut self) {
        if let Destination::Temporary { temporary, .. } = &mut self.destination {
            temporary.file = None;
        }
    }

    /// Ends its content and gives it its name.
    ///
    /// # Errors
    /// Where that can't be done.
    pub fn finish(self) -> Result<(), Error> {
        self.seal()?.publish()
    }
}

impl Temporary {
    fn file(&mut self) -> io::Result<&mut File> {
        let file = match self.file.take() {
            Some(file) => file,
            None => OpenOptions::new().append(true).open(&self.path)?,
        };
        Ok(self.file.insert(file))
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
            Destination::Temporary { temporary, .. } => temporary.file()?.write(bytes),
            Destination::Device(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.destination {
            Destination::Temporary { temporary, .. } => temporary.file()?.flush(),
            Destination::Device(file) => file.flush(),
        }
    }
}

/// Gives a file the mode of another one.
fn keep_mode(file: &File, other: &fs::Metadata) -> io::Result<()> {
    let mode = other.permissions().mode() & 0o7777;
    if file.metadata()?.permissions().mode() & 0o7777 == mode {
        return Ok(());
    }
    file.set_permissions(Permissions::from_mode(mode))
}

/// Where links lead, also to a file that is not there yet: a link stays a link.
pub(in crate::export) fn followed(path: &Path) -> PathBuf {
    if let Ok(target) = path.canonicalize() {
        return target;
    }
    let mut target = path.to_path_buf();
    if target.exists() {
        // A link of the kernel's own, such as /dev/stdout, leads to what has no path.
        return target;
    }
    for _ in 0..MOST_LINKS {
        let Ok(link) = fs::read_link(&target) else { break };
        target = folder_of(&target).join(link);
    }
    target
}

/// The folder that a file is in.
pub(in crate::export) fn folder_of(file: &Path) -> &Path {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// Makes a folder, and those that it lies in, durably.
pub(in crate::export) fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let parent = folder_of(folder);
    make_folder(parent)?;
    match fs::create_dir(folder) {
        Err(error) if !folder.is_dir() => return Err(error),
        _ => {}
    }
    sync_folder(parent)
}

/// Makes the names in a folder durable.
pub(in crate::export) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
