//! The renderer of each format.

use std::io::{self, Write};

use super::column::{Column, Emphasis};
use super::csv::Csv;
use super::format::Format;
use super::json::Json;
use super::lines::Lines;
use super::renderer::Renderer;
use super::style::Style;
use super::table::Table;
use super::value_forms::ValueForms;
use crate::value::Value;

/// The renderer of a format.
pub fn renderer(format: Format, style: Style) -> Box<dyn Renderer> {
    let renderer: Box<dyn Renderer> = match format {
        Format::Table => Box::new(Table::new(style)),
        Format::Lines => Box::new(Lines::new(style)),
        Format::Json => Box::new(Json::array(style)),
        Format::Ndjson => Box::new(Json::lines(style)),
        Format::Csv => Box::new(Csv::new(style)),
    };
    ValueForms::before(renderer, format, style)
}

/// Writes all rows at once, for commands that have them in memory.
///
/// # Errors
/// Those of `output`.
pub fn render<'a>(
    format: Format,
    style: Style,
    columns: &[Column],
    rows: impl IntoIterator<Item = (Vec<Value<'a>>, Emphasis)>,
    output: &mut dyn Write,
) -> io::Result<()> {
    let mut renderer = renderer(format, style);
    renderer.begin(columns, output)?;
    for (cells, emphasis) in rows {
        renderer.row(&cells, emphasis, output)?;
    }
    renderer.end(output)?;
    output.flush()
}

/// A few rows that hold every kind of cell, for the tests of the renderers.
#[cfg(test)]
pub(super) fn rendered(format: Format, style: Style) -> String {
    let columns = [
        Column::new("id"),
        Column::new("event_type").category(),
        Column::new("event_id"),
        Column::new("is_dlt"),
        Column::new("created_at"),
        Column::new("payload"),
    ];
    let uuid = uuid::Uuid::from_u128(0x019a_a4c5_7d1e_7c3a_9b0e_3f6f_1d2c_4b5a);
    let time =
        crate::time::Timestamp::without_zone(crate::time::PostgresMicros(848_656_800_120_000));
    let row = |id: i64, event_type: &'static str, payload: &'static str| {
        vec![
            Value::from(id),
            event_type.into(),
            uuid.into(),
            (id == 2).into(),
            time.into(),
            Value::Json(payload.into()),
        ]
    };
    let rows = [
        (row(1, "OrderCreated", r#"{"amount": "10.50"}"#), Emphasis::None),
        (
            row(2, "Pay\u{1b}[31m\u{202e}, \"quoted\"\n\u{9b}", r#"{"note": "a,b\u001b"}"#),
            Emphasis::Alarm,
        ),
        (
            vec![Value::Null, "".into(), Value::Null, Value::Null, Value::Null, Value::Float(0.5)],
            Emphasis::None,
        ),
        (
            vec![
                Value::from(3),
                "=1+1".into(),
                Value::Null,
                Value::Null,
                Value::Null,
                Value::Json("[]".into()),
            ],
            Emphasis::None,
        ),
    ];
    let mut output = Vec::new();
    render(format, style, &columns, rows, &mut output).expect("writing to memory");
    String::from_utf8(output).expect("UTF-8")
}
