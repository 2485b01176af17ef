//! JSON: one array, or one object a line (NDJSON). The members are named as the columns; JSON
//! columns are passed on unchanged.

use std::io::{self, Write};

use super::column::{Column, Emphasis};
use super::renderer::Renderer;
use super::style::Style;
use super::text::escape::escape_json;
use crate::value::Value;

pub(super) struct Json {
    style: Style,
    array: bool,
    /// `{"id":`, `,"event_id":` and so on.
    members: Vec<Vec<u8>>,
    rows: u64,
    line: Vec<u8>,
}

impl Json {
    pub(super) fn array(style: Style) -> Self {
        Self { style, array: true, members: Vec::new(), rows: 0, line: Vec::new() }
    }

    pub(super) fn lines(style: Style) -> Self {
        Self { array: false, ..Self::array(style) }
    }

    fn cell(&mut self, cell: &Value<'_>) -> io::Result<()> {
        match cell {
            Value::Null => self.line.extend_from_slice(b"null"),
            Value::Text(text) if self.style.terminal => {
                let text = serde_json::to_string(text)?;
                self.line.extend_from_slice(escape_json(&text).as_bytes());
            }
            Value::Text(text) => serde_json::to_writer(&mut self.line, text)?,
            Value::Json(text) if self.style.terminal => {
                self.line.extend_from_slice(escape_json(text).as_bytes());
            }
            Value::Json(text) | Value::Number(text) => self.line.extend_from_slice(text.as_bytes()),
            Value::Integer(number) => write!(self.line, "{number}")?,
            // Not a number and the infinities become null.
            Value::Float(number) => serde_json::to_writer(&mut self.line, number)?,
            Value::Boolean(value) => write!(self.line, "{value}")?,
            Value::Uuid(uuid) => {
                let mut buffer = uuid::Uuid::encode_buffer();
                self.line.push(b'"');
                self.line.extend_from_slice(uuid.hyphenated().encode_lower(&mut buffer).as_bytes());
                self.line.push(b'"');
            }
            Value::Timestamp(timestamp) => {
                self.line.push(b'"');
                timestamp.write_iso(&mut self.line);
                self.line.push(b'"');
            }
        }
        Ok(())
    }
}

impl Renderer for Json {
    fn begin(&mut self, columns: &[Column], output: &mut dyn Write) -> io::Result<()> {
        for (index, column) in columns.iter().enumerate() {
            let mut member = vec![if index == 0 { b'{' } else { b',' }];
            serde_json::to_writer(&mut member, column.name())?;
            member.push(b':');
            self.members.push(member);
        }
        if self.array { output.write_all(b"[") } else { Ok(()) }
    }

    fn row(&mut self, cells: &[Value<'_>], _: Emphasis, output: &mut dyn Write) -> io::Result<()> {
        self.line.clear();
        if self.array {
            self.line.extend_from_slice(if self.rows == 0 { b"\n" } else { b",\n" });
        }
        for (index, cell) in cells.iter().enumerate() {
            self.line.extend_from_slice(&self.members[index]);
            self.cell(cell)?;
        }
        self.line.push(b'}');
        if !self.array {
            self.line.push(b'\n');
        }
        self.rows += 1;
        output.write_all(&self.line)
    }

    fn end(&mut self, output: &mut dyn Write) -> io::Result<()> {
        match (self.array, self.rows) {
            (false, _) => Ok(()),
            (true, 0) => output.write_all(b"]\n"),
            (true, _) => output.write_all(b"\n]\n"),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::output::render::rendered;
    use crate::output::{Format, Style, render};

    #[test]
    fn json_is_one_array_and_ndjson_one_object_a_line_with_the_same_objects() {
        let json = rendered(Format::Json, Style::default());
        let ndjson = rendered(Format::Ndjson, Style::default());
        let array: Vec<serde_json::Value> = serde_json::from_str(&json).expect("one array");
        let lines: Vec<serde_json::Value> =
            ndjson.lines().map(|line| serde_json::from_str(line).expect("one object")).collect();
        assert_eq!(array, lines);
        assert_eq!(lines.len(), 4);
        insta::assert_snapshot!(ndjson.escape_debug().to_string().replace("\\n", "\n"), @r#"
{\"id\":1,\"event_type\":\"OrderCreated\",\"event_id\":\"019aa4c5-7d1e-7c3a-9b0e-3f6f1d2c4b5a\",\"is_dlt\":false,\"created_at\":\"2026-11-22T10:00:00.120000Z\",\"payload\":{\"amount\": \"10.50\"}}
{\"id\":2,\"event_type\":\"Pay\\u001b[31m\u{202e}, \\\"quoted\\\"\
\u{9b}\",\"event_id\":\"019aa4c5-7d1e-7c3a-9b0e-3f6f1d2c4b5a\",\"is_dlt\":true,\"created_at\":\"2026-11-22T10:00:00.120000Z\",\"payload\":{\"note\": \"a,b\\u001b\"}}
{\"id\":null,\"event_type\":\"\",\"event_id\":null,\"is_dlt\":null,\"created_at\":null,\"payload\":0.5}
{\"id\":3,\"event_type\":\"=1+1\",\"event_id\":null,\"is_dlt\":null,\"created_at\":null,\"payload\":[]}
"#);
    }

    #[test]
    fn no_rows_are_an_empty_array() {
        let mut output = Vec::new();
        render(Format::Json, Style::default(), &[], [], &mut output).expect("writing to memory");
        assert_eq!(output, b"[]\n");
    }

    #[test]
    fn on_a_terminal_controls_are_escaped_and_mean_the_same() {
        let plain = rendered(Format::Ndjson, Style::default());
        let shown = rendered(Format::Ndjson, Style { terminal: true, ..Style::default() });
        assert!(
            plain.contains('\u{9b}') && !shown.contains('\u{9b}') && !shown.contains('\u{202e}')
        );
        for (plain, shown) in plain.lines().zip(shown.lines()) {
            let value = |line| serde_json::from_str::<serde_json::Value>(line).expect("one object");
            assert_eq!(value(plain), value(shown));
        }
    }
}
