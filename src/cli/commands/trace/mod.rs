//! `audit trace`: everything that belongs together, across services, as one timeline.

mod find;
mod silence;
mod story;
mod timeline;

use std::io::Write;

use clap::{Args, ValueEnum};

use crate::cli::settings::ArgumentSettings;
use crate::cli::shared::{Context, Run, ValueArgs, retired_hint, whole_number};
use crate::cli::ui::{Exit, Failure, OutputFormat};
use crate::count_text::counted;
use crate::output::{Format, write_mermaid};
use crate::store;
use crate::store::{ReadMode, StoredEvent};
use find::find_story;
use silence::silence;
use story::Story;

/// Show everything that belongs to an event, an aggregate or a correlation as a timeline
///
/// Effects are indented below their causes. Pauses of a minute or more, failures, dead letters and
/// their replays, second deliveries, and causes that are not recorded stand out. Unless stories end
/// with such an event, a last line says how long the story has been silent, what usually comes
/// next, and when it was due, as `audit stuck` learns it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  audit trace order-4711                # an aggregate's id, text or UUID
  audit trace 4f2a91c3…b7de             # an event's, as tables show it
  audit trace 4f2a91c3 -o mermaid       # a diagram for a page or an issue")]
pub(crate) struct TraceArgs {
    /// Event, aggregate or correlation: an id, its beginning, its short form, or a row id
    id: String,
    /// How many events at most
    #[arg(short = 'n', long, value_name = "ROWS", default_value_t = 1_000, value_parser = whole_number::<i64>(1..=100_000))]
    limit: i64,
    /// Format of the output
    #[arg(
        short,
        long,
        alias = "format",
        value_name = "FORMAT",
        env = "AUDIT_OUTPUT",
        hide_env_values = true,
        help_heading = "Output"
    )]
    output: Option<TraceFormat>,
    #[command(flatten)]
    values: ValueArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TraceFormat {
    /// A timeline
    Table,
    /// One array of objects
    Json,
    /// One object a line
    Ndjson,
    /// PostgreSQL's CSV
    Csv,
    /// A sequence diagram
    Mermaid,
}

impl From<OutputFormat> for TraceFormat {
    fn from(format: OutputFormat) -> Self {
        match format {
            OutputFormat::Table => Self::Table,
            OutputFormat::Json => Self::Json,
            OutputFormat::Ndjson => Self::Ndjson,
            OutputFormat::Csv => Self::Csv,
        }
    }
}

impl Run for TraceArgs {
    fn apply_settings(&mut self, settings: &ArgumentSettings<'_>) {
        settings.output(&mut self.output);
    }

    fn exit_without_reader(&self) -> Option<Exit> {
        Some(Exit::Done)
    }

    async fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let ui = context.ui;
        let mut session = context.settings.session("audit trace").await?;
        let reading = session.read(ReadMode::Page).await?;
        let Some(mut events) = find_story(&reading, &self.id, self.limit).await? else {
            let failure = Failure::new(format!("nothing is recorded about '{}'", self.id))
                .with_exit(Exit::NothingMatched);
            return Err(match retired_hint(&reading).await? {
                Some(hint) => failure.with_hint(hint),
                None => failure,
            });
        };
        let more = events.len() as i64 > self.limit;
        events.truncate(usize::try_from(self.limit).unwrap_or(usize::MAX));
        let ids = events.iter().map(StoredEvent::id).collect::<Result<Vec<_>, _>>()?;
        let letters = store::dead_letter_summaries(&reading, &ids).await?;
        let replays = store::replays_of(&reading, &ids).await?;
        let output = self.output.unwrap_or(TraceFormat::Table);
        let silence = match output {
            TraceFormat::Table if !more => silence(&reading, &events).await?,
            _ => None,
        };
        reading.finish().await?;

        let story = Story::new(&events, &letters, &replays)?;
        let style = self.values.style(ui.style());
        let rows_format = match output {
            TraceFormat::Table => {
                let mut output = ui.paged(Format::Table);
                story.write_timeline(style, &mut output)?;
                output.close()?;
                None
            }
            TraceFormat::Mermaid => {
                let mut stdout = ui.stdout();
                write_mermaid(&story.messages()?, &mut stdout)?;
                stdout.flush()?;
                None
            }
            TraceFormat::Json => Some(Format::Json),
            TraceFormat::Ndjson => Some(Format::Ndjson),
            TraceFormat::Csv => Some(Format::Csv),
        };
        if let Some(format) = rows_format {
            story.write_rows(format, style, &mut ui.stdout())?;
        }
        if let Some(silence) = silence {
            ui.status(&silence);
        }
        if more {
            ui.status(&format!(
                "the first {} shown, more match; show more with --limit",
                counted(self.limit, "event")
            ));
        }
        Ok(Exit::Done)
    }
}
