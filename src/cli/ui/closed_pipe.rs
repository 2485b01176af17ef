//! Notices that the reader of stdout went away while a search takes its time.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;
use std::time::Duration;

use tokio::io::Interest;
use tokio::net::unix::pipe::Sender;

/// A command that is about to end by itself does so with its own words and exit code.
const GRACE: Duration = Duration::from_secs(1);

/// Ends a moment after the reader of stdout went away. Where stdout is no pipe it never ends.
pub(crate) async fn closed_pipe() {
    if watch().await.is_none() {
        std::future::pending::<()>().await;
    }
    tokio::time::sleep(GRACE).await;
}

async fn watch() -> Option<()> {
    let stdout = File::from(io::stdout().as_fd().try_clone_to_owned().ok()?);
    if !stdout.metadata().ok()?.file_type().is_fifo() {
        return None;
    }
    // A pipe without a reader is in error, which the kernel reports without anything being written.
    // Nothing is written here, so the pipe stays as blocking as it is: it may be another process's,
    // too.
    let pipe = Sender::from_file_unchecked(stdout).ok()?;
    pipe.ready(Interest::ERROR).await.is_ok().then_some(())
}
