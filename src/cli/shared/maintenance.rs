//! What is due beside the recording, done once: for `audit maintain` and after a migration.

use std::time::Duration;

use crate::cli::ui::{Failure, Progress, Total, Ui};
use crate::store::{self, Counting, CountingStep, SealStep, Sealing, Session};

/// How many rows are counted in one transaction: about a second's work.
const PIECE: i64 = 200_000;

/// How long somebody else who is at it is left alone.
const PAUSE: Duration = Duration::from_millis(200);

/// Seals the leaves that are full, builds the indexes that sealed ones lack, and counts what is not
/// counted, while ingesters go on. Returns what was done to leaves.
pub(crate) async fn maintain(session: &Session, ui: Ui) -> Result<Vec<String>, Failure> {
    store::commit_without_waiting(session).await?;
    store::summarize_leaves(session, 0).await?;
    let mut done = Vec::new();
    {
        let progress = ui.progress();
        let sealing = Sealing { current: false, thorough: true };
        loop {
            match store::seal_step(session, sealing).await? {
                SealStep::Did(step) => {
                    progress.doing(&step);
                    done.push(step);
                }
                SealStep::Nothing => break,
                SealStep::Busy => {
                    progress.doing("waiting for another session that seals leaves");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
    count_what_is_there(session, ui).await?;
    Ok(done)
}

/// Counts what was recorded without being counted, and searches it for duplicates, piece by piece,
/// while ingesters go on. Whoever interrupts it loses the last piece at most.
async fn count_what_is_there(session: &Session, ui: Ui) -> Result<(), Failure> {
    let begun = Counting::read(session).await?;
    let steps = [
        (CountingStep::Fill, "rows counted", begun.uncounted_rows),
        (CountingStep::FindDuplicates, "rows searched for duplicates", begun.unsearched_rows),
    ];
    for (step, things, total) in steps {
        if total > 0 {
            let progress = ui.progress();
            progress.counting(things, Total::Exact(total.unsigned_abs()));
            count(session, step, total, &progress).await?;
        }
    }
    while store::count_piece(session, CountingStep::Merge, PIECE).await? == Some(PIECE) {}
    Ok(())
}

/// Does one step up to where it was `left` when it began, by whomever.
async fn count(
    session: &Session,
    step: CountingStep,
    left: i64,
    progress: &Progress,
) -> Result<(), Failure> {
    let mut done = 0;
    while done < left {
        match store::count_piece(session, step, PIECE).await? {
            Some(0) => break,
            Some(rows) => done += rows,
            // An ingester is at it.
            None => {
                tokio::time::sleep(PAUSE).await;
                let counting = Counting::read(session).await?;
                let now = match step {
                    CountingStep::Fill => counting.uncounted_rows,
                    _ => counting.unsearched_rows,
                };
                done = done.max(left - now);
            }
        }
        progress.set(done.unsigned_abs());
    }
    Ok(())
}
