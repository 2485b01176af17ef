//! What is the same in every service's `main`: where its log goes, and how it ends.

use std::process::ExitCode;

use crate::service::ServiceError;

/// How a service ended that could do its work.
pub struct Ended {
    /// What it did.
    pub summary: String,
    /// Whether a signal came before what was asked for was done.
    pub is_interrupted: bool,
}

/// Exit code of what was interrupted before it was done.
const INTERRUPTED: u8 = 130;

/// Says on stderr how a service ended, with the chain of errors if it failed: exit code 0, 1, or
/// 130 where it was interrupted before it was done.
pub fn exit_code(ended: Result<Ended, ServiceError>) -> ExitCode {
    match ended {
        Ok(Ended { summary, is_interrupted }) => {
            eprintln!("{summary}");
            if is_interrupted {
                eprintln!("interrupted before it was done");
                return ExitCode::from(INTERRUPTED);
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            let mut message = format!("error: {error}");
            let mut source = std::error::Error::source(&error);
            while let Some(cause) = source {
                message.push_str(&format!("\n  because: {cause}"));
                source = cause.source();
            }
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// Logs go to stderr; `RUST_LOG` chooses them.
pub fn log_to_stderr() {
    use std::io::IsTerminal;
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("warn,librdkafka=error"));
    let ansi = std::io::stderr().is_terminal();
    tracing_subscriber::fmt()
        .compact()
        .with_ansi(ansi)
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
}
