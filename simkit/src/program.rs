//! What is the same in every service's `main`: where its log goes, and how it ends.

use std::process::ExitCode;

use crate::service::ServiceError;

/// Says on stderr how a service ended, with the chain of errors if it failed: exit code 0 or 1.
pub fn exit_code(ended: Result<String, ServiceError>) -> ExitCode {
    match ended {
        Ok(summary) => {
            eprintln!("{summary}");
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
