//! Reads the rows of a COPY as the server does. Source: PostgreSQL documentation, COPY, "Binary
//! Format".

use std::ops::Range;

use crate::store::write::copy_buffer::CopyBuffer;

/// A row's fields; `None` is NULL.
pub(in crate::ingest) type Fields = Vec<Option<Vec<u8>>>;

/// The bytes of COPY's signature, flags and length of the extension.
const COPY_HEADER: usize = 19;

/// The rows of a buffer that a COPY of `range` sends.
pub(in crate::ingest) fn copied(rows: &CopyBuffer, range: Range<usize>) -> Vec<Fields> {
    let bytes: Vec<u8> = rows.chunks(range).flatten().collect();
    let mut rest = &bytes[COPY_HEADER..];
    let mut rows = Vec::new();
    loop {
        let columns = i16::from_be_bytes(take(&mut rest));
        if columns == -1 {
            assert!(rest.is_empty(), "nothing follows the trailer");
            return rows;
        }
        let field = |_| {
            let length = usize::try_from(i32::from_be_bytes(take(&mut rest))).ok()?;
            let (field, others) = rest.split_at(length);
            rest = others;
            Some(field.to_vec())
        };
        rows.push((0..columns).map(field).collect());
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> [u8; N] {
    let (taken, others) = rest.split_first_chunk().expect("COPY data ends with its trailer");
    *rest = others;
    *taken
}
