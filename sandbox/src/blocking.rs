//! Asynchronous clients, used by blocking functions.

use std::future::Future;

use crate::error::Error;

/// Runs a future to its end on a thread of its own, so that it works inside and outside of an
/// asynchronous test alike.
pub(crate) fn wait<T: Send>(future: impl Future<Output = T> + Send) -> Result<T, Error> {
    let failed =
        |reason: String| Error::Request { action: "run an asynchronous client".into(), reason };
    std::thread::scope(|scope| {
        scope
            .spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .map_err(|error| failed(error.to_string()))?;
                Ok(runtime.block_on(future))
            })
            .join()
            .unwrap_or_else(|_| Err(failed("it panicked".into())))
    })
}
