//! The rows of a binary COPY, one after the other, whatever pieces it comes in.
//! Source: PostgreSQL documentation, COPY, "Binary Format".

use crate::evidence::canonical::{DEAD_LETTER_COLUMNS, EVENT_COLUMNS};
use crate::ledger::WholeRow;
use crate::store::error::Error;
use crate::time::PostgresMicros;

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";

/// The signature, the flags and the length of the extension, of which there is none.
const HEADER: usize = SIGNATURE.len() + 8;

const EVENT_FIELDS: usize = EVENT_COLUMNS.len();
const DEAD_LETTER_FIELDS: usize = DEAD_LETTER_COLUMNS.len();

/// Splits a COPY of whole rows, with or without the columns of `dead_letters` behind them.
#[derive(Debug)]
pub struct CopiedRows {
    has_dead_letters: bool,
    bytes: Vec<u8>,
    at: usize,
    is_begun: bool,
    is_ended: bool,
    dead_letter: Vec<u8>,
}

impl CopiedRows {
    /// Nothing has arrived yet.
    pub(super) fn new(has_dead_letters: bool) -> Self {
        Self {
            has_dead_letters,
            bytes: Vec::new(),
            at: 0,
            is_begun: false,
            is_ended: false,
            dead_letter: Vec::new(),
        }
    }

    /// Takes the next piece of the COPY.
    pub fn push(&mut self, piece: Vec<u8>) {
        if self.at == self.bytes.len() {
            self.bytes = piece;
        } else {
            self.bytes.drain(..self.at);
            self.bytes.extend_from_slice(&piece);
        }
        self.at = 0;
    }

    /// The next row that has arrived as a whole.
    ///
    /// # Errors
    /// `Error::Protocol` where this is no COPY of these columns.
    pub fn next_row(&mut self) -> Result<Option<WholeRow<'_>>, Error> {
        if !self.is_begun {
            let Some(header) = self.bytes.get(..HEADER) else { return Ok(None) };
            if !header.starts_with(SIGNATURE) || header[SIGNATURE.len()..] != [0; 8] {
                return Err(broken());
            }
            (self.at, self.is_begun) = (HEADER, true);
        }
        let fields = EVENT_FIELDS + if self.has_dead_letters { DEAD_LETTER_FIELDS } else { 0 };
        let Some(count) = self.bytes.get(self.at..self.at + 2) else { return Ok(None) };
        if count == (-1_i16).to_be_bytes() {
            self.at += 2;
            self.is_ended = true;
            return Ok(None);
        }
        if self.is_ended || count != (fields as u16).to_be_bytes() {
            return Err(broken());
        }
        let mut places = [None; EVENT_FIELDS + DEAD_LETTER_FIELDS];
        let (mut at, mut event_end) = (self.at + 2, 0);
        for (number, place) in places.iter_mut().enumerate().take(fields) {
            let Some(length) = self.bytes.get(at..at + 4) else { return Ok(None) };
            let length = length.try_into().map(i32::from_be_bytes).map_err(|_| broken())?;
            at += 4;
            if length != -1 {
                let length = usize::try_from(length).map_err(|_| broken())?;
                *place = Some((at, at + length));
                at += length;
            }
            if number + 1 == EVENT_FIELDS {
                event_end = at;
            }
        }
        if at > self.bytes.len() {
            return Ok(None);
        }
        let start = std::mem::replace(&mut self.at, at);
        // The tuple of the event alone begins with the number of its own fields.
        self.bytes[start..start + 2].copy_from_slice(&(EVENT_FIELDS as u16).to_be_bytes());
        self.dead_letter.clear();
        if places[EVENT_FIELDS].is_some() {
            self.dead_letter.extend_from_slice(&(DEAD_LETTER_FIELDS as u16).to_be_bytes());
            self.dead_letter.extend_from_slice(&self.bytes[event_end..at]);
        }
        let field = |number: usize| places[number].map(|(start, end)| &self.bytes[start..end]);
        let text = |number: usize| field(number).map(str::from_utf8).transpose();
        Ok(Some(WholeRow {
            id: bigint(field(0))?.ok_or_else(broken)?,
            event_type: text(2).map_err(|_| broken())?.unwrap_or_default(),
            source_service: text(4).map_err(|_| broken())?,
            is_dlt: field(5) == Some(&[1]),
            created_at: PostgresMicros(bigint(field(7))?.unwrap_or_default()),
            partition_id: integer(field(8))?,
            kafka_offset: bigint(field(9))?,
            event: &self.bytes[start..event_end],
            dead_letter: (!self.dead_letter.is_empty()).then_some(self.dead_letter.as_slice()),
        }))
    }

    /// Has to be called behind the last row.
    ///
    /// # Errors
    /// `Error::Protocol` where the COPY ended before its end.
    pub fn finish(self) -> Result<(), Error> {
        if self.is_ended && self.at == self.bytes.len() { Ok(()) } else { Err(broken()) }
    }
}

fn bigint(field: Option<&[u8]>) -> Result<Option<i64>, Error> {
    let value = |field: &[u8]| field.try_into().map(i64::from_be_bytes).map_err(|_| broken());
    field.map(value).transpose()
}

fn integer(field: Option<&[u8]>) -> Result<Option<i32>, Error> {
    let value = |field: &[u8]| field.try_into().map(i32::from_be_bytes).map_err(|_| broken());
    field.map(value).transpose()
}

fn broken() -> Error {
    Error::Protocol("a COPY of rows is not of the columns of event_logs".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tuple(id: i64, dead_letter: Option<i64>) -> Vec<u8> {
        let mut bytes = 28_u16.to_be_bytes().to_vec();
        let mut field = |value: Option<&[u8]>| match value {
            None => bytes.extend_from_slice(&(-1_i32).to_be_bytes()),
            Some(value) => {
                bytes.extend_from_slice(&(value.len() as u32).to_be_bytes());
                bytes.extend_from_slice(value);
            }
        };
        field(Some(&id.to_be_bytes()));
        field(None);
        field(Some(b"Type"));
        (3..5).for_each(|_| field(None));
        field(Some(&[1]));
        field(None);
        field(Some(&7_i64.to_be_bytes()));
        field(Some(&3_i32.to_be_bytes()));
        (9..12).for_each(|_| field(None));
        field(dead_letter.map(i64::to_be_bytes).as_ref().map(<[u8; 8]>::as_slice));
        (13..28).for_each(|_| field(None));
        bytes
    }

    #[test]
    fn rows_are_the_same_in_whatever_pieces_they_come() {
        let mut copy = [SIGNATURE, &[0; 8]].concat();
        copy.extend(tuple(5, None));
        copy.extend(tuple(6, Some(6)));
        copy.extend([0xff, 0xff]);
        for size in 1..copy.len() {
            let mut rows = CopiedRows::new(true);
            let mut found = Vec::new();
            for piece in copy.chunks(size) {
                rows.push(piece.to_vec());
                while let Some(row) = rows.next_row().unwrap() {
                    assert_eq!(row.event[..2], [0, 12]);
                    assert_eq!((row.event_type, row.is_dlt), ("Type", true));
                    assert_eq!((row.created_at.0, row.partition_id), (7, Some(3)));
                    let dead_letter = row.dead_letter.map(|tuple| (tuple[1], tuple.len()));
                    found.push((row.id, row.kafka_offset, dead_letter));
                }
            }
            rows.finish().unwrap();
            assert_eq!(found, [(5, None, None), (6, None, Some((16, 74)))], "{size}");
        }
    }

    #[test]
    fn a_copy_that_ends_early_or_has_other_columns_is_refused() {
        let mut rows = CopiedRows::new(true);
        rows.push([SIGNATURE, &[0; 8], &tuple(5, None)].concat());
        assert!(rows.next_row().unwrap().is_some());
        assert!(rows.next_row().unwrap().is_none());
        assert!(rows.finish().is_err());
        let mut rows = CopiedRows::new(false);
        rows.push([SIGNATURE, &[0; 8], &tuple(5, None)].concat());
        assert!(rows.next_row().is_err());
    }
}
