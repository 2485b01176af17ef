//! `audit query`: selected events.

use std::io::Write;
use std::pin::pin;

use clap::{Args, ValueEnum};
use futures_util::TryStreamExt;

use crate::cli::settings::connection_args::ConnectionArgs;
use crate::cli::shared::event_columns::{self, EventColumns, default_columns};
use crate::cli::shared::output_args::OutputArgs;
use crate::cli::shared::selector_args::SelectorArgs;
use crate::cli::shared::suggestions::suggest;
use crate::cli::ui::failure::{Exit, Failure};
use crate::cli::ui::terminal;
use crate::output::{self, Column, Emphasis, Format, escape_controls};
use crate::store::{
    self, Cursor, EventColumn, EventQuery, Order, ReadMode, RowOrder, RowScope, Session,
};
use crate::time::{PostgresMicros, Timestamp, timestamp_text};
use crate::value::Value;

/// Show selected events, newest first
///
/// Shows 50 rows unless --limit says otherwise; when more match, stderr says so and how to go on.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  audit query --type 'Payment*' --since '2h ago'
  audit query --aggregate 4f2a91c3-0c1d-4c51-9d0e-52a1f5a0b7de --order oldest
  audit query --dlt --error '*Timeout*' --date today -o json
  audit query --where '$.total_amount > 100' --limit 10 --columns created_at,event_type,payload
  audit query --type OrderCreated --date yesterday --count
  audit query --service order-service --error '*Timeout*' --explain")]
pub(crate) struct QueryArgs {
    /// How many rows at most
    #[arg(short = 'n', long, value_name = "ROWS", default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..))]
    limit: i64,
    /// By the time the events happened
    #[arg(long, value_name = "ORDER", value_enum)]
    order: Option<OrderArg>,
    /// Go on behind the last row of another call: the cursor that it printed
    #[arg(long, value_name = "CURSOR")]
    after: Option<Cursor>,
    /// Only say how many rows match
    #[arg(long, conflicts_with_all = ["after", "order", "columns"])]
    count: bool,
    /// Of several deliveries of an event, only the one that committed first
    #[arg(long)]
    dedup: bool,
    /// Instead of the rows, show how PostgreSQL finds them: the statement, and its plan with the
    /// times that it took
    #[arg(long)]
    explain: bool,
    #[command(flatten)]
    pub(crate) selectors: SelectorArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum OrderArg {
    /// Newest first
    Newest,
    /// Oldest first
    Oldest,
}

impl From<OrderArg> for Order {
    fn from(order: OrderArg) -> Self {
        match order {
            OrderArg::Newest => Self::Newest,
            OrderArg::Oldest => Self::Oldest,
        }
    }
}

impl QueryArgs {
    fn row_order(&self) -> Result<RowOrder, Failure> {
        let asked = self.order.map(Order::from);
        match self.after {
            None => Ok(RowOrder::CreatedAt(asked.unwrap_or(Order::Newest))),
            Some(cursor) if asked.is_none_or(|order| order == cursor.order) => {
                Ok(RowOrder::After(cursor))
            }
            Some(_) => Err(Failure::usage("the cursor of --after belongs to the other --order")),
        }
    }
}

pub(crate) async fn run(args: &QueryArgs, connection: &ConnectionArgs) -> Result<Exit, Failure> {
    let row_order = args.row_order()?;
    let selection = args.selectors.selection()?;
    let format = args.output.format().unwrap_or(Format::Table);
    let style = args.output.style();
    // The key of the last row shown makes the cursor.
    let needed = [EventColumn::CreatedAt, EventColumn::Id, EventColumn::Mark];
    let needed = if format == Format::Table { &needed[..] } else { &needed[..2] };
    let columns =
        EventColumns::new(args.output.columns.as_deref(), &default_columns(format, style), needed)?;

    let mut session = connection.session("audit query").await?;
    let reading = session.read(if args.count { ReadMode::All } else { ReadMode::Page }).await?;
    let resolved = store::resolve(&reading, &selection, RowScope::Existing).await?;
    let query = EventQuery {
        selection: &resolved,
        columns: columns.selected(),
        order: row_order,
        // One more row than is shown tells whether more match.
        limit: Some(args.limit.saturating_add(1)),
        dedup: args.dedup,
    };
    if args.explain {
        return explain(args, &reading, &query).await;
    }
    if args.count {
        return count(args, &reading, &query, format).await;
    }

    if selection.scans() {
        let (oldest, newest) = store::time_span(&reading).await?;
        let text = |time: Option<PostgresMicros>| {
            time.map_or_else(
                || "-".to_owned(),
                |time| timestamp_text(Timestamp::without_zone(time)),
            )
        };
        terminal::status(&format!(
            "--where alone reads the events one after the other, from {} to {}; --type, --since or --aggregate make it quicker",
            text(newest),
            text(oldest)
        ));
    }

    let mut screen = args.output.screen(format);
    let mut renderer = output::renderer(format, style);
    renderer.begin(&columns.shown(), &mut screen)?;
    let mut shown = 0;
    let mut last = None;
    let mut more = false;
    if !resolved.is_empty() {
        let mut rows = pin!(query.stream(&reading).await?);
        loop {
            let row = match screen.attend(rows.try_next()).await {
                Ok(row) => row?,
                Err(exit) => {
                    renderer.end(&mut screen)?;
                    screen.close()?;
                    terminal::status(&format!(
                        "stopped after {}, more may match",
                        event_columns::rows(shown)
                    ));
                    return Ok(exit);
                }
            };
            let Some(row) = row else { break };
            if shown == args.limit {
                more = true;
                break;
            }
            renderer.row(&columns.cells(&row)?, columns.emphasis(&row)?, &mut screen)?;
            last = Some((
                columns.time(&row, EventColumn::CreatedAt)?,
                columns.integer(&row, EventColumn::Id)?,
            ));
            shown += 1;
        }
    }
    renderer.end(&mut screen)?;
    screen.close()?;
    if let (true, Some((created_at, id))) = (more, last) {
        let (order, snapshot) = match row_order {
            RowOrder::After(cursor) => (cursor.order, cursor.snapshot),
            _ => (args.order.map_or(Order::Newest, Order::from), store::snapshot(&reading).await?),
        };
        let cursor = Cursor { order, created_at, id, snapshot };
        terminal::status(&format!(
            "{} shown, more match; go on with --after {cursor}",
            event_columns::rows(shown)
        ));
    }
    if shown == 0 {
        suggest(&reading, &selection).await?;
    }
    reading.finish().await?;
    if shown == 0 {
        terminal::status("no rows match");
    }
    Ok(args.output.exit(shown == 0))
}

async fn explain(
    args: &QueryArgs,
    session: &Session,
    query: &EventQuery<'_>,
) -> Result<Exit, Failure> {
    if query.selection.is_empty() {
        terminal::status("nothing to search: a selector names what does not exist");
        return Ok(Exit::Done);
    }
    let text = query.explain(session, args.count).await?;
    let mut screen = args.output.screen(Format::Table);
    for line in text.lines() {
        // Values were typed, or are stored.
        writeln!(screen, "{}", escape_controls(line))?;
    }
    screen.close()?;
    Ok(Exit::Done)
}

async fn count(
    args: &QueryArgs,
    session: &Session,
    query: &EventQuery<'_>,
    format: Format,
) -> Result<Exit, Failure> {
    let count = if query.selection.is_empty() { 0 } else { query.count(session).await? };
    let mut stdout = std::io::stdout();
    if format == Format::Table {
        writeln!(stdout, "{count}")?;
    } else {
        let rows = [(vec![Value::Integer(count)], Emphasis::None)];
        output::render(format, args.output.style(), &[Column::new("count")], rows, &mut stdout)?;
    }
    Ok(args.output.exit(count == 0))
}
