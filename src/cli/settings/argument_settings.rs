//! What holds for an argument that was not typed.

use clap::ArgMatches;
use clap::parser::ValueSource;

use super::resolved::ResolvedSettings;
use super::sourced::Sourced;
use crate::cli::ui::OutputFormat;

/// The topics that are recorded unless others are given.
pub(crate) const DEFAULT_TOPICS: &str =
    "orders.events,payments.events,orders.events-dlt,payments.events-dlt";

/// What the variables and the profile say, for the arguments of one command.
pub(crate) struct ArgumentSettings<'a> {
    matches: &'a ArgMatches,
    settings: &'a ResolvedSettings,
}

impl<'a> ArgumentSettings<'a> {
    /// For a command with these arguments.
    pub(crate) fn new(matches: &'a ArgMatches, settings: &'a ResolvedSettings) -> Self {
        Self { matches, settings }
    }

    /// `--output`, of a command with these formats or more.
    pub(crate) fn output<F: From<OutputFormat>>(&self, argument: &mut Option<F>) {
        let mut asked = None;
        self.fill("output", &mut asked, self.settings.output.as_ref());
        if let Some(format) = asked {
            *argument = Some(F::from(format));
        }
    }

    /// `--tz`.
    pub(crate) fn tz(&self, argument: &mut String) {
        self.fill("tz", argument, self.settings.tz.as_ref());
    }

    /// `--topics`.
    pub(crate) fn topics(&self, argument: &mut Vec<String>) {
        self.fill("topics", argument, self.settings.topics.as_ref());
    }

    /// `--group`.
    pub(crate) fn group(&self, argument: &mut Option<String>) {
        self.fill("group", argument, self.settings.group.as_ref());
    }

    fn fill<T>(&self, id: &str, argument: &mut T, value: Option<&Sourced<impl Into<T> + Clone>>) {
        if let Some(value) = value
            && self.matches.value_source(id) != Some(ValueSource::CommandLine)
        {
            *argument = value.value.clone().into();
        }
    }
}
