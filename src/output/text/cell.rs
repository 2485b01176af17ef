//! A value as people read it.

use std::borrow::Cow;

use uuid::Uuid;

use super::escape::escape_controls;
use super::palette;
use super::width::head;
use super::wrap::MOST_LINES;
use crate::output::column::{Column, Emphasis};
use crate::output::style::Style;
use crate::time::timestamp_text;
use crate::value::Value;

/// How many characters of a text may matter, in lines of the terminal: some take no room.
const LONGEST_IN_LINES: usize = 4 * MOST_LINES;

/// A cell as people read it; control characters are always escaped. Of a text that is longer than
/// any terminal shows of it there is only the beginning.
pub(in crate::output) fn cell_text<'a>(
    column: &Column,
    cell: &'a Value<'_>,
    style: Style,
) -> Cow<'a, str> {
    let begin = |text: &'a str| match style.width {
        Some(width) => head(text, LONGEST_IN_LINES * usize::from(width)),
        None => Cow::Borrowed(text),
    };
    match cell {
        Value::Null => Cow::Borrowed("-"),
        Value::Text(text) if let Some(short_form) = column.short_form => {
            escaped(begin(short_form(text)))
        }
        Value::Text(text) | Value::Json(text) => escaped(begin(text)),
        Value::Number(number) => Cow::Borrowed(number),
        Value::Integer(number) => Cow::Owned(number.to_string()),
        Value::Float(number) => Cow::Owned(match column.fraction_form {
            Some(fraction_form) => fraction_form(*number),
            None => number.to_string(),
        }),
        Value::Boolean(value) => Cow::Borrowed(if *value { "true" } else { "false" }),
        Value::Uuid(uuid) if style.terminal => Cow::Owned(short_uuid(*uuid)),
        Value::Uuid(uuid) => Cow::Owned(uuid.to_string()),
        Value::Timestamp(time) => match style.times {
            Some(form) => Cow::Owned(form.text(*time)),
            None => Cow::Owned(timestamp_text(*time)),
        },
    }
}

fn escaped(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => escape_controls(text),
        Cow::Owned(text) => Cow::Owned(escape_controls(&text).into_owned()),
    }
}

/// How a cell stands out.
pub(in crate::output) fn cell_style(
    column: &Column,
    cell: &Value<'_>,
    emphasis: Emphasis,
) -> anstyle::Style {
    match (emphasis, cell) {
        (Emphasis::Alarm, _) => palette::ALARM,
        (Emphasis::Notice, _) => palette::NOTICE,
        (Emphasis::None, Value::Text(text)) if column.category => palette::category(text),
        (Emphasis::None, _) => anstyle::Style::new(),
    }
}

/// `019aa4c5…4b5a`: the beginning of a UUID of version 7 is a time, so the end is what tells two of
/// a minute apart. The short form is accepted wherever an id is asked for.
pub fn short_uuid(uuid: Uuid) -> String {
    let text = uuid.simple().to_string();
    format!("{}…{}", &text[..8], &text[28..])
}
