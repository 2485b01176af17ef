//! Everything that depends on whether a person looks on: colour, and what goes to stderr.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::io::{IsTerminal, Write};

use crate::output::escape_controls;

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

/// A line of status on stderr. Nobody may be there to read it, which is no error. What it quotes of
/// a record, a server or a user can't make the terminal do anything.
pub(crate) fn status(line: &str) {
    let _ = writeln!(std::io::stderr(), "{}", escape_controls(line));
}

/// Whether a terminal would act on some of the text.
pub(crate) fn holds_controls(text: &OsStr) -> bool {
    matches!(escape_controls(&text.to_string_lossy()), Cow::Owned(_))
}

/// Whether a person can be asked: the question goes to stderr, the answer comes from stdin.
pub(crate) fn can_ask() -> bool {
    std::io::stdin().is_terminal() && stderr_is_terminal()
}

/// Asks a question that only `y` or `yes` answers with yes. The end of the input is a no.
pub(crate) async fn ask(question: &str) -> std::io::Result<bool> {
    write!(std::io::stderr(), "{} [y/N] ", escape_controls(question))?;
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

/// Shows an error and what to do about it. A hint may have several lines.
pub(crate) fn report_error(message: &str, hint: Option<&str>, color: ColorChoice) {
    let (red, cyan, plain) = match color.wanted(stderr_is_terminal()) {
        true => ("\x1b[1;31m", "\x1b[36m", "\x1b[0m"),
        false => ("", "", ""),
    };
    let mut text = format!("{red}error:{plain} {}\n", escape_controls(message));
    if let Some(hint) = hint {
        let lines: Vec<_> = hint.split('\n').map(escape_controls).collect();
        text.push_str(&format!("{cyan}hint:{plain} {}\n", lines.join("\n")));
    }
    let _ = std::io::stderr().write_all(text.as_bytes());
}
