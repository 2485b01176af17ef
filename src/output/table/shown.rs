//! A cell as it is laid out.

use std::borrow::Cow;

use anstyle::AnsiColor;
use comfy_table::{Attribute, Cell as TableCell, CellAlignment, Color};

use crate::output::column::{Column, Emphasis};
use crate::output::style::Style;
use crate::output::text::cell::{cell_style, cell_text};
use crate::output::text::kind::Kind;
use crate::output::text::moment::ShortTime;
use crate::output::text::palette;
use crate::output::text::width::{clip, display_width, fitting};
use crate::value::Value;

/// A cell as people read it.
pub(super) struct Shown {
    pub(super) text: String,
    pub(super) style: anstyle::Style,
    pub(super) kind: Kind,
}

impl Shown {
    pub(super) fn new(column: &Column, cell: &Value<'_>, emphasis: Emphasis, style: Style) -> Self {
        let text = cell_text(column, cell, style);
        let kind = Kind::of(cell, style);
        let is_cut = matches!(kind, Kind::Text | Kind::Json) && !column.is_whole();
        let text = match style.width {
            // More than the width of the terminal is shown of what must be whole only.
            Some(width) if is_cut => clip(&text, width.into()).into_owned(),
            _ => text.into_owned(),
        };
        Self {
            text,
            style: match cell {
                Value::Timestamp(_) | Value::Null if emphasis == Emphasis::None => palette::DIM,
                _ => cell_style(column, cell, emphasis),
            },
            kind,
        }
    }

    /// Whether it tells nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.kind == Kind::Nothing || self.text.is_empty()
    }

    /// Its text, where times are written in this form.
    pub(super) fn in_form(&self, form: ShortTime) -> Cow<'_, str> {
        if self.kind == Kind::Time { form.of(&self.text) } else { Cow::Borrowed(&self.text) }
    }

    /// The columns that it takes.
    pub(super) fn width(&self, form: ShortTime) -> usize {
        display_width(&self.in_form(form))
    }

    /// The cell of a table, at most so wide.
    pub(super) fn cell(&self, form: ShortTime, width: usize) -> TableCell {
        let text = self.in_form(form);
        let cell = styled(TableCell::new(clip(&text, width)), self.style);
        match self.kind {
            Kind::Number => cell.set_alignment(CellAlignment::Right),
            _ => cell,
        }
    }

    /// Whether a cell of this width shows a part of it only.
    pub(super) fn is_wider(&self, width: usize) -> bool {
        fitting(&self.text, width) < self.text.len()
    }
}

/// A cell in a style of the palette, in comfy-table's own terms.
pub(super) fn styled(cell: TableCell, style: anstyle::Style) -> TableCell {
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
