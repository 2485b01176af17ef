//! `audit query`: selected events.

use std::io::Write;
use std::pin::pin;

use clap::{Args, ValueEnum};
use futures_util::TryStreamExt;

use crate::cli::settings::ArgumentSettings;
use crate::cli::shared::{
    Context, EventColumns, OutputArgs, Run, SelectorArgs, describe_columns, explain_names,
    explain_selection, tell_what_is_read, whole_number,
};
use crate::cli::ui::{Exit, Failure, Progress, Ui};
use crate::count_text::counted;
use crate::output;
use crate::output::{Column, Emphasis, Format, escape_controls};
use crate::store;
use crate::store::{Cursor, EventColumn, EventQuery, Order, ReadMode, RowOrder, RowScope, Session};
use crate::time::{PostgresMicros, Timestamp, timestamp_text};
use crate::value::Value;

/// Show selected events, newest first
///
/// Shows 50 rows unless --limit says otherwise; when more match, stderr says so and how to go on.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  audit query --type 'Payment*' --since '2h ago'
  audit query --aggregate order-4711 --order oldest
  audit query --dlt --error '*Unavailable*' --since '1h ago' -o json
  audit query --where '$.total_amount.double() > 100' --limit 10 \\
    --columns created_at,event_type,payload
  audit query --type 'Order*,!*Cancelled' --columns aggregate,'$.currency'
  audit query --type OrderCreated --date today --count
  audit query --service order-service --error '*Unavailable*' --explain")]
#[command(mut_arg("columns", describe_columns))]
pub(crate) struct QueryArgs {
    /// How many rows at most
    #[arg(short = 'n', long, value_name = "ROWS", default_value_t = 50, value_parser = whole_number::<i64>(1..))]
    limit: i64,
    /// Order of the rows, by the time the events happened [default: newest, or that of --after]
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

impl Run for QueryArgs {
    fn apply_settings(&mut self, settings: &ArgumentSettings<'_>) {
        settings.tz(&mut self.selectors.tz);
        settings.output(&mut self.output.format.output);
    }

    fn exit_without_reader(&self) -> Option<Exit> {
        Some(Exit::Done)
    }

    async fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let ui = context.ui;
        let row_order = self.row_order()?;
        let selection = self.selectors.selection(ui)?;
        let format = self.output.format.format();
        // The key of the last row shown makes the cursor.
        let needed = [EventColumn::CreatedAt, EventColumn::Id, EventColumn::Mark];
        let needed = if format == Format::Table { &needed[..] } else { &needed[..2] };
        let columns = EventColumns::new(&self.output.columns, format, needed)?;

        let mut session = context.settings.session("audit query").await?;
        let mode = if self.count { ReadMode::All } else { ReadMode::Page };
        let reading = session.read(mode).await?;
        columns.check(&reading).await?;
        let progress = ui.progress();
        let doing = if self.count { "counting" } else { "searching" };
        tell_what_is_read(&progress, doing, &selection, &reading).await?;
        let resolved = store::resolve(&reading, &selection, RowScope::Existing).await?;
        let query = EventQuery {
            selection: &resolved,
            columns: columns.selected(),
            order: row_order,
            // One more row than is shown tells whether more match.
            limit: Some(self.limit.saturating_add(1)),
            dedup: self.dedup,
        };
        if self.explain {
            return self.explain(&reading, &query, &progress, ui).await;
        }
        if self.count {
            let count = self.count(&reading, &query, &progress, ui).await?;
            explain_selection(&reading, &selection, count > 0, ui).await?;
            return Ok(self.output.empty.exit(count == 0));
        }
        if selection.scans() {
            warn_of_a_scan(&reading, ui).await?;
        }
        let page = match self.print(&reading, &query, &columns, &progress, ui).await? {
            Printed::Page(page) => page,
            Printed::Stopped(exit) => return Ok(exit),
        };
        if let (true, Some((created_at, id))) = (page.more, page.last) {
            let (order, snapshot) = match row_order {
                RowOrder::After(cursor) => (cursor.order, cursor.snapshot),
                _ => (
                    self.order.map_or(Order::Newest, Order::from),
                    store::snapshot(&reading).await?,
                ),
            };
            let cursor = Cursor { order, created_at, id, snapshot };
            let shown = counted(page.shown, "row");
            ui.status(&format!("{shown} shown, more match; go on with --after {cursor}"));
        }
        // What was retired comes behind what a limit cut off.
        match page.more && self.order.is_none() {
            true => explain_names(&reading, &selection, true, ui).await?,
            false => explain_selection(&reading, &selection, page.shown > 0, ui).await?,
        }
        reading.finish().await?;
        if page.shown == 0 {
            ui.status("no rows match");
        }
        Ok(self.output.empty.exit(page.shown == 0))
    }
}

/// What became of a page.
enum Printed {
    /// It was written to its end.
    Page(Page),
    /// The person interrupted it, or left the pager.
    Stopped(Exit),
}

/// A page that was written.
struct Page {
    shown: i64,
    /// The time and the id of its last row.
    last: Option<(PostgresMicros, i64)>,
    /// Whether more rows match.
    more: bool,
}

impl QueryArgs {
    /// Writes the rows as they arrive.
    async fn print(
        &self,
        reading: &Session,
        query: &EventQuery<'_>,
        columns: &EventColumns,
        progress: &Progress,
        ui: Ui,
    ) -> Result<Printed, Failure> {
        let format = self.output.format.format();
        let mut output = ui.paged(format);
        let mut renderer = output::renderer(format, self.output.format.style(ui));
        renderer.begin(&columns.shown(), &mut output)?;
        let mut page = Page { shown: 0, last: None, more: false };
        if !query.selection.is_empty() {
            let mut found = pin!(query.stream(reading).await?);
            loop {
                let row = output.attend(found.try_next()).await;
                if page.shown == 0 {
                    progress.clear();
                }
                let row = match row {
                    Ok(row) => row?,
                    Err(exit) => {
                        renderer.end(&mut output)?;
                        output.close()?;
                        let shown = counted(page.shown, "row");
                        ui.status(&format!("stopped after {shown}, more may match"));
                        return Ok(Printed::Stopped(exit));
                    }
                };
                let Some(row) = row else { break };
                if page.shown == self.limit {
                    page.more = true;
                    break;
                }
                renderer.row(&columns.cells(&row)?, columns.emphasis(&row)?, &mut output)?;
                page.last = Some((
                    columns.time(&row, EventColumn::CreatedAt)?,
                    columns.integer(&row, EventColumn::Id)?,
                ));
                page.shown += 1;
            }
        }
        progress.clear();
        renderer.end(&mut output)?;
        output.close()?;
        Ok(Printed::Page(page))
    }

    /// Shows how PostgreSQL finds the rows.
    async fn explain(
        &self,
        reading: &Session,
        query: &EventQuery<'_>,
        progress: &Progress,
        ui: Ui,
    ) -> Result<Exit, Failure> {
        if query.selection.is_empty() {
            ui.status("nothing to search: a selector names what does not exist");
            return Ok(Exit::Done);
        }
        let text = query.explain(reading, self.count).await?;
        progress.clear();
        let mut output = ui.paged(Format::Table);
        for line in text.lines() {
            // Values were typed, or are stored.
            writeln!(output, "{}", escape_controls(line))?;
        }
        output.close()?;
        Ok(Exit::Done)
    }

    /// Writes only how many rows match.
    async fn count(
        &self,
        reading: &Session,
        query: &EventQuery<'_>,
        progress: &Progress,
        ui: Ui,
    ) -> Result<i64, Failure> {
        let count = if query.selection.is_empty() { 0 } else { query.count(reading).await? };
        progress.clear();
        let format = self.output.format.format();
        let mut stdout = ui.stdout();
        if format == Format::Table {
            writeln!(stdout, "{count}")?;
        } else {
            let style = self.output.format.style(ui);
            let rows = [(vec![Value::Integer(count)], Emphasis::None)];
            output::render(format, style, &[Column::new("count")], rows, &mut stdout)?;
        }
        stdout.flush()?;
        Ok(count)
    }
}

/// Says that a predicate on the payload reads all rows, and from when these are.
async fn warn_of_a_scan(reading: &Session, ui: Ui) -> Result<(), Failure> {
    let (oldest, newest) = store::time_span(reading).await?;
    let text = |time: Option<PostgresMicros>| {
        time.map_or_else(|| "-".to_owned(), |time| timestamp_text(Timestamp::without_zone(time)))
    };
    ui.status(&format!(
        "--where alone reads every event, from {} to {}; --type, --since or --aggregate make it \
         quicker",
        text(newest),
        text(oldest)
    ));
    Ok(())
}
