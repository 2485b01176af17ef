//! A value of a row, on its way from the store to a renderer.

use std::borrow::Cow;

use uuid::Uuid;

use crate::time::Timestamp;

/// One value of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// SQL's NULL.
    Null,
    /// Text.
    Text(Cow<'a, str>),
    /// An integer.
    Integer(i64),
    /// A number as it is written, of any precision.
    Number(Cow<'a, str>),
    /// A fraction.
    Float(f64),
    /// A truth value.
    Boolean(bool),
    /// JSON text, which is not looked into.
    Json(Cow<'a, str>),
    /// A UUID.
    Uuid(Uuid),
    /// A point in time, or a time without a zone that means UTC.
    Timestamp(Timestamp),
}

impl Value<'_> {
    /// The same, which borrows nothing.
    pub fn into_owned(self) -> Value<'static> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        match self {
            Self::Null => Value::Null,
            Self::Text(text) => Value::Text(owned(text)),
            Self::Integer(number) => Value::Integer(number),
            Self::Number(number) => Value::Number(owned(number)),
            Self::Float(number) => Value::Float(number),
            Self::Boolean(value) => Value::Boolean(value),
            Self::Json(json) => Value::Json(owned(json)),
            Self::Uuid(uuid) => Value::Uuid(uuid),
            Self::Timestamp(time) => Value::Timestamp(time),
        }
    }

    /// An id or a text as text; `None` for anything else.
    pub fn to_text(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone().into_owned()),
            Self::Uuid(uuid) => Some(uuid.to_string()),
            _ => None,
        }
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<i32> for Value<'_> {
    fn from(number: i32) -> Self {
        Self::Integer(number.into())
    }
}

impl From<f64> for Value<'_> {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<Uuid> for Value<'_> {
    fn from(uuid: Uuid) -> Self {
        Self::Uuid(uuid)
    }
}

impl From<Timestamp> for Value<'_> {
    fn from(timestamp: Timestamp) -> Self {
        Self::Timestamp(timestamp)
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
