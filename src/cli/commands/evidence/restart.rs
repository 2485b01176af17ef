//! `audit evidence restart`: another log is begun, after an honest restore.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::given_checkpoint::{GivenCheckpoint, given_checkpoint};
use crate::anchor;
use crate::anchor::{Known, Refusal, Restart};
use crate::cli::settings::ArgumentSettings;
use crate::cli::shared::{Context, Run};
use crate::cli::ui::{Exit, Failure};
use crate::count_text::counted;
use crate::evidence::note::Checkpoint;
use crate::host;
use crate::store;
use crate::store::{LogHead, ReadMode, Session};

/// Begin another log after an honest restore, which the checkpoints from before no longer fit
///
/// Where a backup was restored that is older than the last checkpoint, the log is no longer the one
/// that was signed, and `audit evidence checkpoint` refuses to go on with it. This begins another
/// one, whose name ends in a number and whose first leaf says what the log before was, its last
/// checkpoint that is known, who restarted it, when and why. It needs a key of its own. Nobody who
/// has checkpoints from before takes the one for the other: tell them why.
///
/// Shows what it would do, and asks; where nobody can be asked, it does it with --yes only. Refuses
/// where the log fits its last checkpoint: there is nothing to begin anew for. Needs the owner of
/// the tables.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  audit evidence restart --reason 'restored from the backup of Sunday' \\
    --checkpoint friday.checkpoint        # only shows it")]
pub(crate) struct RestartArgs {
    /// Why, for the record: whoever verifies the new log reads it
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// The last checkpoint of the log before, which was kept elsewhere [default: the last one in
    /// the database]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    checkpoint: Option<PathBuf>,
    /// Begin it without asking
    #[arg(short, long)]
    yes: bool,
}

impl Run for RestartArgs {
    fn apply_settings(&mut self, _: &ArgumentSettings<'_>) {}

    fn exit_without_reader(&self) -> Option<Exit> {
        None
    }

    async fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        if self.reason.trim().is_empty() {
            return Err(Failure::usage("--reason is empty: whoever verifies the new log reads it"));
        }
        let given = self.checkpoint.as_deref().map(given_checkpoint).transpose()?;
        let settings = context.settings.database()?;
        let mut session = Session::open(&settings, "audit evidence restart").await?;
        session.home().await?.check_writable(&settings)?;
        store::check_owner(&session).await?;
        let progress = context.ui.progress();
        progress.doing("holding the log against its last checkpoint");
        let reading = session.read(ReadMode::Page).await?;
        let plan = Plan::make(&reading, given.as_ref()).await?;
        reading.finish().await?;
        progress.clear();
        let mut stdout = context.ui.stdout();
        write!(stdout, "{}", plan.text(&self.reason))?;
        stdout.flush()?;
        if plan.refusal.is_none() && !self.yes {
            return Ok(Exit::Done);
        }
        plan.refusal()?;
        if !self.yes {
            let unheard = |error| Failure::new(format!("reading the answer: {error}"));
            let is_wanted = context.ui.can_ask()
                && context.ui.ask("Begin the new log?").await.map_err(unheard)?;
            if !is_wanted {
                context.ui.status("nothing was begun; --yes begins it without asking");
                return Ok(Exit::Done);
            }
        }
        let held = store::hold_log(&mut session).await?;
        // As it is now that nothing can be recorded.
        let plan = Plan::make(&held, given.as_ref()).await?;
        plan.refusal()?;
        let restart = Restart {
            last_checkpoint: plan.last.as_ref().map(|(_, note)| note.as_str()),
            reason: &self.reason,
            restarted_by: &host::user_at_host(),
        };
        let origin = anchor::begin_anew(held, &plan.head, restart).await?;
        writeln!(stdout, "begun: {origin}")?;
        stdout.flush()?;
        context.ui.status(
            "make a key for it with `audit evidence keygen`, sign with that from now on, and tell those who \
             keep the checkpoints of before",
        );
        Ok(Exit::Done)
    }
}

/// What is about to be done.
struct Plan {
    head: LogHead,
    /// The last checkpoint that is known.
    last: Option<(Checkpoint, String)>,
    /// Why the log can't go on; `None` where it can.
    refusal: Option<Refusal>,
}

impl Plan {
    /// Looks for what is wrong with the log: whatever `audit evidence checkpoint` would refuse.
    async fn make(session: &Session, given: Option<&GivenCheckpoint>) -> Result<Self, Failure> {
        let head = store::log_head(session).await?;
        let (mut notes, mut refusal) = (Vec::new(), None);
        if let Some(stored) = store::last_checkpoint(session, head.log_no).await? {
            match Checkpoint::read_unverified(stored.note.as_bytes()) {
                Ok(checkpoint) if checkpoint.size == stored.size => {
                    notes.push(("in the database", checkpoint, stored.note));
                }
                broken => {
                    let reason = broken
                        .err()
                        .map_or("its size is another".to_owned(), |error| error.to_string());
                    refusal = Some(Refusal::Note { size: stored.size, reason });
                }
            }
        }
        if let Some(GivenCheckpoint { checkpoint, note }) = given {
            let origin = checkpoint.origin;
            if (origin.installation(), origin.restart()) != (head.installation, head.log_no) {
                return Err(Failure::usage(format!(
                    "--checkpoint is of {origin}, and not of the log that this database writes to"
                )));
            }
            notes.push(("of --checkpoint", *checkpoint, note.clone()));
        }
        let known: Vec<Known> = notes
            .iter()
            .map(|(place, checkpoint, _)| {
                // Whose signature it has, the one who restarts vouches for.
                Known { place: (*place).to_owned(), checkpoint: *checkpoint, is_ours: true }
            })
            .collect();
        if refusal.is_none() {
            refusal = match anchor::check_log(session, &head, &known).await {
                Ok(_) | Err(anchor::Error::Empty) => None,
                Err(anchor::Error::Refused(refusal)) => Some(refusal),
                Err(error) => return Err(error.into()),
            };
        }
        let last = notes.into_iter().max_by_key(|(_, checkpoint, _)| checkpoint.size);
        Ok(Self { head, last: last.map(|(_, checkpoint, note)| (checkpoint, note)), refusal })
    }

    /// Fails where there is nothing to begin anew for.
    fn refusal(&self) -> Result<(), Failure> {
        if self.refusal.is_some() {
            return Ok(());
        }
        Err(Failure::new("nothing was begun: nothing tells that this log can't go on").with_hint(
            "--checkpoint FILE names the last one that was kept elsewhere; where the log fits that, too, go on \
             with `audit evidence checkpoint`",
        ))
    }

    fn text(&self, reason: &str) -> String {
        let LogHead { installation, log_no, size, .. } = self.head;
        let number = |number: i32| if number > 0 { format!("/{number}") } else { String::new() };
        let last = self.last.as_ref().map_or_else(
            || "no checkpoint of it is known".to_owned(),
            |(last, _)| format!("its last known checkpoint covers {}", counted(last.size, "leaf")),
        );
        let leaves = counted(size, "leaf");
        let log = format!("log      audit/{installation}{}, {leaves}; {last}\n", number(log_no));
        match &self.refusal {
            None => {
                log + "problem  none is known: nothing has to be begun anew\n\
                       next     --checkpoint names a later one that was kept elsewhere\n"
            }
            Some(refusal) => format!(
                "{log}problem  {refusal}\nnew log  audit/{installation}{}\nreason   {reason}\n",
                number(log_no + 1)
            ),
        }
    }
}
