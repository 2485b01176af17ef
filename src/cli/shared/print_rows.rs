//! Writes rows that are in memory: every column by its name, a few of them in tables unless others
//! are asked for.

use super::args::list_item::ListItems;
use super::args::output_args::OutputArgs;
use super::unknown_name::unknown_column;
use crate::cli::ui::{Exit, Failure, Ui};
use crate::output;
use crate::output::{Column, Emphasis, Format};
use crate::value::Value;

/// Writes rows in the format and with the columns that were asked for. `in_tables` names the
/// columns of tables where no others are asked for; `empty` goes to stderr where there is no
/// row.
pub(crate) fn print_rows(
    columns: &[Column],
    in_tables: &[&str],
    rows: Vec<(Vec<Value<'_>>, Emphasis)>,
    empty: &str,
    args: &OutputArgs,
    ui: Ui,
) -> Result<Exit, Failure> {
    let format = args.format.format();
    let shown = ShownColumns::new(columns, in_tables, args)?;
    let is_empty = rows.is_empty();
    let rows = rows.into_iter().map(|(cells, emphasis)| (shown.cells(&cells), emphasis));
    output::render(format, args.format.style(ui), &shown.columns, rows, &mut ui.stdout())?;
    if is_empty {
        ui.status(empty);
    }
    Ok(args.empty.exit(is_empty))
}

/// The columns that were asked for, else those of the format.
pub(crate) struct ShownColumns {
    positions: Vec<usize>,
    /// The columns in their order.
    pub(crate) columns: Vec<Column>,
}

impl ShownColumns {
    /// Those of `columns`; `in_tables` names the columns of tables where no others are asked for.
    pub(crate) fn new(
        columns: &[Column],
        in_tables: &[&str],
        args: &OutputArgs,
    ) -> Result<Self, Failure> {
        let positions: Vec<usize> = match &args.columns {
            names if !names.is_empty() => {
                let names = names.iter().flat_map(ListItems::items);
                names.map(|name| position(columns, name)).collect::<Result<_, _>>()?
            }
            _ if args.format.format() == Format::Table => {
                in_tables.iter().map(|name| position(columns, name)).collect::<Result<_, _>>()?
            }
            _ => (0..columns.len()).collect(),
        };
        let shown = positions.iter().map(|position| columns[*position].clone());
        // What was asked for by name is never left out.
        let rank_matters = args.columns.is_empty();
        let columns =
            shown.map(|column| if rank_matters { column } else { column.optional(0) }).collect();
        Ok(Self { positions, columns })
    }

    /// Of a row with all columns the cells that are shown.
    pub(crate) fn cells<'a>(&self, cells: &[Value<'a>]) -> Vec<Value<'a>> {
        self.positions.iter().map(|position| cells[*position].clone()).collect()
    }
}

fn position(columns: &[Column], name: &str) -> Result<usize, Failure> {
    columns.iter().position(|column| column.name() == name).ok_or_else(|| {
        let names: Vec<_> = columns.iter().map(Column::name).collect();
        unknown_column(name, &names, "")
    })
}
