//! Tables, aligned and fitted to the terminal.

mod layout;
mod shown;

#[cfg(test)]
mod tests;

use std::io::{self, Write};

use comfy_table::{Cell as TableCell, ContentArrangement, Table as ComfyTable};

use super::column::{Column, Emphasis};
use super::renderer::Renderer;
use super::style::Style;
use super::text::palette;
use super::text::width::clip;
use super::text::wrap::write_below;
use crate::value::Value;
use layout::{GAP, Layout};
use shown::{Shown, styled};

/// The widths of a table are known when its last row is. So that memory stays bounded, a longer
/// result becomes several tables, each with its header.
const ROWS_A_TABLE: usize = 1_000;

/// Every row is padded to the widest: where a pipe gets whole payloads, a table ends at about this
/// many bytes.
const BYTES_A_TABLE: usize = 16 << 20;

pub(super) struct Table {
    style: Style,
    columns: Vec<Column>,
    rows: Vec<Vec<Shown>>,
    /// The bytes of the longest value among the rows.
    longest: usize,
    tables: usize,
}

impl Table {
    pub(super) fn new(style: Style) -> Self {
        Self { style, columns: Vec::new(), rows: Vec::new(), longest: 0, tables: 0 }
    }

    fn flush(&mut self, output: &mut dyn Write) -> io::Result<()> {
        let layout = Layout::fit(&self.columns, &self.rows, self.style.width.map(usize::from));
        if self.tables > 0 {
            output.write_all(b"\n")?;
        }
        self.tables += 1;
        self.longest = 0;
        if let Some(caption) = &layout.caption {
            writeln!(output, "{}", palette::paint(self.style.color, palette::DIM, caption))?;
        }
        let rows = std::mem::take(&mut self.rows);
        let table = self.aligned(&layout, &rows);
        let mut lines = table.lines();
        for line in lines.by_ref().take(1) {
            let named = layout.beside.filter(|index| {
                rows.iter().any(|row| !row[*index].is_empty() && layout.has_room(&row[*index]))
            });
            match named {
                Some(index) => {
                    let name = self.columns[index].name();
                    let name = palette::paint(self.style.color, palette::HEADER, name);
                    writeln!(output, "{line}{:GAP$}{name}", "")?;
                }
                None => writeln!(output, "{}", line.trim_end())?,
            }
        }
        for (line, row) in lines.zip(&rows) {
            self.explained(&layout, &line, row, output)?;
        }
        Ok(())
    }

    /// The header and the rows, each on one line.
    fn aligned(&self, layout: &Layout, rows: &[Vec<Shown>]) -> ComfyTable {
        let mut table = ComfyTable::new();
        table
            .load_style(comfy_table::presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Disabled);
        if self.style.color {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        let places = || layout.inline.iter().zip(&layout.widths);
        table.set_header(places().map(|(index, width)| {
            styled(TableCell::new(clip(self.columns[*index].name(), *width)), palette::HEADER)
        }));
        for row in rows {
            table.add_row(places().map(|(index, width)| row[*index].cell(layout.form, *width)));
        }
        // Behind the last column nothing stands: blanks there would make a line wider than the
        // terminal.
        let last = layout.inline.len().saturating_sub(1);
        for (index, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, if index == last { 0 } else { GAP as u16 }));
        }
        table
    }

    /// Writes a row and what explains it: behind it where there is room, else below.
    fn explained(
        &self,
        layout: &Layout,
        line: &str,
        row: &[Shown],
        output: &mut dyn Write,
    ) -> io::Result<()> {
        if let Some(shown) = layout.beside.map(|index| &row[index])
            && !shown.is_empty()
            && layout.has_room(shown)
        {
            let text = palette::paint(self.style.color, shown.style, &shown.text);
            return writeln!(output, "{line}{:GAP$}{text}", "");
        }
        writeln!(output, "{}", line.trim_end())?;
        for index in &layout.below {
            let shown = &row[*index];
            if shown.is_empty() {
                continue;
            }
            let text = match layout.beside {
                Some(_) => shown.text.clone(),
                // More than one would be mistaken for each other.
                None => format!("{}: {}", self.columns[*index].name(), shown.text),
            };
            write_below(&text, shown.style, self.style, output)?;
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
