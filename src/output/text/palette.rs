//! The colours: a few of the sixteen that every terminal has, from the darker eight. The lighter
//! ones, yellow above all, can't be read on a light background, and blue not on a dark one.

use std::fmt;

use anstyle::{AnsiColor, Style};

/// Something failed. Red alone is faint on a dark background.
pub const ALARM: Style = AnsiColor::Red.on_default().bold();
/// Something is unusual.
pub const NOTICE: Style = AnsiColor::Yellow.on_default();
/// What to do about an error.
pub const HINT: Style = AnsiColor::Cyan.on_default();
/// Names beside values, and what matters less.
pub const DIM: Style = Style::new().dimmed();
/// The header of a table.
pub const HEADER: Style = Style::new().bold();
/// The part of a bar that is dead letters.
pub const BAR: Style = AnsiColor::Red.on_default();

/// The colours of kinds. Red and yellow are kept for rows that stand out.
const CATEGORIES: [Style; 3] =
    [AnsiColor::Green.on_default(), AnsiColor::Cyan.on_default(), AnsiColor::Magenta.on_default()];

/// The colour of a kind: equal texts have equal colours.
pub fn category(text: &str) -> Style {
    let sum = text.bytes().fold(0usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    CATEGORIES[sum % CATEGORIES.len()]
}

/// The text in a style, where colours are on.
pub fn paint<T: fmt::Display>(is_coloured: bool, style: Style, text: T) -> Painted<T> {
    Painted { style: if is_coloured { style } else { Style::new() }, text }
}

/// A text in a style.
#[derive(Debug, Clone, Copy)]
pub struct Painted<T> {
    style: Style,
    text: T,
}

impl<T: fmt::Display> fmt::Display for Painted<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}{}", self.style.render(), self.text, self.style.render_reset())
    }
}
