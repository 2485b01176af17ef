//! The threads that speak with the store.

use std::future::Future;
use std::sync::{Arc, OnceLock};

use delta_kernel_default_engine::executor::TaskExecutor;
use delta_kernel_default_engine::executor::tokio::TokioMultiThreadExecutor;
use tokio::runtime::{Builder, Handle, Runtime};

use super::Error;

/// Requests wait for the network or the disk, so few threads serve many of them.
const THREADS: usize = 2;

// One set of threads for the whole process, and never shut down: a runtime that is dropped within
// another one panics, and a table may be dropped anywhere.
static RUNTIME: OnceLock<Runtime> = OnceLock::new();

/// What runs requests to the store, for this module and the library.
pub(super) fn executor() -> Result<Arc<TokioMultiThreadExecutor>, Error> {
    let runtime = match RUNTIME.get() {
        Some(runtime) => runtime,
        None => {
            let started = Builder::new_multi_thread()
                .worker_threads(THREADS)
                .thread_name("lake")
                .enable_all()
                .build()
                .map_err(Error::Threads)?;
            RUNTIME.get_or_init(|| started)
        }
    };
    Ok(Arc::new(TokioMultiThreadExecutor::new(runtime.handle().clone())))
}

/// The runtime of `executor`.
pub(super) fn handle(executor: &TokioMultiThreadExecutor) -> Handle {
    let _guard = executor.enter();
    Handle::current()
}

/// Waits for `work`, which runs on those threads.
pub(super) fn wait<F>(executor: &TokioMultiThreadExecutor, work: F) -> F::Output
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    executor.block_on(work)
}
