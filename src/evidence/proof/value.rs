//! The values of columns: as they stand in the JSON of a proof, and as fields of the canonical
//! form.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};
use uuid::Uuid;

use super::json::{Array, JsonForm};
use super::time_text;
use crate::evidence::canonical::{CanonicalError, Tuple};
use crate::evidence::tree::Hash;
use crate::time::{PostgresMicros, UnixMicros};

/// The value of a column.
pub(super) trait Column: JsonForm {
    /// Writes it as the next field.
    fn encode(&self, tuple: &mut Tuple<'_>) -> Result<(), CanonicalError>;

    /// Reads a field; `None` is null.
    fn decode(field: Option<&[u8]>) -> Result<Self, CanonicalError>;
}

fn not_null(field: Option<&[u8]>) -> Result<&[u8], CanonicalError> {
    field.ok_or(CanonicalError::Tuple)
}

fn array<const LENGTH: usize>(field: &[u8]) -> Result<[u8; LENGTH], CanonicalError> {
    field.try_into().map_err(|_| CanonicalError::Tuple)
}

impl<T: Column> Column for Option<T> {
    fn encode(&self, tuple: &mut Tuple<'_>) -> Result<(), CanonicalError> {
        match self {
            Some(value) => value.encode(tuple),
            None => {
                tuple.bytes(None);
                Ok(())
            }
        }
    }

    fn decode(field: Option<&[u8]>) -> Result<Self, CanonicalError> {
        if field.is_some() { T::decode(field).map(Some) } else { Ok(None) }
    }
}

/// Values whose JSON serde itself reads strictly: no number with fraction or exponent is an
/// integer, and no text is one.
macro_rules! plain {
    ($($type:ty),+) => {
        $(impl JsonForm for $type {
            fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::deserialize(deserializer)
            }

            fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.serialize(serializer)
            }
        })+
    };
}
plain!(bool, i32, i64, String);

impl Column for i64 {
    fn encode(&self, tuple: &mut Tuple<'_>) -> Result<(), CanonicalError> {
        tuple.bigint(Some(*self));
        Ok(())
    }

    fn decode(field: Option<&[u8]>) -> Result<Self, CanonicalError> {
        Ok(Self::from_be_bytes(array(not_null(field)?)?))
    }
}

impl Column for i32 {
    fn encode(&self, tuple: &mut Tuple<'_>) -> Result<(), CanonicalError> {
        tuple.integer(Some(*self));
        Ok(())
    }

    fn decode(field: Option<&[u8]>) -> Result<Self, CanonicalError> {
        Ok(Self::from_be_bytes(array(not_null(field)?)?))
    }
}

impl Column for bool {
    fn encode(&self, tuple: &mut Tuple<'_>) -> Result<(), CanonicalError> {
        tuple.boolean(Some(*self));
        Ok(())
    }

    fn decode(field: Option<&[u8]>) -> Result<Self, CanonicalError> {
        match not_null(field)? {
            [0] => Ok(false),
            [1] => Ok(true),
            _ => Err(CanonicalError::Tuple),
        }
    }
}

impl Column for String {
    fn encode(&self, tuple: &mut Tuple<'_>) -> Result<(), CanonicalError> {
        tuple.text(Some(self));
        Ok(())
    }

    fn decode(field: Option<&[u8]>) -> Result<Self, CanonicalError> {
        Self::from_utf8(not_null(field)?.to_owned()).map_err(|_| CanonicalError::Tuple)
    }
}

/// A number of leaves, or the place of one: as far as BIGINT reaches.
impl JsonForm for u64 {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        Self::try_from(number).map_err(|_| D::Error::custom(format!("{number} is negative")))
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }
}

impl JsonForm for Uuid {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let uuid = Self::try_parse(&text).ok().filter(|uuid| uuid.to_string() == text);
        uuid.ok_or_else(|| D::Error::custom("no UUID in lower case with hyphens"))
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Column for Uuid {
    fn encode(&self, tuple: &mut Tuple<'_>) -> Result<(), CanonicalError> {
        tuple.uuid(Some(*self));
        Ok(())
    }

    fn decode(field: Option<&[u8]>) -> Result<Self, CanonicalError> {
        Ok(Self::from_bytes(array(not_null(field)?)?))
    }
}

fn read_base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    STANDARD.decode(text).map_err(|_| D::Error::custom("no base64 in its canonical form"))
}

impl JsonForm for Vec<u8> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_base64(deserializer)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(self))
    }
}

impl Column for Vec<u8> {
    fn encode(&self, tuple: &mut Tuple<'_>) -> Result<(), CanonicalError> {
        tuple.bytes(Some(self));
        Ok(())
    }

    fn decode(field: Option<&[u8]>) -> Result<Self, CanonicalError> {
        not_null(field).map(<[u8]>::to_vec)
    }
}

impl JsonForm for Hash {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = read_base64(deserializer)?;
        let length = bytes.len();
        bytes
            .try_into()
            .map_err(|_| D::Error::custom(format!("a hash has 32 bytes, and not {length}")))
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(self))
    }
}

/// A path of hashes.
impl JsonForm for Vec<Hash> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Array::read(deserializer).map(|array| array.0)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(|hash| STANDARD.encode(hash)))
    }
}

impl JsonForm for PostgresMicros {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        time_text::read(deserializer)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        time_text::write(*self, serializer)
    }
}

impl Column for PostgresMicros {
    fn encode(&self, tuple: &mut Tuple<'_>) -> Result<(), CanonicalError> {
        tuple.time(Some(*self))
    }

    fn decode(field: Option<&[u8]>) -> Result<Self, CanonicalError> {
        match not_null(field)? {
            [0] => Ok(Self(i64::MIN)),
            [1] => Ok(Self(i64::MAX)),
            field => Ok(UnixMicros(i64::from_be_bytes(array(field)?)).into()),
        }
    }
}
