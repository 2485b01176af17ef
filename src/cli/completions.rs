//! `audit completions` and `audit man`: what a shell and a manual need to know of the command line.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Command};
use clap_complete::Shell;

use super::failure::{Exit, Failure};

/// Write shell completions to stdout
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  audit completions bash > ~/.local/share/bash-completion/completions/audit
  audit completions zsh > \"${fpath[1]}/_audit\"
  audit completions fish > ~/.config/fish/completions/audit.fish")]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Write the manual pages into a directory, or the main one to stdout
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  audit man | man -l -
  audit man ~/.local/share/man/man1")]
pub(crate) struct ManArgs {
    /// Directory for one page for each command
    directory: Option<PathBuf>,
}

pub(crate) fn run_completions(args: &CompletionsArgs, mut command: Command) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "audit", &mut script);
    std::io::stdout().write_all(&script)?;
    Ok(Exit::Done)
}

pub(crate) fn run_man(args: &ManArgs, command: Command) -> Result<Exit, Failure> {
    let Some(directory) = &args.directory else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page)?;
        std::io::stdout().write_all(&page)?;
        return Ok(Exit::Done);
    };
    let failed =
        |error: std::io::Error| Failure::new(format!("writing into {}: {error}", directory.display()));
    std::fs::create_dir_all(directory).map_err(failed)?;
    clap_mangen::generate_to(command, directory).map_err(failed)?;
    Ok(Exit::Done)
}
