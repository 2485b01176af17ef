//! Which schema registry holds, and who asks it.

use std::path::PathBuf;

use clap::ArgMatches;

use super::profile::RegistryProfile;
use super::profile_choice::{ProfileChoice, password_of_file};
use super::sourced::{SettingSource, Sourced, exported, given};
use crate::cli::ui::{Exit, Failure};
use crate::registry;
use crate::registry::{Credentials, RegistryUrl};

const VARIABLE: &str = "AUDIT_SCHEMA_REGISTRY";
const PASSWORD_VARIABLE: &str = "AUDIT_SCHEMA_REGISTRY_PASSWORD";
/// The argument of the commands that have one.
const ARGUMENT: &str = "schema_registry";

/// What was given about the schema registry. `Debug` shows no secret.
#[derive(Debug, Default)]
pub(crate) struct RegistrySettings {
    pub(crate) url: Option<Sourced<RegistryUrl>>,
    pub(crate) user: Option<Sourced<String>>,
    pub(crate) password: Option<Sourced<PasswordSource>>,
    pub(crate) ca_file: Option<Sourced<PathBuf>>,
}

/// Where the password stands.
#[derive(Debug, Clone)]
pub(crate) enum PasswordSource {
    Variable,
    File(PathBuf),
}

impl RegistrySettings {
    /// Weighs the argument, where the command has one, against the variables and the profile.
    pub(super) fn resolve(
        matches: &ArgMatches,
        chosen: &ProfileChoice,
        profile: RegistryProfile,
    ) -> Self {
        let typed = matches.try_get_one::<RegistryUrl>(ARGUMENT).ok().flatten();
        let typed = typed.filter(|url| !url.is_empty()).cloned();
        let url = match typed {
            Some(url) => given(Some(url), matches, ARGUMENT, ["--schema-registry", VARIABLE]),
            None => exported(VARIABLE).map(|url| url.map(|url| RegistryUrl::from(url.as_str()))),
        };
        let url = chosen.first(url, profile.url);
        let is_own = chosen.goes_with(url.as_ref());
        let exported_password =
            exported(PASSWORD_VARIABLE).map(|password| password.map(|_| PasswordSource::Variable));
        let password_file = profile.password_file.filter(|_| is_own).map(PasswordSource::File);
        Self {
            user: chosen.first(None, profile.user.filter(|_| is_own)),
            password: chosen.first(exported_password, password_file),
            ca_file: chosen.first(None, profile.ca_file.filter(|_| is_own)),
            url,
        }
    }

    /// Whether the registry was named as an option.
    pub(crate) fn is_typed(&self) -> bool {
        self.url.as_ref().is_some_and(|url| url.source.is_typed())
    }

    /// The settings, where a registry is given.
    pub(super) fn settings(&self) -> Result<Option<registry::Settings>, Failure> {
        let Self { url, user, password, ca_file } = self;
        let Some(url) = url else { return Ok(None) };
        // Where it can't be used, the file of the password does not matter.
        url.value.check().map_err(|error| refused(&error, &url.source))?;
        let password = match password {
            Some(Sourced { value: PasswordSource::File(path), source }) => {
                Some(password_of_file("schema_registry_password_file", path, source)?)
            }
            Some(Sourced { value: PasswordSource::Variable, .. }) => {
                std::env::var(PASSWORD_VARIABLE).ok()
            }
            None => None,
        };
        let user = user.as_ref().map(|user| user.value.clone());
        let ca_file = ca_file.as_ref().map(|file| file.value.clone());
        registry::Settings::new(&url.value, Credentials { user, password }, ca_file)
            .map(Some)
            .map_err(|error| refused(&error, &url.source))
    }
}

fn refused(error: &registry::Error, source: &SettingSource) -> Failure {
    Failure::new(format!("{}: {error}", source.of_key("schema_registry"))).with_exit(Exit::Usage)
}
