//! `audit stats`: how many events, by what, and when.

mod histogram;

use std::io::Write;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

use crate::cli::settings::ArgumentSettings;
use crate::cli::shared::{
    Context, EmptyArgs, FormatArgs, Run, SelectorArgs, WordInList, explain_selection,
    tell_what_is_read, whole_number,
};
use crate::cli::ui::{Exit, Failure};
use crate::count_text::counted;
use crate::dead_letter::short_class;
use crate::output;
use crate::output::{Column, Emphasis, Format};
use crate::store;
use crate::store::{EventCount, Grouping, ReadMode, RowScope};
use crate::time::Timestamp;
use crate::value::Value;
use histogram::{step_seconds, write_histogram};

/// Count selected events by type, service, time and more
///
/// Reads every selected event: --since, --date or --type make it quicker. On a terminal, a
/// histogram over time follows.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  audit stats --since -1d
  audit stats --by service,type --since '1h ago'
  audit stats --by error --dlt --since -7d
  audit stats --by hour --type OrderCreated --date today -o csv
  audit stats --duplicates --since -1d")]
pub(crate) struct StatsArgs {
    /// What to group by, one or several
    #[arg(long, value_name = "A,B", value_delimiter = ',', default_value = "type", value_parser = WordInList::<Grouping>::new())]
    by: Vec<Grouping>,
    /// How many groups at most
    #[arg(short = 'n', long, value_name = "GROUPS", default_value_t = 50, value_parser = whole_number::<i64>(1..=1_000_000))]
    limit: i64,
    /// Also count the rows that deliver an event again, dead letters aside; takes longer
    #[arg(long)]
    duplicates: bool,
    /// Draw the histogram also where stdout is no terminal
    #[arg(long)]
    histogram: bool,
    #[command(flatten)]
    pub(crate) selectors: SelectorArgs,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
    #[command(flatten)]
    empty: EmptyArgs,
}

impl ValueEnum for Grouping {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()))
    }
}

impl Run for StatsArgs {
    fn apply_settings(&mut self, settings: &ArgumentSettings<'_>) {
        settings.tz(&mut self.selectors.tz);
        settings.output(&mut self.format.output);
    }

    fn exit_without_reader(&self) -> Option<Exit> {
        Some(Exit::Done)
    }

    async fn run(mut self, context: &Context<'_>) -> Result<Exit, Failure> {
        let ui = context.ui;
        // What is named twice is one column: an object has each member once.
        let mut seen = Vec::new();
        self.by.retain(|grouping| {
            !seen.contains(grouping) && {
                seen.push(*grouping);
                true
            }
        });
        let selection = self.selectors.selection(ui)?;
        let format = self.format.format();
        let style = self.format.style(ui);
        let mut session = context.settings.session("audit stats").await?;
        let reading = session.read(ReadMode::All).await?;
        let progress = ui.progress();
        tell_what_is_read(&progress, "counting", &selection, &reading).await?;
        let resolved = store::resolve(&reading, &selection, RowScope::Existing).await?;
        let total = if resolved.is_empty() {
            None
        } else {
            store::count_events(&reading, &resolved, &[], self.duplicates, 1).await?.pop()
        };
        let mut groups = match &total {
            None => Vec::new(),
            // One more than is shown tells whether there are more.
            Some(_) => {
                let limit = self.limit.saturating_add(1);
                store::count_events(&reading, &resolved, &self.by, self.duplicates, limit).await?
            }
        };
        let more = groups.len() as i64 > self.limit;
        groups.truncate(usize::try_from(self.limit).unwrap_or(usize::MAX));
        let rows = groups
            .iter()
            .map(|group| (cells(group, total.as_ref().unwrap_or(group)), Emphasis::None));
        let is_drawn = format == Format::Table && (self.histogram || style.terminal);
        // All is read before a pager has the terminal.
        let drawn = match total.as_ref().filter(|_| is_drawn) {
            Some(total) => {
                let step = step_seconds(total.last.since(total.first));
                Some((store::histogram(&reading, &resolved, step).await?, step))
            }
            None => None,
        };
        progress.clear();
        let mut output = ui.paged(format);
        output::render(format, style, &self.columns(), rows, &mut output)?;
        if let Some((buckets, step)) = drawn {
            writeln!(output)?;
            write_histogram(&buckets, step, style, &mut output)?;
        }
        output.close()?;
        if more {
            let shown = counted(self.limit, "group");
            ui.status(&format!("{shown} shown, more match; show more with --limit"));
        }
        explain_selection(&reading, &selection, total.is_some(), ui).await?;
        if total.is_none() {
            ui.status("no rows match");
        }
        reading.finish().await?;
        Ok(self.empty.exit(total.is_none()))
    }
}

impl StatsArgs {
    /// The keys, then the figures.
    fn columns(&self) -> Vec<Column> {
        let key = |by: &Grouping| match by {
            Grouping::Error => Column::new(by.name()).category().shortened(short_class).whole(),
            _ => Column::new(by.name()).category(),
        };
        let mut columns: Vec<Column> = self.by.iter().map(key).collect();
        columns.extend([
            Column::new("events"),
            Column::new("percent").optional(2),
            Column::new("per_second").optional(5),
            Column::new("dlt"),
            Column::new("quarantined").optional(1),
        ]);
        if self.duplicates {
            columns.push(Column::new("duplicates"));
        }
        columns.extend([Column::new("first").optional(4), Column::new("last").optional(3)]);
        columns
    }
}

fn cells<'a>(group: &'a EventCount, total: &EventCount) -> Vec<Value<'a>> {
    let mut cells: Vec<Value<'a>> = group.keys.iter().map(|key| key.as_deref().into()).collect();
    let seconds = total.last.since(total.first) as f64 / 1_000_000.0;
    let rounded = |number: f64, digits: f64| (number * digits).round() / digits;
    cells.extend([
        Value::Integer(group.rows),
        Value::Float(rounded(group.rows as f64 * 100.0 / total.rows as f64, 100.0)),
        if seconds > 0.0 {
            Value::Float(rounded(group.rows as f64 / seconds, 1_000.0))
        } else {
            Value::Null
        },
        Value::Integer(group.dead_letters),
        Value::Integer(group.quarantined),
    ]);
    cells.extend(group.duplicates.map(Value::Integer));
    cells.extend([group.first, group.last].map(|time| Timestamp::without_zone(time).into()));
    cells
}
