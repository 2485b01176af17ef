//! The output of a file, which can be had back, and keeps its error whole.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// What Parquet writes into. It is gone once the output was taken back.
pub(super) struct Output<W>(Arc<Mutex<State<W>>>);

/// Where the output, and the error that it gave, are found.
pub(super) struct Slot<W>(Arc<Mutex<State<W>>>);

struct State<W> {
    output: Option<W>,
    error: Option<io::Error>,
}

/// Shares `output` between Parquet, which never gives it back, and its owner.
pub(super) fn shared<W>(output: W) -> (Output<W>, Slot<W>) {
    let state = Arc::new(Mutex::new(State { output: Some(output), error: None }));
    (Output(Arc::clone(&state)), Slot(state))
}

impl<W> Slot<W> {
    /// Takes the output back.
    pub(super) fn take(&self) -> Option<W> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).output.take()
    }

    /// Takes the error that the output gave.
    pub(super) fn take_error(&self) -> Option<io::Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).error.take()
    }
}

impl<W: Write> Output<W> {
    /// Runs `work` on the output. A failure is kept, and Parquet is told its kind.
    fn with<T>(&self, work: impl FnOnce(&mut W) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let output = state.output.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        work(output).map_err(|error| {
            let kind = error.kind();
            if kind != io::ErrorKind::Interrupted {
                state.error = Some(error);
            }
            kind.into()
        })
    }
}

impl<W: Write> Write for Output<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.with(|output| output.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.with(Write::flush)
    }
}
