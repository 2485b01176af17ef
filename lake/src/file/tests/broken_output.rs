//! An output that breaks is told apart from all else.

use std::io::{self, ErrorKind, Write};

use super::{numbered, numbered_columns, options};
use crate::column::Storage;
use crate::error::{Error, Result};
use crate::file::{FileOptions, ParquetFile};

/// Takes so many bytes, then nothing more.
struct Breaks {
    left: usize,
    kind: ErrorKind,
}

impl Write for Breaks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.left = self.left.checked_sub(bytes.len()).ok_or(self.kind)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write_all(output: impl Write + Send, threads: usize) -> Result<()> {
    let options = FileOptions { row_group_rows: 500, ..options(threads) };
    let mut file = ParquetFile::new(output, &numbered_columns(), Storage::Parquet, options)?;
    for at in 0..20 {
        file.write(&numbered(at * 300..(at + 1) * 300, 40))?;
    }
    file.finish().map(drop)
}

#[test]
fn a_broken_output_keeps_its_kind_wherever_it_breaks() {
    let mut whole = Vec::new();
    write_all(&mut whole, 0).unwrap();
    for kind in [ErrorKind::BrokenPipe, ErrorKind::StorageFull] {
        for threads in [0, 2] {
            for left in (0..whole.len()).step_by(whole.len() / 50) {
                let error = write_all(Breaks { left, kind }, threads).unwrap_err();
                assert_eq!(error.output_kind(), Some(kind), "after {left} bytes: {error}");
            }
            write_all(Breaks { left: whole.len(), kind }, threads).unwrap();
        }
    }
}

#[test]
fn a_full_disk_is_told_as_the_system_tells_it() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let error = write_all(full, 1).unwrap_err();
    let Error::Output(source) = &error else { panic!("{error}") };
    assert_eq!(source.kind(), ErrorKind::StorageFull);
    assert!(source.raw_os_error().is_some());
}

#[test]
fn an_error_of_the_caller_is_none_of_the_output() {
    let options = FileOptions { zstd_level: 99, ..options(0) };
    let file = ParquetFile::new(Vec::new(), &numbered_columns(), Storage::Parquet, options);
    let error = file.err().unwrap();
    assert!(matches!(error, Error::Encode(_)), "{error}");
    assert_eq!(error.output_kind(), None);
}
