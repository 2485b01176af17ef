//! The commands: a file or a folder for each, its arguments first. A new command is a file with an
//! implementation of [`Run`], and a line in the table below.

mod completions;
mod config;
mod decode;
mod dlt;
mod evidence;
mod export;
mod flow;
mod ingest;
mod maintain;
mod man;
mod migrate;
mod query;
mod reconcile;
mod replay_dlt;
mod report;
mod retention;
mod show;
mod stats;
mod status;
mod stuck;
mod tail;
mod trace;
mod verify;

use clap::Subcommand;

use super::settings::ArgumentSettings;
use super::shared::{Context, Run};
use super::ui::{Exit, Failure};

/// Makes the enum of all commands, which passes on what [`Run`] asks.
macro_rules! commands {
    ($($name:ident => $args:ty,)+) => {
        /// A command with its arguments.
        #[derive(Debug, Subcommand)]
        pub(crate) enum Command {
            $($name($args),)+
        }

        impl Command {
            /// See [`Run::heeds_settings`].
            pub(crate) fn heeds_settings(&self) -> bool {
                match self {
                    $(Self::$name(args) => args.heeds_settings(),)+
                }
            }

            /// See [`Run::apply_settings`].
            pub(crate) fn apply_settings(&mut self, settings: &ArgumentSettings<'_>) {
                match self {
                    $(Self::$name(args) => args.apply_settings(settings),)+
                }
            }

            /// See [`Run::exit_without_reader`].
            pub(crate) fn exit_without_reader(&self) -> Option<Exit> {
                match self {
                    $(Self::$name(args) => args.exit_without_reader(),)+
                }
            }

            /// See [`Run::run`].
            pub(crate) async fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
                match self {
                    $(Self::$name(args) => args.run(context).await,)+
                }
            }
        }
    };
}

// In the order of `audit --help`.
commands! {
    Migrate => migrate::MigrateArgs,
    Ingest => ingest::IngestArgs,
    Tail => tail::TailArgs,
    Query => query::QueryArgs,
    Show => show::ShowArgs,
    Trace => trace::TraceArgs,
    Stats => stats::StatsArgs,
    Flow => flow::FlowArgs,
    Stuck => stuck::StuckArgs,
    Reconcile => reconcile::ReconcileArgs,
    Report => report::ReportArgs,
    Export => export::ExportArgs,
    Status => status::StatusArgs,
    Verify => verify::VerifyArgs,
    Evidence => evidence::EvidenceArgs,
    Maintain => maintain::MaintainArgs,
    Retention => retention::RetentionArgs,
    Dlt => dlt::DltArgs,
    ReplayDlt => replay_dlt::ReplayDltArgs,
    Decode => decode::DecodeArgs,
    Config => config::ConfigArgs,
    Completions => completions::CompletionsArgs,
    Man => man::ManArgs,
}
