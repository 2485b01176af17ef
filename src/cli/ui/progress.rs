//! Progress on stderr: drawn on a terminal, else hidden.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// How often a spinner moves.
const TICK: Duration = Duration::from_millis(200);

/// A bar up to `total`, in indicatif's template language.
pub(super) fn bar(total: u64, template: &str) -> ProgressBar {
    if !is_drawn() {
        return ProgressBar::hidden();
    }
    with_template(ProgressBar::new(total), template)
}

/// A line that moves and shows a message; `None` where stderr is no terminal.
pub(super) fn spinner() -> Option<ProgressBar> {
    if !is_drawn() {
        return None;
    }
    let spinner = with_template(ProgressBar::new_spinner(), "{spinner} {msg}");
    spinner.enable_steady_tick(TICK);
    Some(spinner)
}

fn is_drawn() -> bool {
    std::io::stderr().is_terminal()
}

fn with_template(bar: ProgressBar, template: &str) -> ProgressBar {
    // A template that can't be read leaves indicatif's own.
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}
