//! `audit`: records every Kafka event in PostgreSQL exactly once, and answers what happened.

use std::process::ExitCode;

fn main() -> ExitCode {
    audit::cli::main()
}
