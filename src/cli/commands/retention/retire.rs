//! Carries a plan out, leaf by leaf, and says whom it waits for.

use std::time::{Duration, Instant};

use crate::cli::ui::{Failure, Ui};
use crate::count_text::counted;
use crate::store;
use crate::store::{ClosedLeaf, LockHolder, RetireStep, RetirementNote, Session};
use crate::time::span_text;

/// The pause before a lock is asked for again: meanwhile everybody else goes on.
const PAUSE: Duration = Duration::from_secs(1);

/// How long others are waited for.
#[derive(Clone, Copy)]
pub(super) struct Patience {
    /// In all.
    pub(super) limit: Duration,
    /// Where it is said.
    pub(super) ui: Ui,
}

/// Drops the leaves, and then the raw dead letters of rows that are gone.
pub(super) async fn retire(
    session: &mut Session,
    leaves: &[&ClosedLeaf],
    note: RetirementNote<'_>,
    patience: Patience,
) -> Result<(), Failure> {
    let ui = patience.ui;
    let progress = ui.progress();
    let (mut retired, mut rows) = (0, 0);
    for leaf in leaves {
        progress.doing(format!("dropping {} ({} of {})", leaf.name, retired + 1, leaves.len()));
        let mut waiting = Waiting::new(patience);
        loop {
            match store::retire_leaf(session, &leaf.name, note).await? {
                RetireStep::Done(had) => {
                    (retired, rows) = (retired + 1, rows + had);
                    break;
                }
                RetireStep::InUse(holders) => waiting.wait(&holders).await?,
                RetireStep::Changed => {
                    return Err(Failure::new(format!(
                        "{}: rows were written to it meanwhile, or it was dropped",
                        leaf.name
                    ))
                    .with_hint("run it again: the plan is made anew"));
                }
            }
        }
    }
    progress.doing("removing the dead letters of rows that are gone");
    let mut letters = 0;
    let mut waiting = Waiting::new(patience);
    loop {
        match store::remove_retired_dead_letters(session).await? {
            RetireStep::Done(0) | RetireStep::Changed => break,
            RetireStep::Done(removed) => letters += removed,
            RetireStep::InUse(holders) => waiting.wait(&holders).await?,
        }
    }
    progress.clear();
    let mut said = format!("{} dropped, with {}", counted(retired, "leaf"), counted(rows, "row"));
    if letters > 0 {
        said.push_str(&format!("; {} removed", counted(letters, "raw dead letter")));
    }
    ui.status(&said);
    Ok(())
}

/// Waits for sessions that use the table.
struct Waiting {
    patience: Patience,
    since: Instant,
    /// The process that was named last.
    named: Option<i32>,
}

impl Waiting {
    fn new(patience: Patience) -> Self {
        Self { patience, since: Instant::now(), named: None }
    }

    async fn wait(&mut self, holders: &[LockHolder]) -> Result<(), Failure> {
        let oldest = holders.first();
        let named = oldest.map(|holder| holder.process);
        let text = oldest.map_or_else(|| "another session".to_owned(), described);
        if self.since.elapsed() >= self.patience.limit {
            return Err(Failure::new(format!("{text} still uses the table"))
                .with_hint("the next run goes on; --wait SECONDS waits longer"));
        }
        if named.is_some() && named != self.named {
            self.patience.ui.status(&format!("waiting for {text}, which uses the table"));
            self.named = named;
        }
        tokio::time::sleep(PAUSE.min(self.patience.limit)).await;
        Ok(())
    }
}

fn described(holder: &LockHolder) -> String {
    let mut text = format!("server process {}", holder.process);
    let mut facts = Vec::new();
    if !holder.application.is_empty() {
        facts.push(holder.application.clone());
    }
    if let Some(seconds) = holder.seconds {
        let span = span_text((seconds.max(0.0) * 1e6) as u64);
        facts.push(format!("in a transaction for {span}"));
    }
    if !facts.is_empty() {
        text.push_str(&format!(" ({})", facts.join(", ")));
    }
    text
}
