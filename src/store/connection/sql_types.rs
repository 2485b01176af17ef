//! How values travel between PostgreSQL's binary format and our types.

use bytes::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::dead_letter::ReplayState;
use crate::event::Mark;
use crate::time::PostgresMicros;

type ConversionError = Box<dyn std::error::Error + Sync + Send>;

/// TIMESTAMP and TIMESTAMPTZ as PostgreSQL sends them: chrono's range is smaller, and it has no
/// infinities.
impl FromSql<'_> for PostgresMicros {
    fn from_sql(_: &Type, raw: &[u8]) -> Result<Self, ConversionError> {
        Ok(Self(i64::from_be_bytes(raw.try_into()?)))
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::TIMESTAMP | Type::TIMESTAMPTZ)
    }
}

impl ToSql for PostgresMicros {
    fn to_sql(&self, _: &Type, output: &mut BytesMut) -> Result<IsNull, ConversionError> {
        output.extend_from_slice(&self.0.to_be_bytes());
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        <Self as FromSql>::accepts(ty)
    }

    to_sql_checked!();
}

/// JSONB's text, unparsed: a number of a hundred digits, or nesting of a thousand levels, stays as
/// it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) struct JsonText<'a>(
    /// The text.
    pub(in crate::store) &'a str,
);

impl<'a> FromSql<'a> for JsonText<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, ConversionError> {
        // The binary form is a version, 1, and the text.
        let text = raw.strip_prefix(&[1]).ok_or("a JSONB value of an unknown version")?;
        Ok(Self(std::str::from_utf8(text)?))
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::JSONB
    }
}

/// A word of a fixed list, stored as text. Any other text is an error.
macro_rules! from_text {
    ($word:ty) => {
        impl<'a> FromSql<'a> for $word {
            fn from_sql(sql_type: &Type, raw: &'a [u8]) -> Result<Self, ConversionError> {
                Ok(<&str>::from_sql(sql_type, raw)?.parse()?)
            }

            fn accepts(ty: &Type) -> bool {
                <&str as FromSql>::accepts(ty)
            }
        }
    };
}

from_text!(ReplayState);
from_text!(Mark);
