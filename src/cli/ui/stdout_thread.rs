//! stdout on a thread of its own: a reader that doesn't read must not keep a command from noticing
//! signals.

use std::io::{self, Write};
use tokio::sync::{mpsc, oneshot};

/// Hands whole buffers to stdout, one waiting while one is written.
pub(crate) struct StdoutThread {
    sender: mpsc::Sender<Vec<u8>>,
    ended: oneshot::Receiver<io::Result<()>>,
}

impl StdoutThread {
    /// Starts the thread.
    pub(crate) fn start() -> io::Result<Self> {
        let (sender, mut receiver) = mpsc::channel::<Vec<u8>>(1);
        let (report, ended) = oneshot::channel();
        std::thread::Builder::new().name("stdout".to_owned()).spawn(move || {
            let mut stdout = io::stdout().lock();
            let mut outcome = Ok(());
            while let Some(buffer) = receiver.blocking_recv() {
                outcome = stdout.write_all(&buffer).and_then(|()| stdout.flush());
                if outcome.is_err() {
                    break;
                }
            }
            // The command may have ended meanwhile, and does not ask any more.
            let _ = report.send(outcome);
        })?;
        Ok(Self { sender, ended })
    }

    /// Hands over a buffer, waiting while two are under way.
    ///
    /// # Errors
    /// What writing an earlier buffer came to.
    pub(crate) async fn write(&mut self, buffer: Vec<u8>) -> io::Result<()> {
        if buffer.is_empty() || self.sender.send(buffer).await.is_ok() {
            return Ok(());
        }
        match (&mut self.ended).await {
            Ok(Err(error)) => Err(error),
            _ => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// Waits until all is written, however long the reader takes.
    ///
    /// # Errors
    /// What writing came to.
    pub(crate) async fn finish(self) -> io::Result<()> {
        drop(self.sender);
        match self.ended.await {
            Ok(outcome) => outcome,
            Err(_) => Err(io::Error::other("the thread that writes to stdout ended")),
        }
    }
}
