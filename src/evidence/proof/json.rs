//! JSON that is read strictly, so that one text alone has one meaning: every member is there, once,
//! and no other; an object is an object, and no array of its values.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};

/// How a value stands in the JSON of a proof.
pub(super) trait JsonForm: Sized {
    /// Reads it; any other form than the one that is written is refused.
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;

    /// Writes it.
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;
}

/// For `#[serde(with = "form")]`, which makes a member necessary even where it may be null.
pub(super) mod form {
    use super::{Deserializer, JsonForm, Serializer};

    pub(in super::super) fn deserialize<'de, D, T>(deserializer: D) -> Result<T, D::Error>
    where
        D: Deserializer<'de>,
        T: JsonForm,
    {
        T::read(deserializer)
    }

    pub(in super::super) fn serialize<S, T>(value: &T, serializer: S) -> Result<S::Ok, S::Error>
    where
        S: Serializer,
        T: JsonForm,
    {
        value.write(serializer)
    }
}

/// An object of the members of a struct.
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members(PhantomData)).map(Self)
    }
}

impl<T: Serialize> Serialize for Object<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// Derived code would take an array for a struct, too.
struct Members<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(members))
    }
}

/// Lets derived structs be members: as objects.
macro_rules! as_object {
    ($type:ty) => {
        impl $crate::evidence::proof::json::JsonForm for $type {
            fn read<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let object = <$crate::evidence::proof::json::Object<Self> as serde::Deserialize>::deserialize(deserializer)?;
                Ok(object.0)
            }

            fn write<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serde::Serialize::serialize(self, serializer)
            }
        }
    };
}
pub(super) use as_object;

/// A value in its form, within an array.
struct Formed<T>(T);

impl<'de, T: JsonForm> Deserialize<'de> for Formed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read(deserializer).map(Self)
    }
}

impl<T: JsonForm> Serialize for Formed<&T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write(serializer)
    }
}

impl<T: JsonForm> JsonForm for Option<T> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Option::<Formed<T>>::deserialize(deserializer)?;
        Ok(value.map(|value| value.0))
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Some(value) => serializer.serialize_some(&Formed(value)),
            None => serializer.serialize_none(),
        }
    }
}

/// An array.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Array<T>(pub(super) Vec<T>);

impl<T: JsonForm> JsonForm for Array<T> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let values = Vec::<Formed<T>>::deserialize(deserializer)?;
        Ok(Self(values.into_iter().map(|value| value.0).collect()))
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Formed))
    }
}
