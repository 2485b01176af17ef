//! Which profile holds, and where its values stand in the order of precedence.

use std::path::Path;

use clap::ArgMatches;

use super::config_file::ConfigSearch;
use super::connection_args::ConnectionArgs;
use super::profile::Profile;
use super::sourced::{SettingSource, Sourced, given};
use crate::cli::ui::Failure;

/// The profile that holds, as far as one does.
pub(super) struct ProfileChoice {
    /// Its name, and who chose it.
    pub(super) name: Option<Sourced<String>>,
    /// What its values have for a source.
    source: Option<SettingSource>,
}

impl ProfileChoice {
    pub(super) fn choose(
        args: &ConnectionArgs,
        matches: &ArgMatches,
        search: &ConfigSearch,
    ) -> Result<(Self, Profile), Failure> {
        let asked = given(args.profile.clone(), matches, "profile", ["--profile", "AUDIT_PROFILE"]);
        let asked = asked.filter(|asked| asked.source.is_typed() || !asked.value.is_empty());
        let file = search.path.as_ref().zip(search.file.as_ref());
        let by_default = file.and_then(|(path, file)| {
            let value = file.default_profile.clone()?;
            Some(Sourced { value, source: SettingSource::DefaultProfile(path.clone()) })
        });
        let Some(name) = asked.or(by_default) else {
            return Ok((Self { name: None, source: None }, Profile::default()));
        };
        let Some((path, file)) = file else { return Err(no_file(&name, search)) };
        let Some(profile) = file.profiles.get(&name.value) else {
            let message =
                format!("{}: {} has no profile '{}'", name.source, path.display(), name.value);
            return Err(Failure::usage(message).with_hint(file.suggestion(&name.value)));
        };
        let source = Some(SettingSource::Profile(name.value.clone(), path.clone()));
        Ok((Self { name: Some(name), source }, profile.clone()))
    }

    fn is_typed(&self) -> bool {
        self.name.as_ref().is_some_and(|name| name.source.is_typed())
    }

    /// The order of precedence.
    pub(super) fn first<T>(
        &self,
        given: Option<Sourced<T>>,
        of_profile: Option<T>,
    ) -> Option<Sourced<T>> {
        let of_profile =
            of_profile.zip(self.source.clone()).map(|(value, source)| Sourced { value, source });
        match given {
            Some(given) if given.source.is_typed() || !self.is_typed() => Some(given),
            given => of_profile.or(given),
        }
    }

    /// Whether what the profile says about a server holds for this one: its own, or the one that
    /// nothing else names. The secrets of a profile that holds by default are for no other server.
    pub(super) fn goes_with<T>(&self, server: Option<&Sourced<T>>) -> bool {
        self.is_typed() || server.is_none_or(|server| Some(&server.source) == self.source.as_ref())
    }
}

/// The password in a file that a profile names: its first line.
pub(super) fn password_of_file(
    key: &str,
    path: &Path,
    source: &SettingSource,
) -> Result<String, Failure> {
    let failed = |reason: &str| {
        Failure::new(format!("{key} {}: {reason}", path.display()))
            .with_hint(format!("it is set by {source}"))
    };
    let text = std::fs::read_to_string(path).map_err(|error| failed(&error.to_string()))?;
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(line.to_owned()),
        _ => Err(failed("the first line is empty")),
    }
}

fn no_file(name: &Sourced<String>, search: &ConfigSearch) -> Failure {
    let message = format!("{}: there is no profile '{}'", name.source, name.value);
    match &search.path {
        Some(path) => Failure::usage(format!("{message}, because there is no {}", path.display()))
            .with_hint(format!("write [profiles.{}] there; `audit config --help` shows how", name.value)),
        None => Failure::usage(format!("{message}, because no configuration file is known")).with_hint(
            "set AUDIT_CONFIG to its name, or HOME to a folder that has .config/audit/config.toml",
        ),
    }
}
