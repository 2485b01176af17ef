//! librdkafka's requests block, and a task must not.

use super::Error;

/// Runs a request where it holds up no task.
///
/// # Errors
/// Those of the request, or `Error::CutOff`.
pub async fn blocking<T: Send + 'static>(
    request: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(request).await {
        Ok(outcome) => outcome,
        Err(error) => Err(Error::CutOff(error.to_string())),
    }
}
