//! Sends a plan, and says how far it came.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::cli::shared::who;
use crate::cli::ui::{Exit, Failure, Total, Ui, on_stop};
use crate::count_text::counted;
use crate::dead_letter::Plan;
use crate::replay::{ReplayOptions, Replayer, SendProgress};

/// Sends the plan, record by record, until it is done or interrupted.
pub(super) async fn send(
    replayer: &mut Replayer,
    plan: &Plan,
    reason: Option<String>,
    rate: Option<u32>,
    ui: Ui,
) -> Result<(), Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    on_stop({
        let stop = Arc::clone(&stop);
        move || stop.store(true, Ordering::Relaxed)
    })?;
    let total = plan.steps.len();
    let progress = ui.progress();
    progress.counting("records sent", Total::Exact(total as u64));
    let options = ReplayOptions { requested_by: who(), reason, rate };
    let mut so_far = SendProgress::default();
    let outcome = replayer
        .send(&plan.steps, &options, &stop, |sent| {
            so_far = sent;
            progress.set(sent.total() as u64);
        })
        .await;
    progress.clear();
    let mut line = format!("{} of {} sent", so_far.sent, counted(total, "record"));
    if so_far.failed > 0 {
        line.push_str(&format!(", {} failed", so_far.failed));
    }
    if so_far.sent == total && total > 0 {
        line.push_str("; `audit replay-dlt --status` tells what comes of it");
    }
    ui.status(&line);
    outcome?;
    if so_far.total() < total && stop.load(Ordering::Relaxed) {
        return Err(Failure::new(format!(
            "interrupted; {} were not sent",
            counted(total - so_far.total(), "record")
        ))
        .with_hint("the next run goes on with them")
        .with_exit(Exit::Interrupted));
    }
    if so_far.failed > 0 {
        return Err(Failure::new(format!(
            "{} could not be sent",
            counted(so_far.failed, "record")
        ))
        .with_hint("`audit replay-dlt --status` says why"));
    }
    if so_far.total() < total {
        return Err(Failure::new(format!(
            "not sent, because no longer stored: {}",
            counted(total - so_far.total(), "record")
        ))
        .with_exit(Exit::Incomplete));
    }
    Ok(())
}
