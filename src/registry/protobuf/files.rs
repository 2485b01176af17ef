//! Schemas in files.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{ErrorKind, Read as _};
use std::path::{Component, Path, PathBuf};

use super::schema::Imports;

/// The most bytes of a file that is read. A larger one can't be a file of Protobuf's.
const MAX_BYTES: u64 = 32 << 20;

/// The folder below which imports are looked up.
pub(super) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// This folder.
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }
}

impl Imports for Folder {
    fn text(&self, name: &str) -> Result<Option<Cow<'_, str>>, String> {
        let is_below =
            Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
        let path = self.path.join(name);
        if !is_below || !fs::exists(&path).unwrap_or(true) {
            return Ok(None);
        }
        read(&path).map(|text| Some(text.into()))
    }

    fn names(&self) -> Vec<&str> {
        Vec::new()
    }
}

/// The text of a file.
pub(super) fn read(path: &Path) -> Result<String, String> {
    let cannot = |error: &dyn std::fmt::Display| format!("cannot read {}: {error}", path.display());
    let file = File::open(path).map_err(|error| cannot(&error))?;
    let mut text = String::new();
    match file.take(MAX_BYTES + 1).read_to_string(&mut text) {
        Ok(_) if text.len() as u64 > MAX_BYTES => Err(cannot(&"it has more than 32 MiB")),
        Ok(_) => Ok(text),
        Err(error) if error.kind() == ErrorKind::InvalidData => {
            Err(cannot(&"it is not UTF-8 text"))
        }
        Err(error) => Err(cannot(&error)),
    }
}
