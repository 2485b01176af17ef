//! `audit show`: one event in full.

mod details;
mod json;
mod last_event;
mod text;

use std::io::Write as _;

use clap::Args;

use crate::cli::settings::ArgumentSettings;
use crate::cli::shared::{Context, FormatArgs, Run, ambiguous};
use crate::cli::ui::{Exit, Failure};
use crate::output::Format;
use crate::store;
use crate::store::{EventColumn, EventLookup, ReadMode, RetiredLeaf};
use crate::time::timestamp_text;
use details::{EventDetails, MOST_RELATED};
use last_event::last_event_of;

/// Show one event in full
///
/// With its payload, where it came from, what caused it and what it caused, its other deliveries,
/// and what became of it as a dead letter: as text, or as one object in JSON and NDJSON. CSV has
/// its rows with all columns: the one that is shown first, then its other deliveries. Of an
/// aggregate or a correlation its last event is shown. Exits with 3 where nothing has the id.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  audit show 4f2a91c3-0c1d-4c51-9d0e-52a1f5a0b7de
  audit show 4f2a91c3…b7de              # an id as tables show it
  audit show 40                         # a row id
  audit show order-4711                 # the last event of an order
  audit show 8d3e57b0 --diff            # what changed since the event before")]
pub(crate) struct ShowArgs {
    /// Event, aggregate or correlation: an id, its beginning, its short form, or a row id
    id: String,
    /// Also show what changed in the payload since the aggregate's event before
    #[arg(long)]
    diff: bool,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
}

impl Run for ShowArgs {
    fn apply_settings(&mut self, settings: &ArgumentSettings<'_>) {
        settings.output(&mut self.format.output);
    }

    fn exit_without_reader(&self) -> Option<Exit> {
        Some(Exit::Done)
    }

    async fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let ui = context.ui;
        let format = self.format.format();
        if self.diff && format == Format::Csv {
            return Err(Failure::usage("--diff: CSV has a row for each delivery, and no changes")
                .with_hint("-o json has them"));
        }
        let mut session = context.settings.session("audit show").await?;
        let reading = session.read(ReadMode::Page).await?;
        let mut taken_for = None;
        let details = match store::find_event(&reading, &self.id).await? {
            EventLookup::Nothing => {
                if let Ok(row_id) = self.id.parse()
                    && let Some(leaf) = store::retired_leaf_of(&reading, row_id).await?
                {
                    return Err(retired(row_id, &leaf));
                }
                let (event, words) = last_event_of(&reading, &self.id).await?;
                taken_for = Some(words);
                let event_id = event.uuid(EventColumn::EventId)?.unwrap_or_default();
                let deliveries = store::deliveries_of(&reading, event_id).await?;
                EventDetails::read(&reading, deliveries, Some(event.id()?), self.diff).await?
            }
            EventLookup::Ambiguous(candidates) => return Err(ambiguous(&self.id, &candidates)?),
            EventLookup::Event { deliveries, row_id } => {
                EventDetails::read(&reading, deliveries, row_id, self.diff).await?
            }
        };
        reading.finish().await?;
        let style = self.format.style(ui);
        let bytes = match format {
            Format::Table | Format::Lines => details.text(style)?.into_bytes(),
            Format::Json => details.json(style)?,
            Format::Ndjson => details.ndjson(style)?,
            Format::Csv => details.csv(style)?,
        };
        let mut output = ui.paged(format);
        output.write_all(&bytes)?;
        output.close()?;
        if let Some(words) = taken_for {
            ui.status(&words);
        }
        if details.has_more {
            ui.status(&format!(
                "causes and effects were looked for among the first {MOST_RELATED} events of its \
                 story, which has more: `audit trace` shows them"
            ));
        }
        Ok(Exit::Done)
    }
}

/// What is said of a row that was retired.
fn retired(row_id: i64, leaf: &RetiredLeaf) -> Failure {
    let at = timestamp_text(leaf.retired_at.into());
    Failure::new(format!("row {row_id} was retired with {} at {at}", leaf.name))
        .with_hint("its batch is still in the ledger and the evidence log; what it held is not")
        .with_exit(Exit::NothingMatched)
}
