//! A value as people read it.

use std::borrow::Cow;

use anstyle::Style;
use uuid::Uuid;

use super::escape::escape_controls;
use super::palette;
use crate::output::column::{Column, Emphasis};
use crate::time::timestamp_text;
use crate::value::Value;

/// A cell as people read it; control characters are always escaped.
pub(in crate::output) fn cell_text<'a>(
    column: &Column,
    cell: &'a Value<'_>,
    shorten: bool,
) -> Cow<'a, str> {
    match cell {
        Value::Null => Cow::Borrowed("-"),
        Value::Text(text) if let Some(short_form) = column.short_form => {
            escape_controls(short_form(text))
        }
        Value::Text(text) | Value::Json(text) => escape_controls(text),
        Value::Integer(number) => Cow::Owned(number.to_string()),
        Value::Float(number) => Cow::Owned(number.to_string()),
        Value::Boolean(value) => Cow::Borrowed(if *value { "true" } else { "false" }),
        Value::Uuid(uuid) if shorten => Cow::Owned(short_uuid(*uuid)),
        Value::Uuid(uuid) => Cow::Owned(uuid.to_string()),
        Value::Timestamp(timestamp) => Cow::Owned(timestamp_text(*timestamp)),
    }
}

/// How a cell stands out.
pub(in crate::output) fn cell_style(
    column: &Column,
    cell: &Value<'_>,
    emphasis: Emphasis,
) -> Style {
    match (emphasis, cell) {
        (Emphasis::Alarm, _) => palette::ALARM,
        (Emphasis::Notice, _) => palette::NOTICE,
        (Emphasis::None, Value::Text(text)) if column.category => palette::category(text),
        (Emphasis::None, _) => Style::new(),
    }
}

/// `019aa4c5…4b5a`: the beginning of a UUID of version 7 is a time, so the end is what tells two of
/// a minute apart. The short form is accepted wherever an id is asked for.
pub fn short_uuid(uuid: Uuid) -> String {
    let text = uuid.simple().to_string();
    format!("{}…{}", &text[..8], &text[28..])
}
