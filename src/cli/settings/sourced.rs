//! Values, and where they come from.

use std::fmt;
use std::path::PathBuf;

use clap::ArgMatches;
use clap::parser::ValueSource;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SettingSource {
    /// An option.
    Typed(&'static str),
    /// An environment variable.
    Variable(&'static str),
    /// A profile, by its name.
    Profile(String, PathBuf),
    /// `default_profile` of the file.
    DefaultProfile(PathBuf),
}

impl fmt::Display for SettingSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Typed(name) | Self::Variable(name) => formatter.write_str(name),
            Self::Profile(name, path) => write!(formatter, "profile {name} ({})", path.display()),
            Self::DefaultProfile(path) => write!(formatter, "default_profile ({})", path.display()),
        }
    }
}

/// A value, and where it comes from.
#[derive(Debug, Clone)]
pub(crate) struct Sourced<T> {
    pub(crate) value: T,
    pub(crate) source: SettingSource,
}

impl<T> Sourced<T> {
    /// The same, with the value in another form.
    pub(crate) fn map<'a, U>(&'a self, form: impl FnOnce(&'a T) -> U) -> Sourced<U> {
        Sourced { value: form(&self.value), source: self.source.clone() }
    }
}

impl SettingSource {
    pub(super) fn is_typed(&self) -> bool {
        matches!(self, Self::Typed(_))
    }

    /// Where a value of a profile stands, by its key; what was typed or exported by its own name.
    pub(super) fn of_key(&self, key: &str) -> String {
        match self {
            Self::Typed(_) | Self::Variable(_) => self.to_string(),
            Self::Profile(..) | Self::DefaultProfile(_) => format!("{key} of {self}"),
        }
    }
}

/// An argument, by its option or its variable.
pub(super) fn given<T>(
    value: Option<T>,
    matches: &ArgMatches,
    id: &str,
    [option, variable]: [&'static str; 2],
) -> Option<Sourced<T>> {
    let source = match matches.value_source(id)? {
        ValueSource::CommandLine => SettingSource::Typed(option),
        _ => SettingSource::Variable(variable),
    };
    Some(Sourced { value: value?, source })
}

/// A variable that is not empty.
pub(super) fn exported(name: &'static str) -> Option<Sourced<String>> {
    let value = std::env::var(name).ok().filter(|value| !value.is_empty())?;
    Some(Sourced { value, source: SettingSource::Variable(name) })
}
