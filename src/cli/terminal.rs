//! Everything that depends on whether a person looks on: colour, and what goes to stderr.

use std::io::{IsTerminal, Write};

/// Whether stdout is a terminal: a person reads, not a program.
pub(crate) fn stdout_is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// Whether stderr is a terminal: progress may be drawn.
pub(crate) fn stderr_is_terminal() -> bool {
    std::io::stderr().is_terminal()
}

/// Whether stderr may be coloured: a person looks on, and NO_COLOR is not set.
pub(crate) fn stderr_has_colour() -> bool {
    stderr_is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// A line of status on stderr. Nobody may be there to read it, which is no error.
pub(crate) fn status(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Shows an error and what to do about it.
pub(crate) fn report_error(message: &str, hint: Option<&str>) {
    let (red, cyan, plain) =
        if stderr_has_colour() { ("\x1b[1;31m", "\x1b[36m", "\x1b[0m") } else { ("", "", "") };
    status(&format!("{red}error:{plain} {message}"));
    if let Some(hint) = hint {
        status(&format!("{cyan}hint:{plain} {hint}"));
    }
}
