//! Compression of text by the ending of its name.

use std::io::{self, BufWriter, Write};

use flate2::write::GzEncoder;
use zstd::stream::write::Encoder as ZstdEncoder;

use super::output::Output;

/// As many bytes are written at once.
const BUFFER: usize = 1 << 17;

/// How far zstd looks back, as a power of two: hundreds of files may be open at once, and each has
/// a few times as much in memory.
const WINDOW: u32 = 19;

/// How a text is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// `.gz`
    Gzip,
    /// `.zst`
    Zstd,
}

impl Compression {
    /// The compression that an ending stands for.
    pub fn of_ending(ending: &str) -> Option<Self> {
        match ending {
            "gz" => Some(Self::Gzip),
            "zst" => Some(Self::Zstd),
            _ => None,
        }
    }

    /// The ending that stands for it.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Gzip => "gz",
            Self::Zstd => "zst",
        }
    }
}

/// Compresses what is written, or hands it on in large pieces.
pub(in crate::export) struct Compressor {
    compression: Option<Compression>,
    /// `None` only where an encoder failed, which is the end of the file.
    state: Option<State>,
}

enum State {
    Resting(Output),
    Plain(BufWriter<Output>),
    Gzip(BufWriter<GzEncoder<Output>>),
    Zstd(ZstdEncoder<'static, Output>),
}

impl Compressor {
    pub(in crate::export) fn new(
        output: Output,
        compression: Option<Compression>,
    ) -> io::Result<Self> {
        Ok(Self { compression, state: Some(State::new(output, compression)?) })
    }

    /// How large the file is by now; what the compressor holds back is not counted.
    pub(in crate::export) fn size(&self) -> u64 {
        self.state.as_ref().map_or(0, State::size)
    }

    /// Writes all that it holds, and gives its memory and the open file back until more is
    /// written. What is compressed goes on as another member of the file then, as the formats
    /// allow.
    pub(in crate::export) fn rest(&mut self) -> io::Result<()> {
        let mut output = self.taken()?.finish()?;
        output.flush()?;
        output.rest();
        self.state = Some(State::Resting(output));
        Ok(())
    }

    /// Ends the compressed text.
    pub(in crate::export) fn finish(mut self) -> io::Result<Output> {
        self.taken()?.finish()
    }

    fn taken(&mut self) -> io::Result<State> {
        self.state.take().ok_or_else(failed_before)
    }

    /// What takes the next bytes.
    fn awake(&mut self) -> io::Result<&mut State> {
        let state = match self.taken()? {
            State::Resting(output) => State::new(output, self.compression)?,
            state => state,
        };
        Ok(self.state.insert(state))
    }
}

fn failed_before() -> io::Error {
    io::Error::other("writing failed before")
}

impl State {
    fn new(output: Output, compression: Option<Compression>) -> io::Result<Self> {
        Ok(match compression {
            None => Self::Plain(BufWriter::with_capacity(BUFFER, output)),
            Some(Compression::Gzip) => {
                let encoder = GzEncoder::new(output, flate2::Compression::default());
                Self::Gzip(BufWriter::with_capacity(BUFFER, encoder))
            }
            Some(Compression::Zstd) => {
                let mut encoder = ZstdEncoder::new(output, zstd::DEFAULT_COMPRESSION_LEVEL)?;
                encoder.include_checksum(true)?;
                encoder.window_log(WINDOW)?;
                Self::Zstd(encoder)
            }
        })
    }

    fn size(&self) -> u64 {
        match self {
            Self::Resting(output) => output.bytes(),
            Self::Plain(writer) => writer.get_ref().bytes() + writer.buffer().len() as u64,
            Self::Gzip(writer) => writer.get_ref().get_ref().bytes(),
            Self::Zstd(encoder) => encoder.get_ref().bytes(),
        }
    }

    fn finish(self) -> io::Result<Output> {
        match self {
            Self::Resting(output) => Ok(output),
            Self::Plain(writer) => writer.into_inner().map_err(io::IntoInnerError::into_error),
            Self::Gzip(writer) => {
                writer.into_inner().map_err(io::IntoInnerError::into_error)?.finish()
            }
            Self::Zstd(encoder) => encoder.finish(),
        }
    }
}

impl Write for Compressor {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.awake()? {
            State::Resting(output) => output.write(bytes),
            State::Plain(writer) => writer.write(bytes),
            State::Gzip(writer) => writer.write(bytes),
            State::Zstd(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.state.as_mut().ok_or_else(failed_before)? {
            State::Resting(output) => output.flush(),
            State::Plain(writer) => writer.flush(),
            State::Gzip(writer) => writer.flush(),
            State::Zstd(encoder) => encoder.flush(),
        }
    }
}
