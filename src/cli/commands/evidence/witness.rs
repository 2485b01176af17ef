//! `audit evidence witness`: whether the log of a checkpoint goes on from that of an earlier one.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};

use crate::cli::settings::ArgumentSettings;
use crate::cli::shared::{Context, Run, VerifierKeyArg, input_name, read_input};
use crate::cli::ui::{Exit, Failure};
use crate::evidence::note::{Checkpoint, VerifierKey};
use crate::evidence::proof::ConsistencyProof;

/// Check that the log of a checkpoint begins with that of an earlier one
///
/// Then nothing that the earlier checkpoint covers was changed, whoever has the signing key. Asks
/// neither the database nor Kafka, and heeds no settings. Exits with 5 where the log was altered,
/// and with 1 where a checkpoint was signed with another key, or the proof is about other ones.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  audit evidence witness monday.checkpoint friday.checkpoint \\
    --proof consistency.json --vkey audit.vkey")]
pub(crate) struct WitnessArgs {
    /// The earlier checkpoint, kept since then
    #[arg(value_name = "OLD", value_hint = ValueHint::FilePath)]
    old: PathBuf,
    /// The later checkpoint
    #[arg(value_name = "NEW", value_hint = ValueHint::FilePath)]
    new: PathBuf,
    /// The proof that `audit evidence consistency` wrote; - is stdin
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    proof: PathBuf,
    #[command(flatten)]
    key: VerifierKeyArg,
}

impl Run for WitnessArgs {
    fn heeds_settings(&self) -> bool {
        false
    }

    fn apply_settings(&mut self, _: &ArgumentSettings<'_>) {}

    fn exit_without_reader(&self) -> Option<Exit> {
        None
    }

    async fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let key = self.key.key()?;
        let old = checkpoint(&self.old, &key)?;
        let new = checkpoint(&self.new, &key)?;
        let name = input_name(&self.proof);
        let hint = "name a file that `audit evidence consistency` wrote";
        let json = read_input(&self.proof, hint)?;
        ConsistencyProof::read(&json)
            .and_then(|proof| proof.check(&old, &new))
            .map_err(|error| Failure::from(error).in_file(name.as_ref()))?;
        let mut stdout = context.ui.stdout();
        writeln!(
            stdout,
            "consistent: the log {} of {} leaves begins with the {} leaves of before",
            new.origin, new.size, old.size
        )?;
        stdout.flush()?;
        Ok(Exit::Done)
    }
}

fn checkpoint(path: &Path, key: &VerifierKey) -> Result<Checkpoint, Failure> {
    let note = read_input(path, "name a file that `audit evidence checkpoint` wrote")?;
    Checkpoint::verify(&note, key)
        .map_err(|error| Failure::new(error.to_string()).in_file(input_name(path).as_ref()))
}
