//! The folder that a test exports into.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A folder of the test's own, which is gone when the test is.
pub(super) struct Folder(TempDir);

impl Folder {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap_or_else(|error| panic!("no folder: {error}")))
    }

    pub(super) fn root(&self) -> &Path {
        self.0.path()
    }

    /// The path of a name in it.
    pub(super) fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    /// All files in it and below, hidden ones, too, by their names from here.
    pub(super) fn names(&self) -> Vec<String> {
        names_in(self.root())
    }

    /// The text of a file, unpacked where it is compressed.
    pub(super) fn text(&self, name: &str) -> String {
        text_of(&self.root().join(name))
    }

    pub(super) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.root().join(name);
        assert!(fs::write(&path, content).is_ok(), "{} can't be written", path.display());
    }

    pub(super) fn remove(&self, name: &str) {
        assert!(fs::remove_file(self.root().join(name)).is_ok(), "{name} can't be removed");
    }

    pub(super) fn make(&self, name: &str) {
        assert!(fs::create_dir_all(self.root().join(name)).is_ok(), "{name} can't be made");
    }
}

/// All files in a folder and below it, by their names from there.
pub(super) fn names_in(root: &Path) -> Vec<String> {
    let (mut names, mut folders) = (Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            match entry.path() {
                path if path.is_dir() && !path.is_symlink() => folders.push(path),
                path => names.push(relative(&path, root)),
            }
        }
    }
    names.sort();
    names
}

fn relative(path: &Path, root: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}

/// The data files among names: neither manifests nor what is hidden.
pub(super) fn data(names: &[String]) -> Vec<&str> {
    let is_data = |name: &&str| {
        let file = PathBuf::from(name);
        let file = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        !file.starts_with('.') && !file.ends_with(".manifest.json")
    };
    names.iter().map(String::as_str).filter(is_data).collect()
}

fn text_of(path: &Path) -> String {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let ending = path.extension().unwrap_or_default().to_string_lossy().into_owned();
    let unpacked = match ending.as_str() {
        "gz" => {
            let mut unpacked = Vec::new();
            let read = flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_end(&mut unpacked);
            read.map(|_| unpacked)
        }
        "zst" => zstd::stream::decode_all(&bytes[..]),
        _ => Ok(bytes),
    };
    let text = unpacked.map(String::from_utf8);
    let Ok(Ok(text)) = text else { panic!("{} is no text: {text:?}", path.display()) };
    text
}
