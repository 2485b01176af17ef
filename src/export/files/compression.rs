//! Compression of text by the ending of its name.

use std::io::{self, BufWriter, Write};

use flate2::write::GzEncoder;
use zstd::stream::write::Encoder as ZstdEncoder;

use super::output::Output;

/// As many bytes are written at once.
const BUFFER: usize = 1 << 17;

/// How far zstd looks back, as a power of two: hundreds of files may be open at once, and each has a
/// few times as much in memory.
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
pub(in crate::export) enum Compressor {
    Plain(BufWriter<Output>),
    Gzip(BufWriter<GzEncoder<Output>>),
    Zstd(ZstdEncoder<'static, Output>),
}

impl Compressor {
    pub(in crate::export) fn new(
        output: Output,
        compression: Option<Compression>,
    ) -> io::Result<Self> {
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

    /// How large the file is by now; what the compressor holds back is not counted.
    pub(in crate::export) fn size(&self) -> u64 {
        match self {
            Self::Plain(writer) => writer.get_ref().bytes() + writer.buffer().len() as u64,
            Self::Gzip(writer) => writer.get_ref().get_ref().bytes(),
            Self::Zstd(encoder) => encoder.get_ref().bytes(),
        }
    }

    /// Ends the compressed text.
    pub(in crate::export) fn finish(self) -> io::Result<Output> {
        match self {
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
        match self {
            Self::Plain(writer) => writer.write(bytes),
            Self::Gzip(writer) => writer.write(bytes),
            Self::Zstd(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(writer) => writer.flush(),
            Self::Gzip(writer) => writer.flush(),
            Self::Zstd(encoder) => encoder.flush(),
        }
    }
}
