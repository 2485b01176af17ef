//! `sandbox up`: the servers, until they are no longer wanted.

use std::error::Error;
use std::ffi::OsString;
use std::io::{Write, stdout};
use std::process::{Command, ExitCode};

use clap::Args;

use super::{foreground, services};

/// Start PostgreSQL and Kafka, print the variables that point audit to them, and stay until Ctrl-C
///
/// With a command, run it with these variables instead, and end with its exit code.
#[derive(Args, Debug)]
pub(crate) struct UpArgs {
    /// Start a schema registry, too, and print the variable that names it
    #[arg(long)]
    registry: bool,
    /// A command to run while the servers are up, after `--`
    #[arg(last = true)]
    command: Vec<OsString>,
}

pub(crate) fn cmd_up(args: &UpArgs) -> Result<ExitCode, Box<dyn Error>> {
    let sandbox = services::start(args.registry)?;
    if let [program, arguments @ ..] = &args.command[..] {
        let mut command = Command::new(program);
        command.args(arguments).envs(services::variables(&sandbox, args.registry));
        return foreground::run(command)
            .map_err(|error| format!("cannot run {}: {error}", program.to_string_lossy()).into());
    }
    foreground::wait_for_end(|| {
        for (name, value) in services::variables(&sandbox, args.registry) {
            writeln!(stdout(), "export {name}={value}")?;
        }
        stdout().flush()?;
        eprintln!(
            "sandbox: the servers are up; Ctrl-C stops them (or: kill {})",
            std::process::id()
        );
        Ok(())
    })?;
    eprintln!("sandbox: stopping");
    Ok(ExitCode::SUCCESS)
}
