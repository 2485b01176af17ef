//! Tuples of fields, as PostgreSQL's binary COPY has them: the number of fields as int2, and each
//! field as its length in int4 and its bytes. A length of −1 is null.

use uuid::Uuid;

use super::CanonicalError;
use crate::time::PostgresMicros;

/// The fields of −infinity and infinity.
const INFINITIES: [u8; 2] = [0, 1];

/// A tuple that is written field by field.
#[derive(Debug)]
pub struct Tuple<'a> {
    bytes: &'a mut Vec<u8>,
}

impl<'a> Tuple<'a> {
    /// Begins a tuple of so many fields behind what `bytes` holds.
    pub fn begin(bytes: &'a mut Vec<u8>, fields: u16) -> Self {
        bytes.extend_from_slice(&fields.to_be_bytes());
        Self { bytes }
    }

    /// Goes on with fields behind what `bytes` holds.
    pub(in crate::evidence) fn go_on(bytes: &'a mut Vec<u8>) -> Self {
        Self { bytes }
    }

    /// Bytes; `None` is null.
    pub fn bytes(&mut self, value: Option<&[u8]>) {
        match value {
            None => self.bytes.extend_from_slice(&(-1_i32).to_be_bytes()),
            Some(value) => {
                self.bytes.extend_from_slice(&(value.len() as u32).to_be_bytes());
                self.bytes.extend_from_slice(value);
            }
        }
    }

    /// Text, or canonical JSON.
    pub fn text(&mut self, value: Option<&str>) {
        self.bytes(value.map(str::as_bytes));
    }

    /// An int8.
    pub fn bigint(&mut self, value: Option<i64>) {
        self.bytes(value.map(i64::to_be_bytes).as_ref().map(<[u8; 8]>::as_slice));
    }

    /// An int4.
    pub fn integer(&mut self, value: Option<i32>) {
        self.bytes(value.map(i32::to_be_bytes).as_ref().map(<[u8; 4]>::as_slice));
    }

    /// A boolean.
    pub fn boolean(&mut self, value: Option<bool>) {
        self.bytes(value.map(|value| [u8::from(value)]).as_ref().map(<[u8; 1]>::as_slice));
    }

    /// A UUID.
    pub fn uuid(&mut self, value: Option<Uuid>) {
        self.bytes(value.as_ref().map(|value| value.as_bytes().as_slice()));
    }

    /// A time as PostgreSQL has it.
    ///
    /// # Errors
    /// [`CanonicalError::Time`].
    pub fn time(&mut self, value: Option<PostgresMicros>) -> Result<(), CanonicalError> {
        match value {
            None => self.bytes(None),
            Some(PostgresMicros(i64::MIN)) => self.bytes(Some(&INFINITIES[..1])),
            Some(PostgresMicros(i64::MAX)) => self.bytes(Some(&INFINITIES[1..])),
            Some(time) => self.bigint(Some(time.to_unix().ok_or(CanonicalError::Time)?.0)),
        }
        Ok(())
    }
}

/// Reads the fields of a tuple.
pub(in crate::evidence) struct TupleReader<'a> {
    rest: &'a [u8],
}

impl<'a> TupleReader<'a> {
    /// Begins to read a tuple of so many fields.
    pub(in crate::evidence) fn begin(bytes: &'a [u8], fields: u16) -> Result<Self, CanonicalError> {
        match bytes.split_first_chunk() {
            Some((count, rest)) if *count == fields.to_be_bytes() => Ok(Self { rest }),
            _ => Err(CanonicalError::Tuple),
        }
    }

    /// The next field; `None` is null.
    pub(in crate::evidence) fn field(&mut self) -> Result<Option<&'a [u8]>, CanonicalError> {
        let (length, rest) = self.rest.split_first_chunk().ok_or(CanonicalError::Tuple)?;
        let length = i32::from_be_bytes(*length);
        if length == -1 {
            self.rest = rest;
            return Ok(None);
        }
        let length = usize::try_from(length).map_err(|_| CanonicalError::Tuple)?;
        let (field, rest) = rest.split_at_checked(length).ok_or(CanonicalError::Tuple)?;
        self.rest = rest;
        Ok(Some(field))
    }

    /// What stands behind the fields that were read.
    pub(in crate::evidence) fn rest(self) -> &'a [u8] {
        self.rest
    }

    /// Fails where there is anything left.
    pub(in crate::evidence) fn end(self) -> Result<(), CanonicalError> {
        if self.rest.is_empty() { Ok(()) } else { Err(CanonicalError::Tuple) }
    }
}
