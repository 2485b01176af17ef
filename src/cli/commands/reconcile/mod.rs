//! `audit reconcile`: whether two sides of each story agree.

mod compare;
mod csv_file;
mod rows;
mod side;

use clap::{Args, ValueEnum};

use crate::analysis::Decimal;
use crate::cli::settings::ArgumentSettings;
use crate::cli::shared::{
    Context, EmptyArgs, FormatArgs, Run, SelectorArgs, explain_selection, tell_what_is_read,
    whole_number,
};
use crate::cli::ui::{Exit, Failure};
use crate::filter::Selection;
use crate::store;
use crate::store::{AmountSides, ReadMode, RowScope, StoryBy};
use compare::Comparer;
use csv_file::CsvArgs;
use rows::{shown, write_rows};
use side::Side;

/// Check story by story whether two sides of the books agree
///
/// A side is TYPE:$.path: the events of a type (GLOB or a list, as --type takes it), and where in
/// their payload the amount stands. All amounts of a side are summed, each event once, exactly:
/// numbers, and decimal text. What is no number is counted and said. A side that is not there
/// counts as 0 in the difference, whatever the tolerance. A story without either side is no row.
///
/// A story is all events of one correlation, else of one aggregate. One is chosen when its first
/// event happened within --since, --until and --date, and one of its events matches all other
/// selectors; then all of its events count.
///
/// The other side can be the CSV file of a bank or a shop: --csv bank.csv --csv-key Reference
/// --csv-amount Amount. Exits with 4 where a row or a key of it could not be compared.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  audit reconcile 'OrderConfirmed:$.total_amount' 'PaymentCaptured:$.amount'
  audit reconcile 'OrderCreated:$.total_amount' 'PaymentAuthorized:$.amount' \\
    --since -1d --tolerance 0.01 --all -o csv
  audit reconcile 'OrderCreated:$.total_amount' 'OrderShipped:$.total_amount' \\
    --by aggregate")]
pub(crate) struct ReconcileArgs {
    /// The left side: 'OrderConfirmed:$.total_amount'
    #[arg(value_name = "LEFT")]
    left: Side,
    /// The right side: 'PaymentCaptured:$.amount'
    #[arg(value_name = "RIGHT", required_unless_present = "csv", conflicts_with = "csv")]
    right: Option<Side>,
    /// What makes events one story: all of a correlation, or of an aggregate whatever their
    /// correlation
    #[arg(long, value_name = "KEY", value_enum, default_value_t = By::Correlation)]
    by: By,
    /// How far apart two sides may be and still agree
    #[arg(long, value_name = "AMOUNT", default_value = "0", value_parser = tolerance, allow_hyphen_values = true)]
    tolerance: Decimal,
    /// Show the stories that agree, too
    #[arg(long)]
    all: bool,
    /// Exit with 4 when anything disagrees, or is no number
    #[arg(long)]
    check: bool,
    /// How many rows at most [default: 50 in a table, else all]
    #[arg(short = 'n', long, value_name = "ROWS", value_parser = whole_number::<usize>(1..))]
    limit: Option<usize>,
    #[command(flatten)]
    csv: CsvArgs,
    #[command(flatten)]
    selectors: SelectorArgs,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    empty: EmptyArgs,
}

/// What `--by` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    /// The correlation, else the aggregate
    Correlation,
    /// The aggregate
    Aggregate,
}

fn tolerance(text: &str) -> Result<Decimal, &'static str> {
    Decimal::parse(text)
        .filter(|number| !number.is_negative())
        .ok_or("expected an amount, 0 or more, such as 0.01")
}

impl Run for ReconcileArgs {
    fn apply_settings(&mut self, settings: &ArgumentSettings<'_>) {
        settings.tz(&mut self.selectors.tz);
        settings.output(&mut self.format.output);
    }

    fn exit_without_reader(&self) -> Option<Exit> {
        Some(Exit::Done)
    }

    async fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let ui = context.ui;
        let selection = self.selectors.selection(ui)?;
        let format = self.format.format();
        let style = self.format.style(ui);
        let csv = self.csv.read().await?;
        let mut session = context.settings.session("audit reconcile").await?;
        let reading = session.read(ReadMode::All).await?;
        let progress = ui.progress();
        tell_what_is_read(&progress, "comparing", &selection, &reading).await?;
        let right = match &self.right {
            Some(side) => Some(side.resolve(&reading, "RIGHT").await?),
            None => None,
        };
        let sides = AmountSides {
            left: self.left.resolve(&reading, "LEFT").await?,
            right,
            by: match self.by {
                By::Correlation => StoryBy::Correlation,
                By::Aggregate => StoryBy::Aggregate,
            },
        };
        let resolved = store::resolve(&reading, &selection, RowScope::Existing).await?;
        if let Some(csv) = &csv {
            csv.tell(ui);
        }
        let is_faulty = csv.as_ref().is_some_and(|csv| csv.statement.faulty_rows > 0);
        let mut comparer = Comparer::new(self.tolerance, self.all, &sides);
        if let Some(csv) = csv {
            comparer.state(&reading, csv.statement).await?;
        }
        comparer.compare(&reading, &selection, &resolved).await?;
        let compared = comparer.finish();
        let limit = shown(self.limit, format);
        progress.clear();
        write_rows(&reading, &compared.rows, limit, sides.by, format, style, ui).await?;
        let (left, right) = (&self.left, self.right.as_ref());
        let is_empty = compared.totals.compared() == 0;
        compared.tell(&left.text, right.map(|side| side.text.as_str()), limit, ui);
        for side in [Some((left, &compared.left)), right.zip(Some(&compared.right))] {
            if let Some((side, amounts)) = side
                && amounts.events == 0
            {
                let types = Selection { event_types: side.types.clone(), ..Selection::default() };
                explain_selection(&reading, &types, false, ui).await?;
            }
        }
        explain_selection(&reading, &selection, !is_empty, ui).await?;
        compared.tell_without_story(&reading, &selection, &resolved, &sides, ui).await?;
        reading.finish().await?;
        let disagrees = self.check && (compared.totals.disagree() > 0 || compared.has_no_numbers());
        Ok(if is_faulty || compared.is_ambiguous() || disagrees {
            Exit::Incomplete
        } else {
            self.empty.exit(is_empty)
        })
    }
}
