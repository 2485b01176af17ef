//! Finds the PostgreSQL to run.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::Error;
use crate::fetch;
use crate::process::Guardian;
use crate::progress::Progress;

/// The oldest major version that the product supports.
const OLDEST: u32 = 15;

/// The `bin` folder of a PostgreSQL, and its version.
pub(crate) fn postgres(
    guardian: &Guardian,
    progress: &Progress,
) -> Result<(PathBuf, String), Error> {
    let on_path = fetch::on_path("initdb").and_then(|initdb| Some(initdb.parent()?.to_path_buf()));
    if let Some(bin) = on_path
        && let Some(version) = version(&bin)
    {
        return Ok((bin, version));
    }
    // Debian, the PostgreSQL project's packages for Red Hat, Homebrew on both kinds of Mac.
    let places = [
        ("/usr/lib/postgresql", ""),
        ("/usr", "pgsql-"),
        ("/opt/homebrew/opt", "postgresql@"),
        ("/usr/local/opt", "postgresql@"),
    ];
    let installed = places
        .iter()
        .flat_map(|(folder, prefix)| {
            let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
            entries
                .filter(move |entry| entry.file_name().to_string_lossy().starts_with(prefix))
                .map(|entry| entry.path().join("bin"))
        })
        .filter_map(|bin| version(&bin).map(|version| (bin, version)))
        .max_by_key(|(_, version)| major(version));
    if let Some(found) = installed {
        return Ok(found);
    }
    fetched(guardian, progress)
}

/// The same of the one that is fetched, whichever are installed.
pub(crate) fn fetched(
    guardian: &Guardian,
    progress: &Progress,
) -> Result<(PathBuf, String), Error> {
    let bin = fetch::postgres(guardian, progress)?;
    let version = version(&bin).ok_or_else(|| Error::NoPostgres {
        reason: format!("the one in {} cannot be run", bin.display()),
    })?;
    Ok((bin, version))
}

/// The version of the server in a folder, when it is there, runs and is new enough.
fn version(bin: &Path) -> Option<String> {
    if !bin.join("initdb").is_file() {
        return None;
    }
    let output = Command::new(bin.join("postgres")).arg("--version").output().ok()?;
    // postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)
    let version = String::from_utf8(output.stdout).ok()?.split_whitespace().nth(2)?.to_string();
    (major(&version)? >= OLDEST).then_some(version)
}

/// `15` of `15.13`, `19` of `19beta1`.
fn major(version: &str) -> Option<u32> {
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_major_version_of_releases_and_betas() {
        assert_eq!(major("15.13"), Some(15));
        assert_eq!(major("19beta1"), Some(19));
        assert_eq!(major("(Debian"), None);
    }
}
