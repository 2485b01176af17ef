//! How much room a line has.

use std::io::IsTerminal;

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
