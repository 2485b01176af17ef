//! Where the configuration file is, and whether it may be read.

use std::ffi::OsString;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::profile::{ConfigFile, Folders};
use crate::cli::ui::Failure;

/// Where it is looked for, and what was found there.
#[derive(Debug, Default)]
pub(crate) struct ConfigSearch {
    /// Where; `None` where there is no home either.
    pub(crate) path: Option<PathBuf>,
    /// What the file holds, where there is one.
    pub(crate) file: Option<ConfigFile>,
}

/// Reads the file that `AUDIT_CONFIG` names, else the one in the user's configuration folder, which
/// need not be there.
pub(crate) fn find(variable: impl Fn(&str) -> Option<OsString>) -> Result<ConfigSearch, Failure> {
    let folder = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let named = folder("AUDIT_CONFIG");
    let home = folder("HOME");
    let is_named = named.is_some();
    let path = named.or_else(|| {
        // The XDG Base Directory Specification ignores a relative path.
        let configuration = folder("XDG_CONFIG_HOME").filter(|folder| folder.is_absolute());
        Some(
            configuration
                .or_else(|| Some(home.as_ref()?.join(".config")))?
                .join("audit/config.toml"),
        )
    });
    let Some(path) = path else { return Ok(ConfigSearch::default()) };
    match File::open(&path) {
        Ok(opened) => {
            let file = read(opened, &path, home.as_deref())?;
            Ok(ConfigSearch { path: Some(path), file: Some(file) })
        }
        Err(error)
            if !is_named
                && matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
        {
            Ok(ConfigSearch { path: Some(path), file: None })
        }
        Err(error) => Err(unreadable(&path, &error)),
    }
}

/// The names of the profiles, where there is a file that can be read.
pub(crate) fn profile_names() -> Option<Vec<String>> {
    let file = find(|name| std::env::var_os(name)).ok()?.file?;
    Some(file.profiles.into_keys().collect())
}

fn read(mut opened: File, path: &Path, home: Option<&Path>) -> Result<ConfigFile, Failure> {
    let mut text = String::new();
    opened.read_to_string(&mut text).map_err(|error| unreadable(path, &error))?;
    let own = path.parent().unwrap_or(Path::new(""));
    let file = ConfigFile::parse(&text, Folders { own, home }).map_err(|flaw| {
        let failure = Failure::usage(format!("{}:{}: {}", path.display(), flaw.line, flaw.message));
        match flaw.hint {
            Some(hint) => failure.with_hint(hint),
            None => failure,
        }
    })?;
    match file.plain_secret() {
        Some(secret) if others_can_read(&opened) => Err(Failure::usage(format!(
            "{}: others can read it, and it holds a secret: {secret}",
            path.display()
        ))
        .with_hint(format!(
            "run `chmod 600 {}`, or keep the secret in a file of its own",
            path.display()
        ))),
        _ => Ok(file),
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::usage(format!("configuration file {}: {error}", path.display())).with_hint(
        "AUDIT_CONFIG names another file; with AUDIT_CONFIG=/dev/null there are no profiles",
    )
}

/// Whether others than the owner may read or write it, which libpq refuses for its password file.
pub(crate) fn others_can_read(file: &File) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().map_or(true, |data| data.permissions().mode() & 0o077 != 0)
}
