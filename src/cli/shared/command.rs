//! What every command is: arguments that can be completed, and a way to run.

use crate::cli::settings::{ArgumentSettings, ResolvedSettings};
use crate::cli::ui::{Exit, Failure, Ui};

/// What a command is given besides its arguments.
pub(crate) struct Context<'a> {
    /// The way out to a person.
    pub(crate) ui: Ui,
    /// Where the servers are.
    pub(crate) settings: &'a ResolvedSettings,
    /// The whole command line, for what describes it.
    pub(crate) program: fn() -> clap::Command,
}

/// What every command does with its arguments.
pub(crate) trait Run {
    /// Whether it heeds variables and profiles. A shell that starts must not fail for a mistake in
    /// the configuration file, nor must what has nothing to do with any server.
    fn heeds_settings(&self) -> bool {
        true
    }

    /// Takes over what the variables and the profile say for arguments that were not typed.
    fn apply_settings(&mut self, settings: &ArgumentSettings<'_>);

    /// How to exit when the reader of stdout went away; `None` where the work is not done for its
    /// output alone.
    fn exit_without_reader(&self) -> Option<Exit>;

    /// Does it.
    ///
    /// # Errors
    /// The failure to show, with its exit code.
    async fn run(self, context: &Context<'_>) -> Result<Exit, Failure>;
}
