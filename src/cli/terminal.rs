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
    ColorChoice::Auto.wanted(stderr_is_terminal())
}

/// A line of status on stderr. Nobody may be there to read it, which is no error.
pub(crate) fn status(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Whether a person can be asked: the question goes to stderr, the answer comes from stdin.
pub(crate) fn can_ask() -> bool {
    std::io::stdin().is_terminal() && stderr_is_terminal()
}

/// Asks a question that only `y` or `yes` answers with yes. The end of the input is a no.
pub(crate) async fn ask(question: &str) -> std::io::Result<bool> {
    write!(std::io::stderr(), "{question} [y/N] ")?;
    let read = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer).map(|_| answer)
    });
    let answer = read.await.map_err(std::io::Error::other)??;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// When to colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ColorChoice {
    /// For people on a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl ColorChoice {
    /// Whether to colour what goes to a terminal, or to something else.
    pub(crate) fn wanted(self, is_terminal: bool) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => {
                is_terminal
                    && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
                    && std::env::var_os("TERM").is_none_or(|value| value != "dumb")
            }
        }
    }
}

/// The width of stdout's terminal, in columns; `COLUMNS` overrides it. `None` where stdout is none.
pub(crate) fn width() -> Option<u16> {
    if !stdout_is_terminal() {
        return None;
    }
    let given = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    given.or_else(|| size().map(|(width, _)| width)).filter(|width| *width > 0)
}

/// The height of stdout's terminal, in lines. `None` where stdout is none.
pub(crate) fn height() -> Option<u16> {
    size().map(|(_, height)| height)
}

fn size() -> Option<(u16, u16)> {
    let (width, height) = terminal_size::terminal_size_of(std::io::stdout())?;
    Some((width.0, height.0))
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
