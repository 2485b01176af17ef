//! `audit export`: selected events to files, a pipe or a table.

mod args;
mod check;
mod files;
mod formats;
#[cfg(feature = "lake")]
mod lake;
mod ocel;
mod retired;
mod target;
mod uninterrupted;

pub(crate) use args::ExportArgs;

use crate::cli::settings::ArgumentSettings;
use crate::cli::shared::{Context, Run};
use crate::cli::ui::{Exit, Failure};

impl Run for ExportArgs {
    fn apply_settings(&mut self, settings: &ArgumentSettings<'_>) {
        settings.tz(&mut self.selectors.tz);
    }

    fn exit_without_reader(&self) -> Option<Exit> {
        // With a bookmark, 0 says that the rows arrived.
        let is_piped = self.file().is_none() && self.delta.is_none() && self.incremental.is_none();
        is_piped.then_some(Exit::Done)
    }

    async fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        if let Some(path) = &self.check {
            return check::check_files(path, context.ui);
        }
        if self.delta.is_some() {
            self.refuse_text_options("Delta Lake")?;
            #[cfg(feature = "lake")]
            return lake::append(&self, context).await;
            #[cfg(not(feature = "lake"))]
            return Err(crate::export::Error::NotBuilt("Delta Lake").into());
        }
        files::export(&self, context).await
    }
}
