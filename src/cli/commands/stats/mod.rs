//! `audit stats`: how many events, by what, and when.

mod columns;
mod compare;
mod figure_args;
mod heatmap;
mod histogram;
mod keys;

use std::io::Write;

use clap::Args;

use crate::cli::settings::ArgumentSettings;
use crate::cli::shared::{
    Context, EmptyArgs, FormatArgs, ListItems, Retired, Run, SelectorArgs, explain_names,
    tell_retired, tell_what_is_read, whole_number,
};
use crate::cli::ui::{Exit, Failure, Ui};
use crate::count_text::{counted, counted_with};
use crate::filter::{Clock, Selection, ZoneShifts};
use crate::output;
use crate::output::{Emphasis, Format, Style};
use crate::store;
use crate::store::{
    CountQuery, CountState, Counts, Grouping, ReadMode, ResolvedSelection, RowScope, Session,
    TimeBucket, TotalCount,
};
use crate::time::PostgresMicros;
use columns::Columns;
use figure_args::{FigureArgs, option};
use heatmap::write_heatmap;
use histogram::{step_seconds, write_histogram};
use keys::groupings;

/// How many rows a histogram reads one by one: of more, it counts whole hours.
const MOST_ROWS_READ: i64 = 1_000_000;

/// The shortest step for which counts by the hour will do.
const HOUR_SECONDS: i64 = 3_600;

/// Count selected events by type, service, time and more
///
/// Counts rows: every delivery and every dead letter. Whole hours of types, services and topics are
/// counted already, and answer at once; anything else reads the selected events: --since or --date
/// make it quicker. On a terminal, a histogram over time follows.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  audit stats --since -1d
  audit stats --by service,type --since '1h ago'
  audit stats --by day,type --tz Europe/Berlin --since -30d -o csv
  audit stats --by '$.currency' --sum '$.total_amount' --type OrderCreated
  audit stats --by type --since -1h --compare previous
  audit stats --by error --dlt --since -7d
  audit stats --heatmap --tz Europe/Berlin
  audit stats --duplicates --since -1d")]
pub(crate) struct StatsArgs {
    /// What to group by, one or several: type, service, dlt, topic, error, aggregate, correlation,
    /// minute, hour, day, week (by its Monday), month, hour-of-day, and JSON paths of the payload,
    /// such as '$.currency'
    #[arg(long, value_name = "A,B", default_value = "type")]
    by: Vec<ListItems>,
    /// How many groups at most
    #[arg(short = 'n', long, value_name = "GROUPS", default_value_t = 50, value_parser = whole_number::<i64>(1..=1_000_000))]
    limit: i64,
    /// Compare with another period: 'previous' (as long, right before --since), a date, or A..B
    #[arg(long, value_name = "PERIOD", allow_hyphen_values = true)]
    compare: Option<String>,
    /// Also count the rows that deliver an event again, dead letters aside; takes longer
    #[arg(long)]
    duplicates: bool,
    /// Draw the histogram also where stdout is no terminal
    #[arg(long)]
    histogram: bool,
    /// Draw how many events there were in each hour of each day of the week
    #[arg(long)]
    heatmap: bool,
    #[command(flatten)]
    figures: FigureArgs,
    #[command(flatten)]
    pub(crate) selectors: SelectorArgs,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
    #[command(flatten)]
    empty: EmptyArgs,
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
        let by = groupings(&self.by)?;
        let clock = self.selectors.clock()?;
        let (selection, before) = self.periods(&by, &clock, ui)?;
        let format = self.format.format();
        let style = self.format.style(ui);
        let mut session = context.settings.session("audit stats").await?;
        let reading = session.read(ReadMode::All).await?;
        self.check_paths(&by, &reading).await?;
        let progress = ui.progress();
        tell_what_is_read(&progress, "counting", &selection, &reading).await?;
        let counting = Counting {
            session: &reading,
            selection: store::resolve(&reading, &selection, RowScope::Existing).await?,
            state: CountState::read(&reading).await?,
            shifts: shifts(&clock, &by, self.heatmap, &reading).await?,
        };
        let before = match &before {
            Some(before) => Some(store::resolve(&reading, before, RowScope::Existing).await?),
            None => None,
        };
        let query = self.query(&counting, before.as_ref(), &by);
        let mut counts = match query.selection.is_empty()
            && query.before.is_none_or(ResolvedSelection::is_empty)
        {
            true => Counts::default(),
            false => query.run(&reading, &counting.state).await?,
        };
        let more = counts.groups.len() as i64 > self.limit;
        counts.groups.truncate(usize::try_from(self.limit).unwrap_or(usize::MAX));
        // All is read before a pager has the terminal.
        let drawn = self.drawn(&counting, &counts.total, format, style).await?;
        progress.clear();
        let columns = Columns {
            by: &by,
            figures: self.figures.figures(),
            is_compared: before.is_some(),
            duplicates: self.duplicates,
        };
        let rows = counts.groups.iter();
        let rows = rows.map(|group| (columns.cells(group, &counts.total), Emphasis::None));
        let mut output = ui.paged(format);
        output::render(format, style, &columns.shown(), rows, &mut output)?;
        if let Some((buckets, step)) = &drawn.histogram {
            writeln!(output)?;
            write_histogram(buckets, *step, style, &mut output)?;
        }
        if let Some(week) = &drawn.week {
            writeln!(output)?;
            write_heatmap(week, &clock.zone.to_string(), style, &mut output)?;
        }
        output.close()?;
        if more {
            let shown = counted(self.limit, "group");
            ui.status(&format!("{shown} shown, more match; show more with --limit"));
        }
        for (path, count) in counts.total.not_numbers.iter().filter(|(_, count)| *count > 0) {
            let values = counted_with(count, "value", ["is no number", "are no numbers"]);
            ui.status(&format!("{values} at {path}: left out of its figures"));
        }
        let is_empty = counts.groups.is_empty();
        explain_names(&reading, &selection, counts.total.rows > 0, ui).await?;
        let retired = match query.is_of_counts(&counting.state) {
            true => Retired::Counted,
            false => Retired::Missing,
        };
        tell_retired(&reading, &selection, retired, ui).await?;
        if is_empty {
            ui.status("no rows match");
        }
        reading.finish().await?;
        Ok(self.empty.exit(is_empty))
    }
}

/// What every count of a run needs.
struct Counting<'a> {
    session: &'a Session,
    selection: ResolvedSelection,
    state: CountState,
    shifts: ZoneShifts,
}

/// What is drawn below the table.
#[derive(Default)]
struct Drawn {
    histogram: Option<(Vec<TimeBucket>, i64)>,
    week: Option<[[i64; 24]; 7]>,
}

impl StatsArgs {
    /// The selection, and the one of the period that it is compared with. Both are echoed.
    fn periods(
        &mut self,
        by: &[Grouping],
        clock: &Clock,
        ui: Ui,
    ) -> Result<(Selection, Option<Selection>), Failure> {
        let Some(period) = self.compare.take() else {
            return Ok((self.selectors.selection_at(clock, ui)?, None));
        };
        compare::check_keys(by)?;
        if period.trim() == compare::PREVIOUS {
            // What is yet to come has no counterpart.
            self.selectors.until.get_or_insert_with(|| "now".to_owned());
        }
        let selection = self.selectors.selection_at(clock, ui)?;
        let before = compare::before(&period, &selection, clock)?;
        for line in before.describe_times() {
            ui.status(&format!("compared with {line}"));
        }
        Ok((selection, Some(before)))
    }

    /// Lets PostgreSQL read the paths, so that what is wrong with one is said of its option.
    async fn check_paths(&self, by: &[Grouping], session: &Session) -> Result<(), Failure> {
        for grouping in by {
            if let Grouping::Payload(path) = grouping {
                path.check(session, "--by").await?;
            }
        }
        for figure in self.figures.figures() {
            figure.path.check(session, option(figure.kind)).await?;
        }
        Ok(())
    }

    fn query<'a>(
        &'a self,
        counting: &'a Counting<'_>,
        before: Option<&'a ResolvedSelection>,
        by: &'a [Grouping],
    ) -> CountQuery<'a> {
        CountQuery {
            selection: &counting.selection,
            before,
            by,
            shifts: &counting.shifts,
            figures: self.figures.figures(),
            duplicates: self.duplicates,
            // One more than is shown tells whether there are more.
            limit: self.limit.saturating_add(1),
        }
    }

    async fn drawn(
        &self,
        counting: &Counting<'_>,
        total: &TotalCount,
        format: Format,
        style: Style,
    ) -> Result<Drawn, Failure> {
        let Counting { session, selection, state, shifts } = counting;
        let mut drawn = Drawn::default();
        let (Some(first), Some(last), Format::Table) = (total.first, total.last, format) else {
            return Ok(drawn);
        };
        if self.histogram || style.terminal {
            let mut step = step_seconds(last.since(first));
            if total.rows > MOST_ROWS_READ && state.can_tell(selection) {
                step = step.max(HOUR_SECONDS);
            }
            let buckets = store::histogram(session, selection, state, step).await?;
            drawn.histogram = Some((buckets, step));
        }
        if self.heatmap {
            drawn.week = Some(store::hours_of_week(session, selection, state, shifts).await?);
        }
        Ok(drawn)
    }
}

/// What is between UTC and the clocks of the zone, as long as anything happened.
async fn shifts(
    clock: &Clock,
    by: &[Grouping],
    heatmap: bool,
    session: &Session,
) -> Result<ZoneShifts, Failure> {
    if clock.zone.is_utc() || !(heatmap || by.iter().any(Grouping::is_time)) {
        return Ok(ZoneShifts::utc());
    }
    let (first, last) = store::time_span(session).await?;
    let instant = |time: Option<PostgresMicros>| time.map_or(clock.now, PostgresMicros::instant);
    Ok(ZoneShifts::of(&clock.zone, instant(first), instant(last)))
}
