//! Tables, aligned and fitted to the terminal.

use std::io::{self, Write};

use anstyle::AnsiColor;
use comfy_table::{
    Attribute, Cell as TableCell, CellAlignment, Color, ContentArrangement, Table as ComfyTable,
};

use super::column::{Column, Emphasis};
use super::renderer::Renderer;
use super::style::Style;
use super::text::cell::{cell_style, cell_text};
use super::text::palette;
use super::text::width::{clip, display_width};
use crate::value::Value;

/// The widths of a table are known when its last row is. So that memory stays bounded, a longer
/// result becomes several tables, each with its header.
const ROWS_A_TABLE: usize = 1_000;

/// Every row is padded to the widest: where a pipe gets whole payloads, a table ends at about this
/// many bytes.
const BYTES_A_TABLE: usize = 16 << 20;

/// Between two columns.
const GAP: usize = 2;

/// A column of text is never narrower.
const NARROWEST: usize = 4;

pub(super) struct Table {
    style: Style,
    columns: Vec<Column>,
    rows: Vec<Vec<Shown>>,
    /// The bytes of the longest value among the rows.
    longest: usize,
    tables: usize,
}

/// A cell as it is laid out.
struct Shown {
    text: String,
    style: anstyle::Style,
    right: bool,
    /// Whether a part of the value still tells something: text does, half an id or time does not.
    can_be_clipped: bool,
    is_nothing: bool,
}

impl Shown {
    fn new(column: &Column, cell: &Value<'_>, emphasis: Emphasis, style: Style) -> Self {
        let text = cell_text(cell, style.terminal);
        // More than the width of the terminal is never shown.
        let text = style.width.map_or_else(
            || text.clone().into_owned(),
            |width| clip(&text, width.into()).into_owned(),
        );
        Self {
            text,
            style: match cell {
                Value::Timestamp(_) | Value::Null if emphasis == Emphasis::None => palette::DIM,
                _ => cell_style(column, cell, emphasis),
            },
            right: matches!(cell, Value::Integer(_) | Value::Float(_)),
            can_be_clipped: matches!(cell, Value::Text(_) | Value::Json(_)),
            is_nothing: matches!(cell, Value::Null),
        }
    }

    fn into_cell(self, width: usize) -> TableCell {
        let cell = styled(TableCell::new(clip(&self.text, width)), self.style);
        if self.right { cell.set_alignment(CellAlignment::Right) } else { cell }
    }
}

/// A cell in a style of the palette, in comfy-table's own terms.
fn styled(cell: TableCell, style: anstyle::Style) -> TableCell {
    let effects = style.get_effects();
    let mut cell = cell;
    if effects.contains(anstyle::Effects::BOLD) {
        cell = cell.add_attribute(Attribute::Bold);
    }
    if effects.contains(anstyle::Effects::DIMMED) {
        cell = cell.add_attribute(Attribute::Dim);
    }
    let color = match style.get_fg_color() {
        Some(anstyle::Color::Ansi(AnsiColor::Red)) => Color::DarkRed,
        Some(anstyle::Color::Ansi(AnsiColor::Yellow)) => Color::DarkYellow,
        Some(anstyle::Color::Ansi(AnsiColor::Green)) => Color::DarkGreen,
        Some(anstyle::Color::Ansi(AnsiColor::Cyan)) => Color::DarkCyan,
        Some(anstyle::Color::Ansi(AnsiColor::Magenta)) => Color::DarkMagenta,
        _ => return cell,
    };
    cell.fg(color)
}

impl Table {
    pub(super) fn new(style: Style) -> Self {
        Self { style, columns: Vec::new(), rows: Vec::new(), longest: 0, tables: 0 }
    }

    /// How wide each column becomes: as its widest value, or less so that the table fits.
    fn widths(&self) -> Vec<usize> {
        let mut widths: Vec<_> =
            self.columns.iter().map(|column| display_width(column.name())).collect();
        let mut least = widths.clone();
        let (mut can_be_clipped, mut is_empty) =
            (vec![false; widths.len()], vec![true; widths.len()]);
        for row in &self.rows {
            for (index, shown) in row.iter().enumerate() {
                widths[index] = widths[index].max(display_width(&shown.text));
                can_be_clipped[index] |= shown.can_be_clipped;
                is_empty[index] &= shown.is_nothing;
            }
        }
        for (can_be_clipped, is_empty) in can_be_clipped.iter_mut().zip(is_empty) {
            *can_be_clipped |= is_empty;
        }
        let Some(limit) = self.style.width.map(usize::from) else { return widths };
        // One column at a time gives way, the widest that can. The names are cut where that isn't
        // enough; where that isn't either, the table is wider than the terminal rather than cut.
        let total =
            |widths: &[usize]| widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
        while let Some(excess) = total(&widths).checked_sub(limit).filter(|excess| *excess > 0) {
            let candidates = || {
                (0..widths.len())
                    .filter(|index| can_be_clipped[*index] && widths[*index] > least[*index])
            };
            let Some(widest) = candidates().max_by_key(|index| widths[*index]) else {
                if least.iter().all(|width| *width <= NARROWEST) {
                    break;
                }
                least.iter_mut().for_each(|width| *width = (*width).min(NARROWEST));
                continue;
            };
            // Down to the next widest, so that several wide columns share what there is.
            let next = candidates()
                .filter(|index| *index != widest)
                .map(|index| widths[index])
                .max()
                .unwrap_or(0);
            let step = (widths[widest] - next.min(widths[widest] - 1)).min(excess);
            widths[widest] = (widths[widest] - step).max(least[widest]);
        }
        widths
    }

    fn flush(&mut self, output: &mut dyn Write) -> io::Result<()> {
        let widths = self.widths();
        let mut table = ComfyTable::new();
        table
            .load_style(comfy_table::presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Disabled);
        if self.style.color {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        let header = self.columns.iter().zip(&widths).map(|(column, width)| {
            styled(TableCell::new(clip(column.name(), *width)), palette::HEADER)
        });
        table.set_header(header.collect::<Vec<_>>());
        for row in self.rows.drain(..) {
            table.add_row(
                row.into_iter().zip(&widths).map(|(shown, width)| shown.into_cell(*width)),
            );
        }
        // Behind the last column nothing stands: blanks there would make a line wider than the
        // terminal.
        let last = widths.len().saturating_sub(1);
        for (index, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, if index == last { 0 } else { GAP as u16 }));
        }
        if self.tables > 0 {
            output.write_all(b"\n")?;
        }
        self.tables += 1;
        self.longest = 0;
        for line in table.lines() {
            writeln!(output, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

impl Renderer for Table {
    fn begin(&mut self, columns: &[Column], _: &mut dyn Write) -> io::Result<()> {
        self.columns = columns.to_vec();
        Ok(())
    }

    fn row(
        &mut self,
        cells: &[Value<'_>],
        emphasis: Emphasis,
        output: &mut dyn Write,
    ) -> io::Result<()> {
        let cells = self.columns.iter().zip(cells);
        let row: Vec<_> =
            cells.map(|(column, cell)| Shown::new(column, cell, emphasis, self.style)).collect();
        self.longest = row.iter().map(|shown| shown.text.len()).fold(self.longest, usize::max);
        self.rows.push(row);
        let is_large = self.rows.len() * self.longest > BYTES_A_TABLE;
        if is_large || self.rows.len() == ROWS_A_TABLE { self.flush(output) } else { Ok(()) }
    }

    fn end(&mut self, output: &mut dyn Write) -> io::Result<()> {
        // Without a row there is no table: the command says that nothing matched.
        if self.rows.is_empty() { Ok(()) } else { self.flush(output) }
    }
}

#[cfg(test)]
mod tests {
    use crate::output::render::rendered;
    use crate::output::{Format, Style};

    #[test]
    fn a_table_for_a_file_is_complete() {
        insta::assert_snapshot!(rendered(Format::Table, Style::default()), @r#"
id  event_type                               event_id                              is_dlt  created_at                   payload
 1  OrderCreated                             019aa4c5-7d1e-7c3a-9b0e-3f6f1d2c4b5a  false   2026-11-22T10:00:00.120000Z  {"amount": "10.50"}
 2  Pay\u{1b}[31m\u{202e}, "quoted"\n\u{9b}  019aa4c5-7d1e-7c3a-9b0e-3f6f1d2c4b5a  true    2026-11-22T10:00:00.120000Z  {"note": "a,b\u001b"}
-                                            -                                     -       -                                              0.5
 3  =1+1                                     -                                     -       -                            []
"#);
    }

    #[test]
    fn a_table_fits_the_terminal_and_shortens_ids() {
        let style = Style { width: Some(80), terminal: true, ..Style::default() };
        let text = rendered(Format::Table, style);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        insta::assert_snapshot!(text, @r#"
id  event_type   event_id       is_dlt  created_at                   payload
 1  OrderCreat…  019aa4c5…4b5a  false   2026-11-22T10:00:00.120000Z  {"amount":…
 2  Pay\u{1b}[…  019aa4c5…4b5a  true    2026-11-22T10:00:00.120000Z  {"note": "…
-                -              -       -                                    0.5
 3  =1+1         -              -       -                            []
"#);
    }

    #[test]
    fn a_name_is_cut_where_the_terminal_is_too_narrow_for_the_names() {
        let style = Style { width: Some(74), terminal: true, ..Style::default() };
        let text = rendered(Format::Table, style);
        assert!(text.lines().all(|line| line.chars().count() <= 74), "{text}");
        assert!(text.starts_with("id  event_ty…  event_id "), "{text}");
    }

    #[test]
    fn nothing_of_a_payload_reaches_the_terminal_as_a_control() {
        let style = Style { width: Some(200), terminal: true, color: false, ..Style::default() };
        assert!(!rendered(Format::Table, style).contains(['\x1b', '\u{9b}', '\u{202e}']));
    }
}
