//! What must not leave half a file when somebody ends it.

use crate::cli::ui::{Exit, Failure, interruption};

/// What a file needs to be whole.
pub(super) async fn uninterrupted<T>(
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let interruption = interruption()?;
    tokio::select! {
        done = work => done,
        // Ending here removes the unfinished files.
        () = interruption => Err(Failure::new("interrupted before the export was whole")
            .with_exit(Exit::Interrupted)),
    }
}
