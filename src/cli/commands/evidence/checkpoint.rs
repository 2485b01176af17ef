//! `audit evidence checkpoint`: signs what the log is now.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::anchor::{Anchor, Publish};
use crate::cli::settings::ArgumentSettings;
use crate::cli::shared::{Context, Run, signer_key};
use crate::cli::ui::{Exit, Failure};
use crate::count_text::counted;
use crate::store::Session;

/// Sign what was recorded up to now: how many leaves the log has, and the root over them
///
/// The checkpoint goes to a file, to a topic, or to stdout, and is kept in the database as well;
/// what counts is one that whoever has the database can't change. Before it is signed, the leaves
/// behind the last checkpoint are made anew from what was recorded. Nothing is signed that does not
/// go on from the last checkpoint in the database, in the file and in the topic: that exits with 5.
/// Exits with 3 where the log is empty.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  audit evidence checkpoint --key audit.key
  audit evidence checkpoint --key audit.key --out last.checkpoint
  audit evidence checkpoint --key audit.key --publish audit.checkpoints")]
pub(crate) struct CheckpointArgs {
    /// The signing key that `audit evidence keygen` made
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    key: PathBuf,
    /// Keep the last checkpoint in this file, which is replaced: only by one that goes on from it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    out: Option<PathBuf>,
    /// Publish it to this topic of Kafka, too: the key of the record is the name of the log
    #[arg(long, value_name = "TOPIC")]
    publish: Option<String>,
}

impl Run for CheckpointArgs {
    fn apply_settings(&mut self, _: &ArgumentSettings<'_>) {}

    fn exit_without_reader(&self) -> Option<Exit> {
        None
    }

    async fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let key = signer_key("--key", &self.key)?;
        let publish = match self.publish {
            Some(topic) => Some(Publish { kafka: context.settings.kafka()?, topic }),
            None => None,
        };
        let to_stdout = self.out.is_none() && publish.is_none();
        let anchor = Anchor { key, out: self.out, publish };
        let settings = context.settings.database()?;
        let mut session = Session::open(&settings, "audit evidence checkpoint").await?;
        // A copy must not sign in the name of its original.
        session.home().await?.check_writable(&settings)?;
        let progress = context.ui.progress();
        progress.doing("making the leaves behind the last checkpoint anew");
        let signed = anchor.sign(&mut session).await?;
        progress.clear();
        if to_stdout {
            let mut stdout = context.ui.stdout();
            stdout.write_all(signed.note.as_bytes())?;
            stdout.flush()?;
        }
        let leaves = counted(signed.checkpoint.size, "leaf");
        context.ui.status(&match signed.new_leaves {
            0 => format!("signed again: the log {} has {leaves}", signed.checkpoint.origin),
            new => format!(
                "signed: the log {} has {leaves}, {new} of them new",
                signed.checkpoint.origin
            ),
        });
        Ok(Exit::Done)
    }
}
