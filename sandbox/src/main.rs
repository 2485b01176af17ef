//! Starts a private PostgreSQL and a private Kafka from the command line.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
