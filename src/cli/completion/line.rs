//! The line as typed so far, and what the configuration and the database know of its values.

use std::ffi::OsString;
use std::time::Duration;

use clap::{Args, Command, FromArgMatches};

use crate::cli::settings::{ConnectionArgs, ResolvedSettings, profile_names};
use crate::store;
use crate::store::KnownValues;

/// How long a person at a prompt waits without wondering.
const LIMIT: Duration = Duration::from_millis(400);

/// The words of the line that is being completed.
#[derive(Debug)]
pub(super) struct Line {
    words: Vec<OsString>,
}

impl Line {
    /// With the words as the shell has them, quotes included.
    pub(super) fn new(words: Vec<OsString>) -> Self {
        Self { words }
    }

    /// The profiles of the configuration file.
    pub(super) fn profiles() -> Vec<String> {
        profile_names().unwrap_or_default()
    }

    /// The values that the database has. No values where it is away, slow, or has no schema.
    pub(super) fn known(&self, values: KnownValues, from: &str) -> Vec<String> {
        let settings = self.settings().and_then(|settings| settings.quiet_database().ok());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let (Some(settings), Ok(runtime)) = (settings, runtime) else { return Vec::new() };
        let asked = store::known_values(&settings, values, from, LIMIT);
        let found = runtime.block_on(async { tokio::time::timeout(LIMIT, asked).await });
        // A look-up of the host's name may still be under way.
        runtime.shutdown_background();
        found.ok().and_then(Result::ok).unwrap_or_default()
    }

    /// The settings that hold for a command with the options typed so far.
    fn settings(&self) -> Option<ResolvedSettings> {
        let program = ConnectionArgs::augment_args(Command::new("audit"));
        let options = ["--profile", "--database-url"].iter().filter_map(|name| {
            let value = self.option(name)?;
            Some(format!("{name}={value}"))
        });
        let typed = std::iter::once("audit".to_owned()).chain(options);
        let matches = program.try_get_matches_from(typed).ok()?;
        let args = ConnectionArgs::from_arg_matches(&matches).ok()?;
        ResolvedSettings::resolve(&args, &matches).ok()
    }

    /// What was typed for an option: the last one counts.
    fn option(&self, name: &str) -> Option<String> {
        let words: Vec<&str> =
            self.words.iter().map(|word| word.to_str()).collect::<Option<_>>()?;
        let mut given =
            words.iter().enumerate().filter_map(|(place, word)| match word.strip_prefix(name)? {
                "" => words.get(place + 1).copied(),
                joined => joined.strip_prefix('='),
            });
        // As a shell reads it. What it would put in for a variable is not known here: the settings
        // can't be read then, and there are no values.
        let words = shlex::split(given.next_back()?)?;
        words.into_iter().next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_typed_so_far_are_found_in_every_form() {
        let option = |words: &[&str]| {
            Line::new(words.iter().map(OsString::from).collect()).option("--profile")
        };
        assert_eq!(option(&["audit", "--profile", "a", "query"]).as_deref(), Some("a"));
        assert_eq!(option(&["audit", "--profile=a", "--profile='b c'"]).as_deref(), Some("b c"));
        assert_eq!(option(&["audit", "query", "--profiles", "a"]), None);
        assert_eq!(option(&["audit", "query", "--profile"]), None);
        assert_eq!(option(&["audit", "query", "--profile", "'a"]), None);
    }
}
