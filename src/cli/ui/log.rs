//! The log on stderr, for the commands that run for long.

use std::io::{self, Write};

use clap::ValueEnum;
use indicatif::ProgressBar;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// One line of text for each.
    Text,
    /// One JSON object for each.
    Json,
}

/// Starts logging to stderr, above the progress line where there is one. AUDIT_LOG (or RUST_LOG)
/// says what is logged, in the notation of `tracing`; the default is `info`.
pub(super) fn start(format: LogFormat, is_coloured: bool, progress: Option<ProgressBar>) {
    let filter = EnvFilter::try_from_env("AUDIT_LOG")
        .or_else(|_| EnvFilter::try_from_default_env())
        .unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        .with_ansi(is_coloured)
        .with_writer(AboveProgress(progress));
    // It fails only where a log was started before, which then goes on.
    let _ = match format {
        LogFormat::Text => builder.compact().try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
}

/// Writes whole lines to stderr without tearing the progress line.
struct AboveProgress(Option<ProgressBar>);

impl<'a> MakeWriter<'a> for AboveProgress {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line(self.0.as_ref())
    }
}

struct Line<'a>(Option<&'a ProgressBar>);

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        // tracing writes a whole line at once.
        match self.0 {
            Some(bar) => bar.suspend(|| io::stderr().write_all(line))?,
            None => io::stderr().write_all(line)?,
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
