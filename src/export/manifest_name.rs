//! What manifests are called.

use std::path::{Path, PathBuf};

/// How the names of manifests end.
pub(super) const ENDING: &str = ".manifest.json";

/// The manifest of a file.
pub(super) fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ENDING);
    name.into()
}

/// Whether a file is called like a manifest.
pub(super) fn is_manifest(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(ENDING))
}
