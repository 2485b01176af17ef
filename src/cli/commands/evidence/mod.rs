//! `audit evidence`: keys, checkpoints and proofs.

mod adopt;
mod check;
mod checkpoint;
mod consistency;
mod given_checkpoint;
mod keygen;
mod output_file;
mod prove;
mod restart;
mod witness;

use clap::{Args, Subcommand};

use crate::cli::settings::ArgumentSettings;
use crate::cli::shared::{Context, Run};
use crate::cli::ui::{Exit, Failure};

/// Prove that a row is what was recorded, to somebody who has neither database nor trust
///
/// Each batch is entered into a log of hashes when it is recorded. A checkpoint sums the log up in
/// three signed lines: kept where whoever has the database can't change them, they tell of any
/// change of what was recorded before. `audit verify --checkpoint` holds the whole database against
/// one; a proof holds a single row, without the database. docs/evidence.md has the formats, and
/// examples/verify_proof.py checks proofs without this program.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  audit evidence keygen --out audit.key > audit.vkey
  audit evidence checkpoint --key audit.key --out monday.checkpoint
  audit evidence checkpoint --key audit.key --out friday.checkpoint
  audit evidence prove 40 --checkpoint friday.checkpoint -o proof.json
  audit evidence check proof.json --vkey audit.vkey
  audit evidence consistency monday.checkpoint friday.checkpoint \\
    -o consistency.json
  audit evidence witness monday.checkpoint friday.checkpoint \\
    --proof consistency.json --vkey audit.vkey")]
pub(crate) struct EvidenceArgs {
    #[command(subcommand)]
    pub(crate) command: EvidenceCommand,
}

/// Makes the enum of the commands below, which passes on what [`Run`] asks.
macro_rules! commands {
    ($($name:ident => $args:ty,)+) => {
        /// A command with its arguments.
        #[derive(Debug, Subcommand)]
        pub(crate) enum EvidenceCommand {
            $($name($args),)+
        }

        impl Run for EvidenceArgs {
            fn heeds_settings(&self) -> bool {
                match &self.command {
                    $(EvidenceCommand::$name(args) => args.heeds_settings(),)+
                }
            }

            fn apply_settings(&mut self, settings: &ArgumentSettings<'_>) {
                match &mut self.command {
                    $(EvidenceCommand::$name(args) => args.apply_settings(settings),)+
                }
            }

            fn exit_without_reader(&self) -> Option<Exit> {
                match &self.command {
                    $(EvidenceCommand::$name(args) => args.exit_without_reader(),)+
                }
            }

            async fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
                match self.command {
                    $(EvidenceCommand::$name(args) => args.run(context).await,)+
                }
            }
        }
    };
}

// In the order of `audit evidence --help`.
commands! {
    Keygen => keygen::KeygenArgs,
    Checkpoint => checkpoint::CheckpointArgs,
    Prove => prove::ProveArgs,
    Check => check::CheckArgs,
    Consistency => consistency::ConsistencyArgs,
    Witness => witness::WitnessArgs,
    Adopt => adopt::AdoptArgs,
    Restart => restart::RestartArgs,
}
