//! The command line: what was typed and what holds besides, one command, one exit code.

#![expect(clippy::doc_markdown, reason = "the documentation of arguments is what --help prints")]

mod commands;
mod completion;
mod settings;
mod shared;
mod ui;
mod usage;

#[cfg(test)]
mod tests;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser};

use crate::output::escape_controls;
use commands::Command;
use settings::{ArgumentSettings, ConnectionArgs, ResolvedSettings};
use shared::Context;
use ui::{Exit, Failure, Ui, UiArgs};

const LONG_ABOUT: &str = "\
Records every event that services publish to Kafka in one PostgreSQL table, exactly once, and \
answers what happened: who did what to which order, when, what failed, and whether the record is \
complete.";

const AFTER_HELP: &str = "\
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 nothing matched (with
--fail-on-empty), 4 the record is incomplete, 5 the record was altered, 130
interrupted before it was done.

Examples:
  audit tail
  audit query --type 'Payment*' --since '2h ago'
  audit trace order-4711
  audit query --help";

/// Everything that can be typed.
#[derive(Debug, Parser)]
#[command(name = "audit", version, about = "What happened to this order, and can you prove it?")]
#[command(
    long_about = LONG_ABOUT,
    after_help = AFTER_HELP,
    propagate_version = true,
    arg_required_else_help = true
)]
struct Cli {
    #[command(flatten)]
    ui: UiArgs,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(subcommand)]
    command: Command,
}

/// Runs the program with the process's arguments and returns its exit code.
pub fn main() -> ExitCode {
    let typed: Vec<_> = std::env::args_os().collect();
    if let Some(exit) = completion::answer(Cli::command, &typed) {
        return exit;
    }
    let parsed = usage::parse(Cli::command, &typed)
        .and_then(|matches| Cli::from_arg_matches(&matches).map(|cli| (cli, matches)));
    let (cli, matches) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return show_usage(&error),
    };
    let ui = Ui::new(cli.ui);
    match run(cli, &matches, ui) {
        Ok(exit) => exit.into(),
        Err(failure) => ui.report(&failure),
    }
}

/// Shows help and version on stdout with exit code 0, wrong usage on stderr with 2. A closed pipe
/// is no error; a full disk is one.
fn show_usage(error: &clap::Error) -> ExitCode {
    let holds_controls = |argument: &std::ffi::OsStr| {
        matches!(escape_controls(&argument.to_string_lossy()), std::borrow::Cow::Owned(_))
    };
    if error.use_stderr() && std::env::args_os().any(|argument| holds_controls(&argument)) {
        // It quotes what was typed, or what a script took out of a record.
        error.render().to_string().lines().for_each(|line| Ui::default().status(line));
    } else if let (Err(unwritten), false) = (print(error), error.use_stderr()) {
        return Ui::default().report(&unwritten.into());
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// Writes help, version or an error of usage to the last byte.
fn print(error: &clap::Error) -> io::Result<()> {
    error.print()?;
    io::stdout().flush()
}

fn run(mut cli: Cli, matches: &ArgMatches, ui: Ui) -> Result<Exit, Failure> {
    let mut matches = matches;
    while let Some((_, inner)) = matches.subcommand() {
        matches = inner;
    }
    let mut settings = ResolvedSettings::default();
    if cli.command.heeds_settings() {
        settings = ResolvedSettings::resolve(&cli.connection, matches)?;
        settings.notices.iter().for_each(|notice| ui.status(notice));
        cli.command.apply_settings(&ArgumentSettings::new(matches, &settings));
    }
    let context = Context { ui, settings: &settings, program: Cli::command };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("can't start the runtime: {error}")))?;
    let outcome = runtime.block_on(async {
        let Some(exit) = cli.command.exit_without_reader() else {
            return cli.command.run(&context).await;
        };
        tokio::select! {
            biased;
            outcome = cli.command.run(&context) => outcome,
            () = ui::closed_pipe() => Ok(exit),
        }
    });
    // A blocked helper thread must not hold up the end: whatever had to be finished was awaited
    // above.
    runtime.shutdown_background();
    outcome
}
