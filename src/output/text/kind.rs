//! What a value is to those who lay it out.

use crate::output::style::{Style, TimeForm};
use crate::value::Value;

/// What a cell holds, as far as the layout is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::output) enum Kind {
    /// No value.
    Nothing,
    /// A part of it tells nothing: ids, numbers, truth values.
    Whole,
    /// Numbers.
    Number,
    /// A part of it still tells something.
    Text,
    /// Of these a part is enough.
    Json,
    /// Times can be written shorter.
    Time,
}

impl Kind {
    pub(in crate::output) fn of(cell: &Value<'_>, style: Style) -> Self {
        match cell {
            Value::Null => Self::Nothing,
            Value::Text(_) => Self::Text,
            Value::Json(json) => Self::of_json(json),
            Value::Integer(_) | Value::Float(_) | Value::Number(_) => Self::Number,
            Value::Timestamp(_) if style.times == Some(TimeForm::Sql) => Self::Whole,
            Value::Timestamp(_) => Self::Time,
            Value::Boolean(_) | Value::Uuid(_) => Self::Whole,
        }
    }

    /// A single value in JSON is what it is without JSON: half a number is another number.
    fn of_json(json: &str) -> Self {
        match json.trim_ascii_start().bytes().next() {
            Some(b'{' | b'[') => Self::Json,
            Some(b'"') => Self::Text,
            Some(b't' | b'f' | b'n') | None => Self::Whole,
            Some(_) => Self::Number,
        }
    }
}
