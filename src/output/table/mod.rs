//! Tables, aligned and fitted to the terminal.

mod layout;
mod shown;

#[cfg(test)]
mod tests;

use std::io::{self, Write};

use super::column::{Column, Emphasis};
use super::renderer::Renderer;
use super::style::Style;
use super::text::kind::Kind;
use super::text::palette;
use super::text::width::clip;
use super::text::wrap::{write_below, write_hanging};
use crate::value::Value;
use layout::{GAP, Layout};
use shown::{Shown, padded};

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
        self.header(&layout, &rows, output)?;
        rows.iter().try_for_each(|row| self.shown(&layout, row, output))
    }

    /// Writes the names of the columns.
    fn header(
        &self,
        layout: &Layout,
        rows: &[Vec<Shown>],
        output: &mut dyn Write,
    ) -> io::Result<()> {
        let names =
            layout.inline.iter().zip(&layout.widths).map(|(index, width)| {
                (clip(self.columns[*index].name(), *width).into_owned(), *width)
            });
        let mut names: Vec<(String, usize)> = names.collect();
        let is_beside = |index: &usize| {
            rows.iter().any(|row| !row[*index].is_empty() && layout.has_room(&row[*index]))
        };
        if let Some(index) = layout.beside.filter(is_beside) {
            names.push((clip(self.columns[index].name(), layout.room).into_owned(), 0));
        } else if let ([], [only]) = (&names[..], &layout.below[..]) {
            let width = self.style.width.map_or(usize::MAX, usize::from);
            names.push((clip(self.columns[*only].name(), width).into_owned(), 0));
        }
        let last = names.len().saturating_sub(1);
        let names = names.iter().enumerate().map(|(place, (name, width))| {
            let name = padded(name, *width, false, place == last);
            palette::paint(self.style.color, palette::HEADER, name).to_string()
        });
        let line = names.collect::<Vec<_>>().join(&" ".repeat(GAP));
        if line.is_empty() { Ok(()) } else { writeln!(output, "{line}") }
    }

    /// Writes a row and what explains it: behind it where there is room, else below.
    fn shown(&self, layout: &Layout, row: &[Shown], output: &mut dyn Write) -> io::Result<()> {
        let color = self.style.color;
        let beside = layout.beside.map(|index| &row[index]);
        let beside = beside.filter(|shown| !shown.is_empty() && layout.has_room(shown));
        let last = layout.inline.len().saturating_sub(1);
        let mut line = String::new();
        for (place, (index, width)) in layout.inline.iter().zip(&layout.widths).enumerate() {
            let shown = &row[*index];
            let text = shown.padded(layout.form, *width, place == last && beside.is_none());
            line.push_str(&palette::paint(color, shown.style, text).to_string());
            if place < last || beside.is_some() {
                line.extend(std::iter::repeat_n(' ', GAP));
            }
        }
        if let Some(shown) = beside {
            let text = palette::paint(color, shown.style, shown.in_form(layout.form));
            line.push_str(&text.to_string());
        }
        if !layout.inline.is_empty() {
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
