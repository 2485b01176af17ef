//! Reads the fields of a leaf.

use uuid::Uuid;

use super::kind::LeafKind;
use crate::evidence::canonical::TupleReader;
use crate::evidence::tree::Hash;
use crate::time::{PostgresMicros, UnixMicros};

/// The bytes are not a leaf of the kind that they were read as, in the one form that it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the leaf does not have the form of its kind")]
pub struct MalformedLeaf;

/// The fields of a leaf that is its kind and one tuple.
pub(super) struct LeafFields<'a> {
    fields: TupleReader<'a>,
}

impl<'a> LeafFields<'a> {
    pub(super) fn begin(
        leaf: &'a [u8],
        kind: LeafKind,
        fields: u16,
    ) -> Result<Self, MalformedLeaf> {
        let tuple = leaf.strip_prefix(&[kind as u8]).ok_or(MalformedLeaf)?;
        let fields = TupleReader::begin(tuple, fields).map_err(|_| MalformedLeaf)?;
        Ok(Self { fields })
    }

    /// The next field, which is not null.
    pub(super) fn required<T>(&mut self, read: fn(&[u8]) -> Option<T>) -> Result<T, MalformedLeaf> {
        self.optional(read)?.ok_or(MalformedLeaf)
    }

    /// The next field; `None` is null.
    pub(super) fn optional<T>(
        &mut self,
        read: fn(&[u8]) -> Option<T>,
    ) -> Result<Option<T>, MalformedLeaf> {
        match self.fields.field().map_err(|_| MalformedLeaf)? {
            None => Ok(None),
            Some(field) => read(field).map(Some).ok_or(MalformedLeaf),
        }
    }

    pub(super) fn end(self) -> Result<(), MalformedLeaf> {
        self.fields.end().map_err(|_| MalformedLeaf)
    }
}

pub(super) fn text(field: &[u8]) -> Option<String> {
    str::from_utf8(field).ok().map(str::to_owned)
}

pub(super) fn bigint(field: &[u8]) -> Option<i64> {
    field.try_into().ok().map(i64::from_be_bytes)
}

pub(super) fn integer(field: &[u8]) -> Option<i32> {
    field.try_into().ok().map(i32::from_be_bytes)
}

pub(super) fn uuid(field: &[u8]) -> Option<Uuid> {
    Uuid::from_slice(field).ok()
}

pub(super) fn hash(field: &[u8]) -> Option<Hash> {
    field.try_into().ok()
}

pub(super) fn time(field: &[u8]) -> Option<PostgresMicros> {
    match field {
        [0] => Some(PostgresMicros(i64::MIN)),
        [1] => Some(PostgresMicros(i64::MAX)),
        _ => {
            let unix = UnixMicros(bigint(field)?);
            let time = PostgresMicros::from(unix);
            (time.to_unix() == Some(unix)).then_some(time)
        }
    }
}
