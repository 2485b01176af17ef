//! How much room a line has.

use std::io::IsTerminal;

/// The classes of terminals that tables are laid out for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum WidthClass {
    /// Fewer than 100 columns, such as the usual 80.
    Narrow,
    /// From 100 columns on.
    Medium,
    /// From 120 columns on.
    Wide,
    /// From 160 columns on, or without a limit, as in a pipe.
    Widest,
}

impl WidthClass {
    /// The class of a terminal with this many columns; `None` is no terminal.
    pub(super) fn of(columns: Option<u16>) -> Self {
        match columns {
            Some(0..100) => Self::Narrow,
            Some(100..120) => Self::Medium,
            Some(120..160) => Self::Wide,
            Some(160..) | None => Self::Widest,
        }
    }
}

/// The columns of stdout's terminal; `COLUMNS` overrides them. `None` where it is no terminal.
pub(super) fn columns() -> Option<u16> {
    if !std::io::stdout().is_terminal() {
        return None;
    }
    let given = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    given.or_else(|| size().map(|(columns, _)| columns)).filter(|columns| *columns > 0)
}

/// The lines of stdout's terminal. `None` where it is no terminal.
pub(super) fn lines() -> Option<u16> {
    size().map(|(_, lines)| lines)
}

/// The columns of stderr's terminal; 80 where it does not tell.
pub(super) fn columns_of_stderr() -> usize {
    let size = terminal_size::terminal_size_of(std::io::stderr());
    size.map_or(80, |(columns, _)| columns.0.into())
}

fn size() -> Option<(u16, u16)> {
    let (columns, lines) = terminal_size::terminal_size_of(std::io::stdout())?;
    Some((columns.0, lines.0))
}

#[cfg(test)]
mod tests {
    use super::WidthClass;

    #[test]
    fn a_pipe_has_no_limit_and_eighty_columns_are_narrow() {
        let classes = [Some(80), Some(100), Some(120), Some(200), None].map(WidthClass::of);
        let expected = [
            WidthClass::Narrow,
            WidthClass::Medium,
            WidthClass::Wide,
            WidthClass::Widest,
            WidthClass::Widest,
        ];
        assert_eq!(classes, expected);
    }
}
