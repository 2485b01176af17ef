//! `audit flow`: which event follows which, and the whole stories by their sequence.

mod format;
mod rows;

use std::io::Write;

use clap::Args;

use crate::analysis::{EventTypes, FlowCounter, FlowRow, Story, Variant, VariantCounter};
use crate::cli::settings::ArgumentSettings;
use crate::cli::shared::{
    Context, EmptyArgs, Run, SelectorArgs, ValueArgs, explain_selection, tell_what_is_read,
    whole_number,
};
use crate::cli::ui::{Exit, Failure, Ui};
use crate::count_text::{counted, counted_with};
use crate::filter::Selection;
use crate::output;
use crate::output::{Emphasis, FlowPicture, Format, Style, SvgTheme};
use crate::store;
use crate::store::{ReadMode, ResolvedSelection, RowScope, Session};
use crate::time::{PostgresMicros, Timestamp, timestamp_text};
use format::{FlowFormat, Written};
use rows::{flow_cells, flow_columns, flow_edges, variant_cells, variant_columns};

/// As many rows are for a person, unless --limit says otherwise.
const ROWS_FOR_PEOPLE: usize = 50;

/// Rows of which the ids are asked for at once.
const IDS_AT_ONCE: usize = 10_000;

/// Show which event follows which, how often and how long after
///
/// A story is all events of one correlation, else of one aggregate. One is chosen when its first
/// event happened within --since, --until and --date, and one of its events matches all other
/// selectors; then all of its events count. Without selectors it is every story. Dead letters,
/// tombstones and second deliveries are no steps.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  audit flow --since -1d
  audit flow --variants --since -1d     # whole stories, by their sequence
  audit flow --type PaymentDeclined     # only stories that hold one
  audit flow -o svg > flow.svg          # a picture; also dot, mermaid")]
pub(crate) struct FlowArgs {
    /// Show the whole stories by their sequence instead, the most frequent first
    #[arg(long)]
    variants: bool,
    /// How many rows at most [default: 50 in a table or a picture, else all]
    #[arg(short = 'n', long, value_name = "ROWS", value_parser = whole_number::<usize>(1..))]
    limit: Option<usize>,
    #[command(flatten)]
    selectors: SelectorArgs,
    /// Format of the output [default: table, in a pipe, too]
    #[arg(
        short,
        long,
        alias = "format",
        value_name = "FORMAT",
        env = "AUDIT_OUTPUT",
        hide_env_values = true,
        help_heading = "Output"
    )]
    output: Option<FlowFormat>,
    #[command(flatten)]
    values: ValueArgs,
    #[command(flatten)]
    empty: EmptyArgs,
}

impl Run for FlowArgs {
    fn apply_settings(&mut self, settings: &ArgumentSettings<'_>) {
        settings.tz(&mut self.selectors.tz);
        settings.output(&mut self.output);
    }

    fn exit_without_reader(&self) -> Option<Exit> {
        Some(Exit::Done)
    }

    async fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let ui = context.ui;
        let written = self.output.unwrap_or(FlowFormat::Table).written();
        if self.variants && !matches!(written, Written::Rows(_)) {
            return Err(Failure::usage("--variants are rows: -o table, json, ndjson or csv"));
        }
        let selection = self.selectors.selection(ui)?;
        let mut session = context.settings.session("audit flow").await?;
        let reading = session.read(ReadMode::All).await?;
        let progress = ui.progress();
        tell_what_is_read(&progress, "following", &selection, &reading).await?;
        let resolved = store::resolve(&reading, &selection, RowScope::Existing).await?;
        let mut read = Read::default();
        let left_out = if self.variants {
            let mut counter = VariantCounter::default();
            let types = read.all(&reading, &resolved, |story| counter.add(story)).await?;
            let mut variants = counter.finish(&types);
            let left_out = cut(&mut variants, self.limit_of(written));
            let ids = example_ids(&reading, &variants).await?;
            progress.clear();
            if let Written::Rows(format) = written {
                self.write_variants(&variants, &types, &ids, format, ui)?;
            }
            left_out
        } else {
            let mut counter = FlowCounter::default();
            let types = read.all(&reading, &resolved, |story| counter.add(story)).await?;
            let rows = counter.finish(&types);
            progress.clear();
            self.write_flow(rows, &types, &read, written, ui)?
        };
        self.tell(&read, left_out, ui);
        explain_selection(&reading, &selection, read.stories > 0, ui).await?;
        tell_steps_without_story(&reading, &selection, &resolved, ui).await?;
        reading.finish().await?;
        Ok(self.empty.exit(read.stories == 0))
    }
}

impl FlowArgs {
    /// How many rows are written.
    fn limit_of(&self, written: Written) -> usize {
        let usual = match written {
            Written::Rows(Format::Json | Format::Ndjson | Format::Csv) => usize::MAX,
            _ => ROWS_FOR_PEOPLE,
        };
        self.limit.unwrap_or(usual)
    }

    /// Writes the flow; gives how many rows were left out.
    fn write_flow(
        &self,
        mut rows: Vec<FlowRow>,
        types: &EventTypes,
        read: &Read,
        written: Written,
        ui: Ui,
    ) -> Result<usize, Failure> {
        let style = self.values.style(ui.style());
        let limit = self.limit_of(written);
        let format = match written {
            Written::Rows(format) if format != Format::Table || !style.terminal => format,
            picture => {
                let edges = flow_edges(&rows, types);
                let drawn = FlowPicture::new(&edges, limit);
                self.draw(&drawn, picture, read, style, ui)?;
                return Ok(drawn.left_out());
            }
        };
        let left_out = cut(&mut rows, limit);
        let rows = rows.iter().map(|row| (flow_cells(row, types), Emphasis::None));
        let mut output = ui.paged(format);
        output::render(format, style, &flow_columns(), rows, &mut output)?;
        output.close()?;
        Ok(left_out)
    }

    fn draw(
        &self,
        drawn: &FlowPicture<'_>,
        picture: Written,
        read: &Read,
        style: Style,
        ui: Ui,
    ) -> Result<(), Failure> {
        if let Written::Rows(_) = picture {
            let mut output = ui.paged(Format::Table);
            if read.stories > 0 {
                drawn.write_text(style, &mut output)?;
            }
            output.close()?;
            return Ok(());
        }
        let mut output = ui.stdout();
        match picture {
            Written::Dot => drawn.write_dot(&mut output)?,
            Written::Mermaid => drawn.write_mermaid(&mut output)?,
            Written::Rows(_) | Written::Svg => {
                drawn.write_svg(&read.text(), SvgTheme::File, &mut output)?;
            }
        }
        output.flush()?;
        Ok(())
    }

    fn write_variants(
        &self,
        variants: &[Variant],
        types: &EventTypes,
        ids: &std::collections::HashMap<i64, store::StoryIds>,
        format: Format,
        ui: Ui,
    ) -> Result<(), Failure> {
        let rows = variants
            .iter()
            .map(|variant| (variant_cells(variant, types, ids, format), Emphasis::None));
        let style = self.values.style(ui.style());
        let mut output = ui.paged(format);
        output::render(format, style, &variant_columns(), rows, &mut output)?;
        output.close()?;
        Ok(())
    }

    /// Says what was read, and what was left out of it.
    fn tell(&self, read: &Read, left_out: usize, ui: Ui) {
        if read.stories == 0 {
            ui.status("no stories match");
            return;
        }
        ui.status(&read.text());
        if left_out > 0 {
            let what = if self.variants { "rarer variant" } else { "rarer pair" };
            let left_out = counted_with(left_out, what, ["is", "are"]);
            ui.status(&format!("{left_out} left out; show more with --limit"));
        }
    }
}

/// What was read.
#[derive(Debug, Default)]
struct Read {
    stories: usize,
    steps: usize,
    /// When the first story began, and the last.
    began: Option<(PostgresMicros, PostgresMicros)>,
}

impl Read {
    /// Reads the chosen stories.
    async fn all(
        &mut self,
        session: &Session,
        resolved: &ResolvedSelection,
        mut each: impl FnMut(&Story),
    ) -> Result<EventTypes, Failure> {
        if resolved.is_empty() {
            return Ok(EventTypes::default());
        }
        let mut stories = store::stories(session, resolved).await?;
        while let Some(story) = stories.next().await? {
            self.stories += 1;
            self.steps += story.step_count();
            let at = story.first.at;
            let (first, last) = self.began.unwrap_or((at, at));
            self.began = Some((first.min(at), last.max(at)));
            each(&story);
        }
        Ok(stories.into_types())
    }

    /// `12 stories of 60 steps, begun from … to …`.
    fn text(&self) -> String {
        let (stories, steps) = (counted_story(self.stories), counted(self.steps, "step"));
        let time = |time| timestamp_text(Timestamp::without_zone(time));
        match self.began {
            Some((first, last)) => {
                format!("{stories}, {steps}, begun from {} to {}", time(first), time(last))
            }
            None => format!("{stories}, {steps}"),
        }
    }
}

fn counted_story(count: usize) -> String {
    if count == 1 { "1 story".to_owned() } else { format!("{count} stories") }
}

/// Keeps the first `most` rows; gives how many were taken away.
fn cut<T>(rows: &mut Vec<T>, most: usize) -> usize {
    let left_out = rows.len().saturating_sub(most);
    rows.truncate(most);
    left_out
}

/// The ids of the examples as they came.
async fn example_ids(
    session: &Session,
    variants: &[Variant],
) -> Result<std::collections::HashMap<i64, store::StoryIds>, Failure> {
    let rows: Vec<i64> = variants.iter().map(|variant| variant.example.first.row_id).collect();
    let mut ids = std::collections::HashMap::with_capacity(rows.len());
    for rows in rows.chunks(IDS_AT_ONCE) {
        ids.extend(store::story_ids(session, rows).await?);
    }
    Ok(ids)
}

/// Says how many of the selected steps no story holds.
async fn tell_steps_without_story(
    session: &Session,
    selection: &Selection,
    resolved: &ResolvedSelection,
    ui: Ui,
) -> Result<(), Failure> {
    // An id of a story chooses nothing that is without.
    if resolved.is_empty() || !selection.aggregates.is_empty() || !selection.correlations.is_empty()
    {
        return Ok(());
    }
    let steps = store::steps_without_story(session, resolved).await?;
    if steps > 0 {
        let steps = counted_with(steps, "selected step", ["belongs", "belong"]);
        ui.status(&format!("{steps} to no story: neither correlation nor aggregate is known"));
    }
    Ok(())
}
