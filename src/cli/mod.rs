//! The command line: one file for each command, args first.

#![expect(clippy::doc_markdown, reason = "the documentation of arguments is what --help prints")]

mod commands;
mod settings;
mod shared;
mod ui;

use std::process::ExitCode;

use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};

use commands::{
    completions, config, decode, dlt, export, ingest, migrate, query, replay_dlt, show, stats,
    status, tail, trace, verify,
};
use settings::connection_args::ConnectionArgs;
use settings::resolved::ResolvedSettings;
use shared::{output_args, selector_args as selectors};
use ui::failure::{Exit, Failure};
use ui::terminal::ColorChoice;
use ui::{closed_pipe as reader, terminal};

const LONG_ABOUT: &str = "\
Records every event that services publish to Kafka in one PostgreSQL table, exactly once, and answers what happened: \
who did what to which order, when, what failed, and whether the record is complete.";

const AFTER_HELP: &str = "\
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 nothing matched (with --fail-on-empty), 4 the record is incomplete, \
5 the record was altered, 130 interrupted before it was done.

Examples:
  audit tail
  audit query --type 'Payment*' --since '2h ago'
  audit trace 019aa4c5-7d1e-7c3a-9b0e-3f6f1d2c4b5a
  audit query --help";

/// Everything that can be typed.
#[derive(Debug, Parser)]
#[command(name = "audit", version, about = "What happened to this order, and can you prove it?")]
#[command(long_about = LONG_ABOUT, after_help = AFTER_HELP, propagate_version = true, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Migrate(migrate::MigrateArgs),
    Ingest(ingest::IngestArgs),
    Tail(tail::TailArgs),
    Query(query::QueryArgs),
    Show(show::ShowArgs),
    Trace(trace::TraceArgs),
    Stats(stats::StatsArgs),
    Export(export::ExportArgs),
    Status(status::StatusArgs),
    Verify(verify::VerifyArgs),
    Dlt(dlt::DltArgs),
    ReplayDlt(replay_dlt::ReplayDltArgs),
    Decode(decode::DecodeArgs),
    Config(config::ConfigArgs),
    Completions(completions::CompletionsArgs),
    Man(completions::ManArgs),
}

impl Command {
    /// How to exit when nobody reads stdout any more; `None` where the work is not done for its
    /// output alone.
    fn exit_without_reader(&self) -> Option<Exit> {
        match self {
            Self::Tail(_)
            | Self::Query(_)
            | Self::Show(_)
            | Self::Trace(_)
            | Self::Stats(_)
            | Self::Status(_)
            | Self::Dlt(_) => Some(Exit::Done),
            Self::Export(args) => args.is_to_stdout().then_some(Exit::Done),
            // Its exit code is an answer, too, and not all was checked.
            Self::Verify(_) => Some(Exit::Incomplete),
            Self::Migrate(_)
            | Self::Ingest(_)
            | Self::ReplayDlt(_)
            | Self::Decode(_)
            | Self::Config(_)
            | Self::Completions(_)
            | Self::Man(_) => None,
        }
    }
}

/// Runs the program with the process's arguments and returns its exit code.
pub fn main() -> ExitCode {
    let parsed = Cli::command()
        .try_get_matches()
        .and_then(|matches| Cli::from_arg_matches(&matches).map(|cli| (cli, matches)));
    let (mut cli, matches) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => {
            // Help and version go to stdout with 0, wrong usage to stderr with 2. A closed pipe is
            // not an error.
            if error.use_stderr()
                && std::env::args_os().any(|argument| terminal::holds_controls(&argument))
            {
                // It quotes what was typed, or what a script took out of a record.
                error.render().to_string().lines().for_each(terminal::status);
            } else {
                let _ = error.print();
            }
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let color = color_choice(&matches);
    if let Err(failure) = settle(&mut cli, &matches) {
        return failure.report(color);
    }
    let runtime =
        match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => {
                return Failure::new(format!("can't start the runtime: {error}")).report(color);
            }
        };
    let outcome = runtime.block_on(async {
        let Some(exit) = cli.command.exit_without_reader() else { return run(cli).await };
        tokio::select! {
            biased;
            outcome = run(cli) => outcome,
            () = reader::went_away() => Ok(exit),
        }
    });
    // A blocked helper thread must not hold up the end: whatever had to be finished was awaited
    // above.
    runtime.shutdown_background();
    match outcome {
        Ok(exit) => exit.into(),
        Err(failure) => failure.report(color),
    }
}

/// Completes what was typed by what the variables and the profile say.
fn settle(cli: &mut Cli, matches: &ArgMatches) -> Result<(), Failure> {
    let mut matches = matches;
    while let Some((_, inner)) = matches.subcommand() {
        matches = inner;
    }
    let resolved = match &cli.command {
        // A shell that starts must not fail for a mistake in the file.
        Command::Completions(_) | Command::Man(_) => return Ok(()),
        _ => ResolvedSettings::resolve(&cli.connection, matches)?,
    };
    let tz = |selectors: &mut selectors::SelectorArgs| {
        ResolvedSettings::fill(matches, "tz", &mut selectors.tz, resolved.tz.as_ref());
    };
    let output = |output: &mut Option<output_args::OutputFormat>| {
        ResolvedSettings::fill(matches, "output", output, resolved.output.as_ref());
    };
    let topics = |topics: &mut Vec<String>| {
        ResolvedSettings::fill(matches, "topics", topics, resolved.topics.as_ref());
    };
    match &mut cli.command {
        Command::Ingest(args) => {
            topics(&mut args.topics);
            ResolvedSettings::fill(matches, "group", &mut args.group, resolved.group.as_ref());
        }
        Command::Tail(args) => {
            tz(&mut args.selectors);
            output(&mut args.output.format.output);
        }
        Command::Query(args) => {
            tz(&mut args.selectors);
            output(&mut args.output.format.output);
        }
        Command::Stats(args) => {
            tz(&mut args.selectors);
            output(&mut args.format.output);
        }
        Command::Export(args) => tz(&mut args.selectors),
        Command::Status(args) => output(&mut args.format.output),
        Command::Verify(args) => {
            topics(&mut args.topics);
            output(&mut args.format.output);
        }
        Command::Dlt(args) => {
            tz(&mut args.selectors);
            output(&mut args.output.format.output);
        }
        Command::ReplayDlt(args) => {
            tz(&mut args.selectors);
            output(&mut args.output.format.output);
        }
        Command::Decode(args) => output(&mut args.output),
        Command::Config(args) => match &mut args.command {
            config::ConfigCommand::Show(args) => output(&mut args.output.format.output),
        },
        // Every other command is named, so that a new one isn't forgotten here.
        Command::Migrate(_)
        | Command::Show(_)
        | Command::Trace(_)
        | Command::Completions(_)
        | Command::Man(_) => {}
    }
    cli.connection.resolved = resolved;
    Ok(())
}

/// What the command's own --color says, for the errors, too.
fn color_choice(matches: &ArgMatches) -> ColorChoice {
    let of_command = matches.subcommand().map(|(_, matches)| matches.try_get_one("color"));
    of_command.and_then(Result::ok).flatten().copied().unwrap_or_default()
}

async fn run(cli: Cli) -> Result<Exit, Failure> {
    match cli.command {
        Command::Migrate(args) => migrate::run(&args, &cli.connection).await,
        Command::Ingest(args) => ingest::run(args, &cli.connection).await,
        Command::Tail(args) => tail::run(&args, &cli.connection).await,
        Command::Query(args) => query::run(&args, &cli.connection).await,
        Command::Show(args) => show::run(&args, &cli.connection).await,
        Command::Trace(args) => trace::run(&args, &cli.connection).await,
        Command::Stats(args) => stats::run(&args, &cli.connection).await,
        Command::Export(args) => export::run(&args, &cli.connection).await,
        Command::Status(args) => status::run(&args, &cli.connection).await,
        Command::Verify(args) => verify::run(&args, &cli.connection).await,
        Command::Dlt(args) => dlt::run(&args, &cli.connection).await,
        Command::ReplayDlt(args) => replay_dlt::run(&args, &cli.connection).await,
        Command::Decode(args) => decode::run(&args),
        Command::Config(args) => config::run(&args, &cli.connection),
        Command::Completions(args) => completions::run_completions(&args, Cli::command()),
        Command::Man(args) => completions::run_man(&args, Cli::command()),
    }
}
