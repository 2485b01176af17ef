//! The log on stderr, for the commands that run for long.

use std::io::{self, Write};

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

use super::progress;

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// One line of text for each.
    Text,
    /// One JSON object for each.
    Json,
}

/// Starts logging to stderr, above the progress where there is some. AUDIT_LOG (or RUST_LOG)
/// says what is logged, in the notation of `tracing`; the default is `info`.
pub(super) fn start(format: LogFormat, is_coloured: bool) {
    let filter = EnvFilter::try_from_env("AUDIT_LOG")
        .or_else(|_| EnvFilter::try_from_default_env())
        .unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        .with_ansi(is_coloured)
        .with_writer(|| AboveProgress);
    // It fails only where a log was started before, which then goes on.
    let _ = match format {
        LogFormat::Text => builder.compact().try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
}

/// Writes whole lines to stderr without tearing the progress.
struct AboveProgress;

impl Write for AboveProgress {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        // tracing writes a whole line at once.
        progress::above(|| io::stderr().write_all(line))?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
