//! `audit evidence consistency`: proves that the log of a checkpoint goes on from an earlier one.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::given_checkpoint::given_checkpoint;
use super::output_file::OutputFileArgs;
use crate::cli::settings::ArgumentSettings;
use crate::cli::shared::{Context, Run};
use crate::cli::ui::{Exit, Failure};
use crate::evidence::log_nodes::LogQuestion;
use crate::evidence::proof::{ConsistencyProof, ProofError};
use crate::store;
use crate::store::ReadMode;

/// Prove that the log of a checkpoint begins with that of an earlier one
///
/// For `audit evidence witness`, which needs no database. Exits with 5 where the log no longer is
/// what one of the checkpoints covers: then no proof is written.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  audit evidence consistency monday.checkpoint friday.checkpoint
  audit evidence consistency monday.checkpoint friday.checkpoint \\
    -o consistency.json")]
pub(crate) struct ConsistencyArgs {
    /// The earlier checkpoint; - is stdin
    #[arg(value_name = "OLD", value_hint = ValueHint::FilePath)]
    old: PathBuf,
    /// The later checkpoint
    #[arg(value_name = "NEW", value_hint = ValueHint::FilePath)]
    new: PathBuf,
    #[command(flatten)]
    output: OutputFileArgs,
}

impl Run for ConsistencyArgs {
    fn apply_settings(&mut self, _: &ArgumentSettings<'_>) {}

    fn exit_without_reader(&self) -> Option<Exit> {
        self.output.is_stdout().then_some(Exit::Done)
    }

    async fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let old = given_checkpoint(&self.old)?.checkpoint;
        let new = given_checkpoint(&self.new)?.checkpoint;
        if old.origin != new.origin {
            let (old, new) = (old.origin.to_string(), new.origin.to_string());
            return Err(ProofError::OtherLog(old, new).into());
        }
        if old.size > new.size {
            return Err(ProofError::Backwards { old: old.size, new: new.size }.into());
        }
        let mut session = context.settings.session("audit evidence consistency").await?;
        let reading = session.read(ReadMode::Page).await?;
        let question = LogQuestion::Consistency { old: old.size, new: new.size };
        let path = store::log_nodes(&reading, new.origin.restart(), question).await?;
        reading.finish().await?;
        let path = path.unwrap_or_default();
        let proof = ConsistencyProof { old_size: old.size, new_size: new.size, path };
        // What does not hold is not handed out.
        proof.check(&old, &new)?;
        self.output.write(&proof.to_json()?, context.ui)?;
        context.ui.status(&format!(
            "proven: the log {} of {} leaves begins with the {} leaves of before",
            new.origin, new.size, old.size
        ));
        Ok(Exit::Done)
    }
}
