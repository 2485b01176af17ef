//! `audit completions`: what a shell needs to know of the command line.

use std::io::Write;

use clap::Args;
use clap_complete::Shell;

use crate::cli::completion;
use crate::cli::settings::ArgumentSettings;
use crate::cli::shared::{Context, Run};
use crate::cli::ui::{Exit, Failure};

/// Write shell completions to stdout
///
/// The scripts for bash, zsh and fish ask the program when TAB is pressed. It completes values,
/// too: types, services, topics, exception classes and profiles, of the database and the file that
/// the options typed so far, the profile and the variables name. It takes at most half a second,
/// and is silent where the database is away. A script is for the version that wrote it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  # For this shell, and for all with this line in ~/.bashrc:
  source <(audit completions bash)
  # For zsh, in a folder of its fpath; for fish, in the one that it reads:
  mkdir -p ~/.zfunc && audit completions zsh > ~/.zfunc/_audit
  mkdir -p ~/.config/fish/completions && \\
    audit completions fish > ~/.config/fish/completions/audit.fish")]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

impl Run for CompletionsArgs {
    fn heeds_settings(&self) -> bool {
        false
    }

    fn apply_settings(&mut self, _: &ArgumentSettings<'_>) {}

    fn exit_without_reader(&self) -> Option<Exit> {
        None
    }

    async fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let script = match completion::script(&self.shell.to_string()) {
            Some(script) => script.into_bytes(),
            None => {
                let mut script = Vec::new();
                clap_complete::generate(self.shell, &mut (context.program)(), "audit", &mut script);
                script
            }
        };
        let mut stdout = context.ui.stdout();
        stdout.write_all(&script)?;
        stdout.flush()?;
        Ok(Exit::Done)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn every_shell_has_a_script_that_asks_or_one_that_names_every_command() {
        for shell in <Shell as clap::ValueEnum>::value_variants() {
            if completion::script(&shell.to_string()).is_some() {
                continue;
            }
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "audit", &mut script);
            let script = String::from_utf8(script).expect("UTF-8");
            for command in Cli::command().get_subcommands() {
                assert!(
                    script.contains(command.get_name()),
                    "{shell} does not know {}",
                    command.get_name()
                );
            }
        }
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let script = completion::script(&shell.to_string()).expect("it asks");
            assert!(script.contains("AUDIT_COMPLETE") && script.contains("audit --"), "{script}");
        }
    }
}
