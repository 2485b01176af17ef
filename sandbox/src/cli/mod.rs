//! The commands of `sandbox`.

mod demo;
mod foreground;
mod produce;
mod services;
mod up;

use std::error::Error;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

const ENVIRONMENT: &str = "\
Environment:
  SANDBOX_POSTGRES_URL  a running PostgreSQL to use instead of a private one
  SANDBOX_POSTGRES_SETTINGS  settings of the private one: shared_buffers=128MB,max_wal_size=1GB
  SANDBOX_BROKERS       a running Kafka to use instead of a private one
  SANDBOX_SCHEMA_REGISTRY_URL  a running schema registry to use instead of a private one
  KAFKA_HOME            an unpacked Apache Kafka to start (default: fetched through Maven, once)
  JAVA_HOME             the Java to run Kafka and the registry with (default: the one on PATH)";

/// Starts a private PostgreSQL and a private Kafka as real processes, for trying audit and for its
/// tests
///
/// They listen on free ports of the loopback interface only, keep their files in a temporary
/// directory, and go, with it, when this command ends, however it ends.
#[derive(Debug, Parser)]
#[command(version, after_help = ENVIRONMENT)]
struct SandboxArgs {
    #[command(subcommand)]
    command: SandboxCommand,
}

#[derive(Debug, Subcommand)]
enum SandboxCommand {
    Up(up::UpArgs),
    Demo(demo::DemoArgs),
    Produce(produce::ProduceArgs),
}

/// Reads the command line, and does what it says.
pub(crate) fn run() -> ExitCode {
    let done: Result<ExitCode, Box<dyn Error>> = match SandboxArgs::parse().command {
        SandboxCommand::Up(args) => up::cmd_up(&args),
        SandboxCommand::Demo(args) => demo::cmd_demo(&args),
        SandboxCommand::Produce(args) => produce::cmd_produce(&args),
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}
