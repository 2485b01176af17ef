//! Files that are named on the command line to be read; `-` is stdin.

use std::io::Read;
use std::path::Path;

use crate::cli::ui::Failure;

/// What a file is called in messages.
pub(crate) fn input_name(path: &Path) -> String {
    if is_stdin(path) { "stdin".to_owned() } else { path.display().to_string() }
}

/// Reads it whole. The hint says what to name instead of a file that can't be read.
///
/// # Errors
/// Where it can't be read.
pub(crate) fn read_input(path: &Path, hint: &str) -> Result<Vec<u8>, Failure> {
    if is_stdin(path) {
        let mut bytes = Vec::new();
        let read = std::io::stdin().lock().read_to_end(&mut bytes);
        return read
            .map(|_| bytes)
            .map_err(|error| Failure::new(format!("reading stdin: {error}")));
    }
    std::fs::read(path).map_err(|error| {
        Failure::new(format!("reading {}: {error}", path.display())).with_hint(hint)
    })
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}
