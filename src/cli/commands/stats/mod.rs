//! `audit stats`: how many events, by what, and when.

mod histogram;

use std::io::Write;

use clap::{Args, ValueEnum};

use crate::cli::settings::connection_args::ConnectionArgs;
use crate::cli::shared::output_args::{EmptyArgs, FormatArgs};
use crate::cli::shared::selector_args::SelectorArgs;
use crate::cli::shared::suggestions::suggest;
use crate::cli::ui::failure::{Exit, Failure};
use crate::cli::ui::terminal;
use crate::output::{self, Column, Emphasis, Format};
use crate::store::{self, CountGroup, Grouping, ReadMode, RowScope};
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
  audit stats --by service,type --date today
  audit stats --by error --dlt --since -7d
  audit stats --by hour --type OrderCreated --date yesterday -o csv
  audit stats --duplicates --date today")]
pub(crate) struct StatsArgs {
    /// What to group by, one or several
    #[arg(long, value_name = "A,B", value_delimiter = ',', default_value = "type")]
    by: Vec<GroupingArg>,
    /// How many groups at most
    #[arg(short = 'n', long, value_name = "GROUPS", default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=1_000_000))]
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

#[derive(Debug, Clone, Copy, ValueEnum)]
enum GroupingArg {
    Type,
    Service,
    Dlt,
    Topic,
    Error,
    Aggregate,
    Correlation,
    Minute,
    Hour,
    Day,
}

impl GroupingArg {
    fn grouping(self) -> (&'static str, Grouping) {
        match self {
            Self::Type => ("type", Grouping::Type),
            Self::Service => ("service", Grouping::Service),
            Self::Dlt => ("dlt", Grouping::Dlt),
            Self::Topic => ("topic", Grouping::Topic),
            Self::Error => ("error", Grouping::Error),
            Self::Aggregate => ("aggregate", Grouping::Aggregate),
            Self::Correlation => ("correlation", Grouping::Correlation),
            Self::Minute => ("minute", Grouping::Minute),
            Self::Hour => ("hour", Grouping::Hour),
            Self::Day => ("day", Grouping::Day),
        }
    }
}

/// From this width on a terminal has room for all columns.
const WIDE_TERMINAL: u16 = 120;
const IN_WIDE_TABLES: [&str; 3] = ["per_second", "first", "percent"];

pub(crate) async fn run(args: &StatsArgs, connection: &ConnectionArgs) -> Result<Exit, Failure> {
    let selection = args.selectors.selection()?;
    let format = args.format.format().unwrap_or(Format::Table);
    let style = args.format.style();
    let (names, by): (Vec<_>, Vec<_>) = args.by.iter().map(|by| by.grouping()).unzip();
    let mut session = connection.session("audit stats").await?;
    let reading = session.read(ReadMode::All).await?;
    let resolved = store::resolve(&reading, &selection, RowScope::Existing).await?;
    let total = if resolved.is_empty() {
        None
    } else {
        store::groups(&reading, &resolved, &[], args.duplicates, 1).await?.pop()
    };
    let mut screen = args.format.screen(format);
    let mut groups = match &total {
        None => Vec::new(),
        // One more than is shown tells whether there are more.
        Some(_) => {
            store::groups(&reading, &resolved, &by, args.duplicates, args.limit.saturating_add(1))
                .await?
        }
    };
    let more = groups.len() as i64 > args.limit;
    groups.truncate(usize::try_from(args.limit).unwrap_or(usize::MAX));
    let mut columns: Vec<Column> = names.iter().map(|name| Column::new(*name).category()).collect();
    columns.extend(["events", "percent", "per_second", "dlt", "quarantined"].map(Column::new));
    if args.duplicates {
        columns.push(Column::new("duplicates"));
    }
    columns.extend(["first", "last"].map(Column::new));
    let is_narrow =
        format == Format::Table && style.width.is_some_and(|width| width < WIDE_TERMINAL);
    // Duplicates take the room of the percentages.
    let in_wide_tables = if args.duplicates { &IN_WIDE_TABLES[..] } else { &IN_WIDE_TABLES[..2] };
    let is_shown: Vec<bool> = columns
        .iter()
        .map(|column| !(is_narrow && in_wide_tables.contains(&column.name())))
        .collect();
    let columns = shown(columns, &is_shown);
    let rows = groups.iter().map(|group| {
        (shown(cells(group, total.as_ref().unwrap_or(group)), &is_shown), Emphasis::None)
    });
    // All is read before a pager has the terminal.
    let drawn = match total
        .as_ref()
        .filter(|_| format == Format::Table && (args.histogram || style.terminal))
    {
        Some(total) => {
            let step = step_seconds(total.last.since(total.first));
            Some((store::histogram(&reading, &resolved, step).await?, step))
        }
        None => None,
    };
    output::render(format, style, &columns, rows, &mut screen)?;
    if let Some((buckets, step)) = drawn {
        writeln!(screen)?;
        write_histogram(&buckets, step, style, &mut screen)?;
    }
    screen.close()?;
    if more {
        terminal::status(&format!(
            "{} groups shown, there are more; go on with --limit",
            args.limit
        ));
    }
    if total.is_none() {
        suggest(&reading, &selection).await?;
        terminal::status("no rows match");
    }
    reading.finish().await?;
    Ok(args.empty.exit(total.is_none()))
}

/// Those of the columns, or of the cells of a row, that are shown.
fn shown<T>(all: Vec<T>, is_shown: &[bool]) -> Vec<T> {
    all.into_iter().zip(is_shown).filter_map(|(one, is_shown)| is_shown.then_some(one)).collect()
}

fn cells<'a>(group: &'a CountGroup, total: &CountGroup) -> Vec<Value<'a>> {
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
