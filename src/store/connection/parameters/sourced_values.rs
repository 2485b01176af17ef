//! The values of the parameters, each with its source: the text, then the service, then variables.

use std::collections::BTreeMap;

use super::connection_string;
use super::known_parameters::{KnownParameter, PARAMETERS};
use super::parameter_source::ParameterSource;
use super::service_file;
use crate::store::error::Error;

/// A value, and where it comes from.
#[derive(Clone)]
pub(super) struct SourcedValue {
    pub(super) value: String,
    pub(super) source: ParameterSource,
}

/// The values by the names of their parameters. Has no `Debug`: some are secret.
#[derive(Clone, Default)]
pub(super) struct SourcedValues(BTreeMap<&'static str, SourcedValue>);

impl SourcedValues {
    /// Reads a URL or a key/value string.
    ///
    /// # Errors
    /// `Error::Url`, which shows nothing of a password.
    pub(super) fn of_text(text: &str) -> Result<Self, Error> {
        let mut values = Self::default();
        let mut follows_password = false;
        for given in connection_string::read(text)? {
            let known = KnownParameter::named(&given.name).map_err(|error| match follows_password {
                // It is not shown: it may be the rest of the password.
                true => Error::Url(
                    "what follows the password is no parameter; is it a part of it that needs quotes, or %26 for '&'?"
                        .to_owned(),
                ),
                false => error,
            })?;
            follows_password = known.is_secret();
            // libpq takes the next parameter for the value, which would then be shown.
            let next = text.get(given.place.clone()).and_then(|value| value.split_once('='));
            if next.is_some_and(|(name, _)| KnownParameter::named(name).is_ok()) {
                return Err(Error::Url(format!("{} has no value; write '' for none", known.name)));
            }
            values.set(known.name, given.value, ParameterSource::Url);
        }
        Ok(values)
    }

    /// Adds what stands nowhere yet: of the service, where one is named, then of the variables.
    ///
    /// # Errors
    /// `Error::Settings` where the service can't be read.
    pub(super) fn add_environment(
        &mut self,
        environment: &impl Fn(&str) -> Option<String>,
    ) -> Result<(), Error> {
        let variable = |name: &str| environment(name).filter(|value| !value.is_empty());
        let of_environment = |values: &mut Self, name: &str| {
            let known = PARAMETERS.iter().filter(|known| !known.variable.is_empty());
            for known in known.filter(|known| name.is_empty() || known.name == name) {
                if let Some(value) = variable(known.variable) {
                    values.add(known.name, value, ParameterSource::Variable(known.variable));
                }
            }
        };
        of_environment(self, "service");
        of_environment(self, "servicefile");
        if let Some(service) = self.text("service").map(str::to_owned) {
            let file = self.text("servicefile").map(str::to_owned);
            let given_as = match self.source("service") {
                ParameterSource::Variable(variable) => variable,
                _ => "service",
            };
            for (name, value) in service_file::read(&service, given_as, file.as_deref(), &variable)?
            {
                self.add(name, value, ParameterSource::Service);
            }
        }
        of_environment(self, "");
        Ok(())
    }

    /// What is ignored and may surprise, in words.
    ///
    /// # Errors
    /// `Error::Url` or `Error::Settings` where something can't be heeded and must not be ignored.
    pub(super) fn check(&self) -> Result<Vec<String>, Error> {
        let mut notices = Vec::new();
        for (name, given) in &self.0 {
            let given_as = match given.source {
                ParameterSource::Variable(variable) => variable,
                _ => name,
            };
            let checked = KnownParameter::named(name)?.check(given_as, &given.value);
            notices.extend(checked.map_err(|reason| match given.source {
                ParameterSource::Url => Error::Url(reason),
                _ => Error::Settings(reason),
            })?);
        }
        Ok(notices)
    }

    /// The value of a parameter that has one.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|given| given.value.as_str()).filter(|value| !value.is_empty())
    }

    /// The error that a value of a parameter is: it names the parameter, or the variable where the
    /// value comes from one.
    pub(super) fn refused(&self, name: &str, reason: &str) -> Error {
        match self.source(name) {
            ParameterSource::Variable(variable) => Error::Settings(format!("{variable} {reason}")),
            ParameterSource::Service => Error::Settings(format!("{name} of the service {reason}")),
            ParameterSource::Url => Error::Url(format!("{name} {reason}")),
            _ => Error::Settings(format!("{name} {reason}")),
        }
    }

    /// Where the value comes from.
    pub(super) fn source(&self, name: &str) -> ParameterSource {
        match self.0.get(name) {
            Some(given) if !given.value.is_empty() => given.source,
            _ => ParameterSource::Default,
        }
    }

    /// Sets what holds from now on.
    pub(super) fn set(&mut self, name: &'static str, value: String, source: ParameterSource) {
        self.0.insert(name, SourcedValue { value, source });
    }

    /// Sets what stands nowhere yet.
    pub(super) fn add(&mut self, name: &'static str, value: String, source: ParameterSource) {
        self.0.entry(name).or_insert(SourcedValue { value, source });
    }

    /// Takes a parameter away.
    pub(super) fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }
}
