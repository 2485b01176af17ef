//! What is done where rows were retired before they were handed over.

use super::args::ExportArgs;
use crate::cli::ui::{Exit, Failure, Ui};
use crate::count_text::counted;
use crate::store;
use crate::store::Session;

impl ExportArgs {
    /// Fails where rows behind the last batch that `receiver` was handed were retired meanwhile.
    /// One that is new begins with what is there.
    pub(super) async fn refuse_retired(
        &self,
        session: &Session,
        receiver: &str,
        batch_no: Option<i64>,
        ui: Ui,
    ) -> Result<(), Failure> {
        let behind = batch_no.unwrap_or(0);
        let Some(gone) = store::retired_batches_after(session, behind).await? else {
            return Ok(());
        };
        let rows = counted(gone.rows, "row");
        let batches = counted(gone.batches, "batch");
        let span = format!("{rows} of {batches}, up to batch {}", gone.last_batch_no);
        if batch_no.is_none() {
            ui.status(&format!("{receiver} is new, and lacks what was retired: {span}"));
            return Ok(());
        }
        if self.skip_retired {
            ui.status(&format!("{receiver} lacks what was retired: {span}"));
            return Ok(());
        }
        let text = format!("{receiver}: retired before they were handed over: {span}");
        Err(Failure::new(text)
            .with_hint("--skip-retired goes on without them; `audit retention --after` keeps what is not handed over")
            .with_exit(Exit::Incomplete))
    }
}
