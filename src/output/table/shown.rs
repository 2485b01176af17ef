//! A cell as it is laid out.

use std::borrow::Cow;

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

    /// The cell of a table, exactly so wide; the last one of a line has nothing behind it.
    pub(super) fn padded(&self, form: ShortTime, width: usize, is_last: bool) -> String {
        let text = self.in_form(form);
        padded(&clip(&text, width), width, self.kind == Kind::Number, is_last)
    }

    /// Whether a cell of this width shows a part of it only.
    pub(super) fn is_wider(&self, width: usize) -> bool {
        fitting(&self.text, width) < self.text.len()
    }
}

/// A text among blanks, so that it takes `width` columns.
pub(super) fn padded(text: &str, width: usize, is_right: bool, is_last: bool) -> String {
    // Not as a width of `format!`, which goes to 65535 only: a file gets whole payloads.
    let blanks = || " ".repeat(width.saturating_sub(display_width(text)));
    match (is_right, is_last) {
        (true, _) => blanks() + text,
        (false, false) => text.to_owned() + &blanks(),
        (false, true) => text.to_owned(),
    }
}
