//! One line a row, at once: what `tail` shows to people. A column is as wide as the widest value so
//! far.

use std::io::{self, Write};

use super::column::{Column, Emphasis};
use super::renderer::Renderer;
use super::style::Style;
use super::text::cell::{cell_style, cell_text};
use super::text::palette;
use super::text::width::{clip, display_width};
use crate::value::Value;

/// A wider value moves the rest of its own line only.
const WIDEST_COLUMN: usize = 40;

pub(super) struct Lines {
    style: Style,
    columns: Vec<Column>,
    widths: Vec<usize>,
}

impl Lines {
    pub(super) fn new(style: Style) -> Self {
        Self { style, columns: Vec::new(), widths: Vec::new() }
    }
}

impl Renderer for Lines {
    fn begin(&mut self, columns: &[Column], _: &mut dyn Write) -> io::Result<()> {
        self.columns = columns.to_vec();
        self.widths = vec![0; columns.len()];
        Ok(())
    }

    fn expect(&mut self, cells: &[Value<'_>]) {
        for (width, cell) in self.widths.iter_mut().zip(cells) {
            let text = cell_text(cell, self.style.terminal);
            *width = (*width).max(display_width(&text).min(WIDEST_COLUMN));
        }
    }

    fn row(
        &mut self,
        cells: &[Value<'_>],
        emphasis: Emphasis,
        output: &mut dyn Write,
    ) -> io::Result<()> {
        let mut line = String::new();
        let mut left = self.style.width.map_or(usize::MAX, usize::from);
        for (index, (column, cell)) in self.columns.iter().zip(cells).enumerate() {
            let text = cell_text(cell, self.style.terminal);
            // Half an id or a time tells nothing.
            if !matches!(cell, Value::Text(_) | Value::Json(_)) && display_width(&text) > left {
                break;
            }
            let shown = clip(&text, left);
            let width = display_width(&shown);
            self.widths[index] = self.widths[index].max(width.min(WIDEST_COLUMN));
            let style = cell_style(column, cell, emphasis);
            line.push_str(&palette::paint(self.style.color, style, shown).to_string());
            // A column in which nothing ever stood takes no room.
            let gap = match self.widths[index] {
                0 => 0,
                widest => widest.saturating_sub(width) + 2,
            };
            left = left.saturating_sub(width + gap);
            if left == 0 {
                break;
            }
            line.extend(std::iter::repeat_n(' ', gap));
        }
        writeln!(output, "{}", line.trim_end())
    }

    fn end(&mut self, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::output::render::rendered;
    use crate::output::renderer;
    use crate::output::{Column, Emphasis, Format, Style};
    use crate::value::Value;

    #[test]
    fn rows_that_are_known_beforehand_are_aligned_from_the_first_on() {
        let rows = [["a", "", "x"], ["abc", "DLT", "y"]].map(|row| row.map(Value::from));
        let columns = ["one", "mark", "three"].map(Column::new);
        let lines = |expected: &[[Value<'_>; 3]]| {
            let mut output = Vec::new();
            let mut lines = renderer(Format::Lines, Style::default());
            lines.begin(&columns, &mut output).expect("writing to memory");
            expected.iter().for_each(|row| lines.expect(row));
            for row in &rows {
                lines.row(row, Emphasis::None, &mut output).expect("writing to memory");
            }
            String::from_utf8(output).expect("UTF-8")
        };
        assert_eq!(lines(&[]), "a  x\nabc  DLT  y\n");
        assert_eq!(lines(&rows), "a         x\nabc  DLT  y\n");
    }

    #[test]
    fn a_row_is_a_line_as_soon_as_it_is_there() {
        let style = Style { width: Some(100), terminal: true, ..Style::default() };
        let text = rendered(Format::Lines, style);
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        insta::assert_snapshot!(text, @r#"
1  OrderCreated  019aa4c5…4b5a  false  2026-11-22T10:00:00.120000Z  {"amount": "10.50"}
2  Pay\u{1b}[31m\u{202e}, "quoted"\n\u{9b}  019aa4c5…4b5a  true   2026-11-22T10:00:00.120000Z  {"no…
-                                           -              -      -                            0.5
3  =1+1                                     -              -      -                            []
"#);
    }
}
