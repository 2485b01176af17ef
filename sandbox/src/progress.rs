//! What the sandbox says on stderr while it fetches and starts things.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// Where progress goes: spinners on a terminal, plain lines otherwise.
#[derive(Clone, Debug)]
pub struct Progress {
    spinners: Option<MultiProgress>,
}

impl Progress {
    /// Plain lines: for tests, and for logs.
    pub fn lines() -> Progress {
        Progress { spinners: None }
    }

    /// Spinners when stderr is a terminal, plain lines otherwise.
    pub fn for_stderr() -> Progress {
        Progress { spinners: std::io::stderr().is_terminal().then(MultiProgress::new) }
    }

    /// Says one thing that is so.
    pub fn say(&self, message: &str) {
        match &self.spinners {
            // Printing above the spinners fails only when stderr has gone: there is nobody to tell
            // then.
            Some(spinners) => _ = spinners.println(message),
            None => eprintln!("sandbox: {message}"),
        }
    }

    /// Says what begins now and takes a moment. On a terminal, that line turns until the step is
    /// dropped.
    pub(crate) fn begin(&self, message: &str) -> Step {
        let spinner = self.spinners.as_ref().map(|spinners| {
            let spinner = spinners.add(ProgressBar::new_spinner());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
                spinner.set_style(style);
            }
            spinner.set_message(message.to_string());
            spinner.enable_steady_tick(Duration::from_millis(100));
            spinner
        });
        if spinner.is_none() {
            self.say(message);
        }
        Step { spinner }
    }
}

/// Something that takes a moment. Dropping it takes its line off the terminal.
#[derive(Debug)]
pub(crate) struct Step {
    spinner: Option<ProgressBar>,
}

impl Drop for Step {
    fn drop(&mut self) {
        if let Some(spinner) = &self.spinner {
            spinner.finish_and_clear();
        }
    }
}
