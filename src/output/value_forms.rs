//! Writes JSON values and times in another form than the format's own, whatever the format.

use std::io::{self, Write};

use super::column::{Column, Emphasis};
use super::format::Format;
use super::renderer::Renderer;
use super::style::{Style, TimeForm};
use crate::value::Value;

/// Hands text to a renderer in place of the values whose form was asked for.
pub(super) struct ValueForms {
    renderer: Box<dyn Renderer>,
    json_as_text: bool,
    times: Option<TimeForm>,
}

impl ValueForms {
    /// Before `renderer`, which writes `format`; the renderer itself where its own forms will do.
    pub(super) fn before(
        renderer: Box<dyn Renderer>,
        format: Format,
        style: Style,
    ) -> Box<dyn Renderer> {
        let (json_as_text, own_times) = match format {
            Format::Json | Format::Ndjson => (style.json_as_text, TimeForm::Rfc3339),
            // JSON is text there.
            Format::Csv => (false, TimeForm::Sql),
            // A time is no text to them: it is never cut. They write it in either form.
            Format::Table | Format::Lines => return renderer,
        };
        let times = style.times.filter(|times| *times != own_times);
        if times.is_none() && !json_as_text {
            return renderer;
        }
        Box::new(Self { renderer, json_as_text, times })
    }

    fn formed<'a>(&self, cells: &'a [Value<'_>]) -> Vec<Value<'a>> {
        let formed = cells.iter().map(|cell| match (cell, self.times) {
            (Value::Json(json), _) if self.json_as_text => Value::from(json.as_ref()),
            (Value::Timestamp(time), Some(form)) => form.text(*time).into(),
            (other, _) => other.clone(),
        });
        formed.collect()
    }
}

impl Renderer for ValueForms {
    fn begin(&mut self, columns: &[Column], output: &mut dyn Write) -> io::Result<()> {
        self.renderer.begin(columns, output)
    }

    fn expect(&mut self, cells: &[Value<'_>]) {
        let cells = self.formed(cells);
        self.renderer.expect(&cells);
    }

    fn row(
        &mut self,
        cells: &[Value<'_>],
        emphasis: Emphasis,
        output: &mut dyn Write,
    ) -> io::Result<()> {
        self.renderer.row(&self.formed(cells), emphasis, output)
    }

    fn end(&mut self, output: &mut dyn Write) -> io::Result<()> {
        self.renderer.end(output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::render;
    use crate::time::{PostgresMicros, Timestamp};

    /// What a reader of JSON may round, or refuse.
    const PAYLOAD: &str =
        r#"{"big": 1e400, "long": 1234567890123456789012345678901234567890, "quote": "\""}"#;

    fn written(format: Format, style: Style, time: i64) -> String {
        let columns = ["created_at", "recorded_at", "payload"].map(Column::new);
        let time = PostgresMicros(time);
        let cells = vec![
            Timestamp::without_zone(time).into(),
            Timestamp::with_zone(time).into(),
            Value::Json(PAYLOAD.into()),
        ];
        let mut output = Vec::new();
        render(format, style, &columns, [(cells, Emphasis::None)], &mut output)
            .expect("memory takes all");
        String::from_utf8(output).expect("UTF-8")
    }

    const TIME: i64 = 848_656_800_120_000;

    #[test]
    fn a_payload_as_text_is_byte_for_byte_the_payload() {
        let style = Style { json_as_text: true, ..Style::default() };
        let line = written(Format::Ndjson, style, TIME);
        let object: serde_json::Value = serde_json::from_str(&line).expect("an object");
        assert_eq!(object["payload"], PAYLOAD);
        let array: serde_json::Value =
            serde_json::from_str(&written(Format::Json, style, TIME)).expect("an array");
        assert_eq!(array, serde_json::json!([object]));
        // In CSV and tables it is text anyway.
        for format in [Format::Csv, Format::Table] {
            assert_eq!(written(format, style, TIME), written(format, Style::default(), TIME));
        }
    }

    #[test]
    fn times_are_written_as_asked_in_every_format() {
        let times = |format, form, time| {
            written(format, Style { times: Some(form), ..Style::default() }, time)
        };
        for format in [Format::Csv, Format::Json, Format::Ndjson, Format::Table, Format::Lines] {
            let sql = times(format, TimeForm::Sql, TIME);
            assert!(sql.contains("2026-11-22 10:00:00.12"), "{format:?}: {sql}");
            assert!(sql.contains("2026-11-22 10:00:00.12+00"), "{format:?}: {sql}");
            let rfc3339 = times(format, TimeForm::Rfc3339, TIME);
            assert_eq!(rfc3339.matches("2026-11-22T10:00:00.120000Z").count(), 2, "{rfc3339}");
            // What RFC 3339 has no form for is written as JSON does.
            let endless = times(format, TimeForm::Rfc3339, i64::MIN);
            assert_eq!(endless.matches("-infinity").count(), 2, "{endless}");
        }
    }
}
