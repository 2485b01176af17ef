//! Runs what recurses deep on a thread that has the stack for it.

use std::thread;
use std::time::Duration;

/// How long to wait before another thread is asked for.
const PAUSE: Duration = Duration::from_millis(100);

/// What `body` gives on a stack of this size; `None` where it panics. A system that has no thread
/// left is waited for: that is no fault of a schema or of a record.
pub(super) fn on_large_stack<T: Send>(
    name: &str,
    stack_bytes: usize,
    body: impl Fn() -> T + Sync,
) -> Option<T> {
    thread::scope(|scope| {
        loop {
            let builder = thread::Builder::new().name(name.to_owned()).stack_size(stack_bytes);
            match builder.spawn_scoped(scope, &body) {
                Ok(thread) => return thread.join().ok(),
                Err(_) => thread::sleep(PAUSE),
            }
        }
    })
}
