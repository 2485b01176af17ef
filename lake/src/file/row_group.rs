//! A row group while it is encoded.

use std::thread::{self, JoinHandle};

use arrow::array::ArrayRef;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowColumnWriter, compute_leaves};

use super::encoders::Encoders;
use crate::error::{Error, Result};
use crate::rows::Rows;

/// The columns of a row group, encoded.
pub(super) type Encoded = Vec<ArrowColumnChunk>;

/// A row group while it is encoded, and until it is appended.
pub(super) struct InWork {
    raw_bytes: usize,
    state: State,
}

enum State {
    Thread(JoinHandle<Result<Encoded>>),
    Ready(Encoded),
}

impl InWork {
    /// Begins to encode `rows`, on a thread if one is free, else here and now.
    pub(super) fn begin(
        writers: Vec<ArrowColumnWriter>,
        rows: Vec<Rows>,
        raw_bytes: usize,
        encoders: &Encoders,
    ) -> Result<Self> {
        let Some(permit) = encoders.permit() else {
            return Ok(Self { raw_bytes, state: State::Ready(encode(writers, rows)?) });
        };
        let work = move || {
            let encoded = encode(writers, rows);
            drop(permit);
            encoded
        };
        let thread = thread::Builder::new().name("encode".to_owned()).spawn(work);
        Ok(Self { raw_bytes, state: State::Thread(thread.map_err(Error::Thread)?) })
    }

    /// Returns the bytes of its rows as they were given.
    pub(super) fn raw_bytes(&self) -> usize {
        self.raw_bytes
    }

    /// Tells whether nobody has to wait for it.
    pub(super) fn is_ready(&self) -> bool {
        match &self.state {
            State::Thread(thread) => thread.is_finished(),
            State::Ready(_) => true,
        }
    }

    /// Returns it encoded, when it is.
    pub(super) fn wait(self) -> Result<Encoded> {
        match self.state {
            State::Thread(thread) => thread.join().map_err(|_| Error::Encoder)?,
            State::Ready(encoded) => Ok(encoded),
        }
    }
}

/// Encodes column by column, and lets go of a column's cells once it is done.
fn encode(writers: Vec<ArrowColumnWriter>, rows: Vec<Rows>) -> Result<Encoded> {
    let Some(schema) = rows.first().map(|rows| rows.record_batch().schema()) else {
        return Ok(Vec::new());
    };
    let columns: Vec<Vec<ArrayRef>> = (0..writers.len())
        .map(|index| rows.iter().map(|rows| rows.record_batch().column(index).clone()).collect())
        .collect();
    drop(rows);
    let mut encoded = Vec::with_capacity(writers.len());
    for ((mut writer, cells), field) in writers.into_iter().zip(columns).zip(schema.fields()) {
        for cells in cells {
            for leaf in compute_leaves(field, &cells)? {
                writer.write(&leaf)?;
            }
        }
        encoded.push(writer.close()?);
    }
    Ok(encoded)
}
