//! The file that the last checkpoint is kept in.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::error::Error;
use super::known::Known;
use crate::evidence::note::VerifierKey;

/// What is read of a file at most: more than a note may have.
const MOST_BYTES: u64 = 1_000_001;

/// The content of a file that should hold a checkpoint; `None` where there is no file.
///
/// # Errors
/// `Error::File`.
pub fn read_checkpoint(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    let mut note = Vec::new();
    let read = fs::File::open(path)
        .and_then(|file| io::Read::read_to_end(&mut io::Read::take(file, MOST_BYTES), &mut note));
    match read {
        Ok(_) => Ok(Some(note)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::File { doing: "reading", path: shown(path), source }),
    }
}

/// The checkpoint in a file; `None` where there is no file, or an empty one.
///
/// # Errors
/// `Error::File`, `Error::NoCheckpoint`.
pub(super) fn last_in_file(path: &Path, key: &VerifierKey) -> Result<Option<Known>, Error> {
    let Some(note) = read_checkpoint(path)?.filter(|note| !note.is_empty()) else {
        return Ok(None);
    };
    let known = Known::read(&note, key, format!("in {}", shown(path)));
    known.map(Some).map_err(|reason| Error::NoCheckpoint { path: shown(path), reason })
}

/// Puts a note into a file, which has the old one until it has the new one.
///
/// # Errors
/// `Error::File`.
pub(super) fn replace(path: &Path, note: &str) -> Result<(), Error> {
    let failed =
        |error| Error::File { doing: "writing", path: shown(path), source: said_by_system(error) };
    // Keeps a link, and replaces what it leads to.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let mode = fs::metadata(&target).map_or(0o644, |there| there.permissions().mode() & 0o777);
    let mut file = tempfile::Builder::new()
        .prefix(".audit-")
        .permissions(fs::Permissions::from_mode(mode))
        .tempfile_in(folder)
        .map_err(failed)?;
    file.write_all(note.as_bytes()).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
    file.persist(&target).map_err(|error| failed(error.error))?;
    // The name is on the disk as well then; not every file system can be asked for that.
    let _ = fs::File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}

/// What the system said, without the temporary name, which is another one each time.
fn said_by_system(error: io::Error) -> io::Error {
    match error.to_string().split_once(" at path ") {
        Some((said, _)) => io::Error::new(error.kind(), said),
        None => error,
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
