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
use super::text::kind::Kind;
use super::text::palette;
use super::text::width::clip;
use super::text::wrap::{write_below, write_hanging};
use crate::value::Value;
use layout::{GAP, Layout};
use shown::{Shown, styled};

/// The widths of a table are known when its last row is. So that memory stays bounded, a longer
/// result becomes several tables, each with its header.
const ROWS_A_TABLE: usize = 1_000;

/// Every row is padded to the widest: where a pipe gets whole payloads, a table ends at about this
/// many bytes.
const BYTES_A_TABLE: usize = 16 << 20;

/// comfy-table counts no further. Nobody sees columns that are so wide: they are not aligned.
const WIDEST_ALIGNED: usize = u16::MAX as usize;

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
        // Of no columns there are no lines.
        let mut lines = self.lines(&layout, &rows).into_iter();
        self.header(&layout, &rows, &lines.next().unwrap_or_default(), output)?;
        rows.iter()
            .try_for_each(|row| self.shown(&layout, row, &lines.next().unwrap_or_default(), output))
    }

    /// The names of the columns that stand beside each other and the rows, each on one line.
    fn lines(&self, layout: &Layout, rows: &[Vec<Shown>]) -> Vec<String> {
        if layout.widths.iter().all(|width| *width <= WIDEST_ALIGNED) {
            return self.aligned(layout, rows).lines().collect();
        }
        let row = |row: &Vec<Shown>| {
            let cells = layout.inline.iter().map(|index| row[*index].in_form(layout.form));
            cells.collect::<Vec<_>>().join("  ")
        };
        let names = layout.inline.iter().map(|index| self.columns[*index].name());
        let names = names.collect::<Vec<_>>().join("  ");
        std::iter::once(names).chain(rows.iter().map(row)).collect()
    }

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
        if layout.inline.is_empty() {
            return table;
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
        let last = layout.inline.len() - 1;
        for (index, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, if index == last { 0 } else { GAP as u16 }));
        }
        table
    }

    /// Writes the names of the columns, `line`, and that of what stands behind rows.
    fn header(
        &self,
        layout: &Layout,
        rows: &[Vec<Shown>],
        line: &str,
        output: &mut dyn Write,
    ) -> io::Result<()> {
        let is_beside = |index: &usize| {
            rows.iter().any(|row| !row[*index].is_empty() && layout.has_room(&row[*index]))
        };
        let width = self.style.width.map_or(usize::MAX, usize::from);
        let more = match (layout.beside.filter(is_beside), &layout.below[..]) {
            (Some(index), _) => Some((index, layout.room)),
            (None, [only]) if layout.inline.is_empty() => Some((*only, width)),
            _ => None,
        };
        let Some((index, room)) = more else {
            return if line.is_empty() { Ok(()) } else { writeln!(output, "{}", line.trim_end()) };
        };
        let name = clip(self.columns[index].name(), room);
        let name = palette::paint(self.style.color, palette::HEADER, name);
        let gap = if line.is_empty() { 0 } else { GAP };
        writeln!(output, "{line}{:gap$}{name}", "")
    }

    /// Writes a row, `line`, and what explains it: behind it where there is room, else below.
    fn shown(
        &self,
        layout: &Layout,
        row: &[Shown],
        line: &str,
        output: &mut dyn Write,
    ) -> io::Result<()> {
        let beside = layout.beside.map(|index| &row[index]);
        let beside = beside.filter(|shown| !shown.is_empty() && layout.has_room(shown));
        if let Some(shown) = beside {
            let text = shown.in_form(layout.form);
            let text = palette::paint(self.style.color, shown.style, text);
            let gap = if line.is_empty() { 0 } else { GAP };
            writeln!(output, "{line}{:gap$}{text}", "")?;
        } else if !layout.inline.is_empty() {
            writeln!(output, "{}", line.trim_end())?;
        }
        for (index, width) in layout.inline.iter().zip(&layout.widths) {
            let (column, shown) = (&self.columns[*index], &row[*index]);
            if column.is_whole() && shown.kind == Kind::Text && shown.is_wider(*width) {
                let text = format!("{}: {}", column.name(), shown.text);
                write_below(&text, shown.style, self.style, output)?;
            }
        }
        if beside.is_none() { self.below(layout, row, output) } else { Ok(()) }
    }

    /// Writes what has no place in a row below it.
    fn below(&self, layout: &Layout, row: &[Shown], output: &mut dyn Write) -> io::Result<()> {
        let mut stands_alone = layout.inline.is_empty();
        for index in &layout.below {
            let (column, shown) = (&self.columns[*index], &row[*index]);
            if shown.is_empty() && !stands_alone {
                continue;
            }
            let text = shown.in_form(layout.form);
            let text = match layout.below.len() {
                1 if column.explains || stands_alone => text.into_owned(),
                // Else one would be mistaken for another.
                _ => format!("{}: {text}", column.name()),
            };
            let write = if stands_alone { write_hanging } else { write_below };
            write(&text, shown.style, self.style, output)?;
            stands_alone = false;
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
