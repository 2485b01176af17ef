//! Rows in the binary format of COPY, encoded straight into one buffer.
//! Source: PostgreSQL documentation, COPY, "Binary Format".

use bytes::Bytes;
use uuid::Uuid;

use crate::time::{PostgresMicros, UnixMicros};

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const TRAILER: &[u8] = b"\xff\xff";

/// A buffer of rows, and where each begins, so that any run of them can be copied by itself.
#[derive(Debug, Default)]
pub struct CopyBuffer {
    bytes: Vec<u8>,
    starts: Vec<usize>,
    timestamps: Option<(PostgresMicros, PostgresMicros)>,
}

impl CopyBuffer {
    /// An empty buffer with room for `bytes`.
    pub fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), ..Self::default() }
    }

    /// How many rows it holds.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// Begins a row whose first column is a bigint that [`CopyBuffer::fill_in_ids`] fills in later.
    pub fn begin(&mut self, columns: u16) -> CopyRow<'_> {
        self.starts.push(self.bytes.len());
        self.bytes.extend_from_slice(&columns.to_be_bytes());
        let mut row = CopyRow { bytes: &mut self.bytes, timestamps: &mut self.timestamps };
        row.bigint(Some(0));
        row
    }

    /// Writes the ids into the first columns of the rows, in their order.
    pub fn fill_in_ids(&mut self, ids: impl Iterator<Item = i64>) {
        for (index, id) in (0..self.starts.len()).zip(ids) {
            self.fill_in_id(index, id);
        }
    }

    /// Writes the id into the first column of one row.
    pub fn fill_in_id(&mut self, index: usize, id: i64) {
        if let Some(start) = self.starts.get(index) {
            // Two bytes count the columns, four give the length of the first.
            self.bytes[start + 6..start + 14].copy_from_slice(&id.to_be_bytes());
        }
    }

    /// Replaces row `index` by the last one written, which is taken off the end.
    pub fn replace_by_last(&mut self, index: usize) {
        let Some(last) = self.starts.pop() else { return };
        let replacement = self.bytes.split_off(last);
        let start = self.starts[index];
        let end = self.starts.get(index + 1).copied().unwrap_or(self.bytes.len());
        let shift = replacement.len() as isize - (end - start) as isize;
        self.bytes.splice(start..end, replacement);
        for later in &mut self.starts[index + 1..] {
            *later = later.wrapping_add_signed(shift);
        }
    }

    /// The tuple of a row, as COPY writes it.
    pub fn row(&self, index: usize) -> &[u8] {
        let end = self.starts.get(index + 1).copied().unwrap_or(self.bytes.len());
        &self.bytes[self.starts[index]..end]
    }

    /// The rows `range` as chunks of about 256 KiB, with the header before and the trailer behind.
    pub fn chunks(&self, range: std::ops::Range<usize>) -> impl Iterator<Item = Bytes> + '_ {
        let position = |index: usize| self.starts.get(index).copied().unwrap_or(self.bytes.len());
        let rows = &self.bytes[position(range.start)..position(range.end)];
        std::iter::once(Bytes::from_static(SIGNATURE))
            .chain(rows.chunks(256 * 1024).map(Bytes::copy_from_slice))
            .chain(std::iter::once(Bytes::from_static(TRAILER)))
    }

    /// The earliest and the latest timestamp that were written, those of replaced rows included.
    /// `None` where no timestamp was written.
    pub fn timestamps(&self) -> Option<(PostgresMicros, PostgresMicros)> {
        self.timestamps
    }

    /// How many bytes the rows take.
    pub fn byte_size(&self) -> usize {
        self.bytes.len()
    }
}

/// A row being written: one call for each column, in the order of the COPY statement.
#[derive(Debug)]
pub struct CopyRow<'a> {
    bytes: &'a mut Vec<u8>,
    timestamps: &'a mut Option<(PostgresMicros, PostgresMicros)>,
}

impl CopyRow<'_> {
    fn field(&mut self, value: Option<&[u8]>) {
        match value {
            None => self.bytes.extend_from_slice(&(-1_i32).to_be_bytes()),
            Some(value) => {
                self.length(value.len());
                self.bytes.extend_from_slice(value);
            }
        }
    }

    /// No field reaches 2 GiB: what is too large for PostgreSQL was quarantined before.
    fn length(&mut self, length: usize) {
        self.bytes.extend_from_slice(&(length as u32).to_be_bytes());
    }

    /// A bigint.
    pub fn bigint(&mut self, value: Option<i64>) {
        self.field(value.map(i64::to_be_bytes).as_ref().map(<[u8; 8]>::as_slice));
    }

    /// An integer.
    pub fn integer(&mut self, value: Option<i32>) {
        self.field(value.map(i32::to_be_bytes).as_ref().map(<[u8; 4]>::as_slice));
    }

    /// A boolean.
    pub fn boolean(&mut self, value: bool) {
        self.field(Some(&[u8::from(value)]));
    }

    /// A uuid.
    pub fn uuid(&mut self, value: Option<Uuid>) {
        self.field(value.as_ref().map(|value| value.as_bytes().as_slice()));
    }

    /// Text of any kind.
    pub fn text(&mut self, value: Option<&str>) {
        self.field(value.map(str::as_bytes));
    }

    /// Bytes.
    pub fn bytea(&mut self, value: Option<&[u8]>) {
        self.field(value);
    }

    /// A timestamp, with or without time zone.
    pub fn timestamp(&mut self, time: Option<UnixMicros>) {
        let time = time.map(PostgresMicros::from);
        if let Some(time) = time {
            let (min, max) = self.timestamps.unwrap_or((time, time));
            *self.timestamps = Some((min.min(time), max.max(time)));
        }
        self.bigint(time.map(|time| time.0));
    }

    /// JSONB out of JSON text: a byte for the version, then the text.
    pub fn jsonb(&mut self, text: &str) {
        self.length(text.len() + 1);
        self.bytes.push(1);
        self.bytes.extend_from_slice(text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(texts: &[&str]) -> CopyBuffer {
        let mut rows = CopyBuffer::default();
        for text in texts {
            rows.begin(2).text(Some(text));
        }
        rows
    }

    fn bytes(rows: &CopyBuffer, range: std::ops::Range<usize>) -> Vec<u8> {
        rows.chunks(range).flatten().collect()
    }

    #[test]
    fn a_row_is_replaced_in_place_by_a_longer_or_a_shorter_one() {
        for replacement in ["", "a much longer text"] {
            let mut changed = rows(&["one", "two", "three", replacement]);
            changed.replace_by_last(1);
            assert_eq!(bytes(&changed, 0..3), bytes(&rows(&["one", replacement, "three"]), 0..3));
            assert_eq!(bytes(&changed, 2..3), bytes(&rows(&["three"]), 0..1));
        }
    }

    #[test]
    fn the_range_of_the_timestamps_is_known() {
        let mut rows = CopyBuffer::default();
        rows.begin(2).timestamp(None);
        assert_eq!(rows.timestamps(), None);
        for seconds in [5, -3, 2] {
            let time = UnixMicros((946_684_800 + seconds) * 1_000_000);
            rows.begin(2).timestamp(Some(time));
        }
        assert_eq!(
            rows.timestamps(),
            Some((PostgresMicros(-3_000_000), PostgresMicros(5_000_000)))
        );
    }

    #[test]
    fn rows_are_numbered_without_being_encoded_again() {
        let mut numbered = rows(&["a", "b"]);
        numbered.fill_in_ids(7..);
        let expected =
            [SIGNATURE, &[0, 2, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 1, b'b'], TRAILER]
                .concat();
        assert_eq!(bytes(&numbered, 1..2), expected);
    }
}
