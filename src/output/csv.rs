//! CSV as PostgreSQL's COPY writes it: NULL is an unquoted empty field, the empty text is `""`,
//! lines end with `\n`. Source: PostgreSQL documentation, COPY, "CSV Format".

use std::io::{self, Write};

use super::column::{Column, Emphasis};
use super::renderer::Renderer;
use super::style::Style;
use super::text::escape::escape_controls;
use crate::value::Value;

pub(super) struct Csv {
    style: Style,
    line: Vec<u8>,
}

impl Csv {
    pub(super) fn new(style: Style) -> Self {
        Self { style, line: Vec::new() }
    }

    fn text(&mut self, text: &str, only: bool) {
        if self.style.terminal {
            // Line breaks and tabs do no harm, and keep the field what it is.
            let pieces: Vec<_> = text.split_inclusive(['\n', '\t']).collect();
            let shown: String = pieces
                .iter()
                .map(|piece| match piece.char_indices().next_back() {
                    Some((end, last @ ('\n' | '\t'))) => {
                        format!("{}{last}", escape_controls(&piece[..end]))
                    }
                    _ => escape_controls(piece).into_owned(),
                })
                .collect();
            self.quoted_where_needed(&shown, only);
        } else {
            self.quoted_where_needed(text, only);
        }
    }

    fn quoted_where_needed(&mut self, text: &str, only: bool) {
        let apostrophe =
            self.style.spreadsheet_safe && text.starts_with(['=', '+', '-', '@', '\t', '\r']);
        // PostgreSQL quotes what holds the delimiter, a quote or a line break, the empty text, and
        // `\.` alone on a line, which would end the input.
        let quote = text.is_empty()
            || text.bytes().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r'))
            || (only && text == "\\.");
        if quote {
            self.line.push(b'"');
        }
        if apostrophe {
            self.line.push(b'\'');
        }
        if quote {
            let mut rest = text.as_bytes();
            while let Some(place) = rest.iter().position(|byte| *byte == b'"') {
                self.line.extend_from_slice(&rest[..=place]);
                self.line.push(b'"');
                rest = &rest[place + 1..];
            }
            self.line.extend_from_slice(rest);
            self.line.push(b'"');
        } else {
            self.line.extend_from_slice(text.as_bytes());
        }
    }
}

impl Renderer for Csv {
    fn begin(&mut self, columns: &[Column], output: &mut dyn Write) -> io::Result<()> {
        if self.style.no_header {
            return Ok(());
        }
        self.line.clear();
        for (index, column) in columns.iter().enumerate() {
            if index > 0 {
                self.line.push(b',');
            }
            self.text(column.name(), columns.len() == 1);
        }
        self.line.push(b'\n');
        output.write_all(&self.line)
    }

    fn row(&mut self, cells: &[Value<'_>], _: Emphasis, output: &mut dyn Write) -> io::Result<()> {
        self.line.clear();
        for (index, cell) in cells.iter().enumerate() {
            if index > 0 {
                self.line.push(b',');
            }
            match cell {
                Value::Null => {}
                Value::Text(text) | Value::Json(text) => self.text(text, cells.len() == 1),
                Value::Number(number) => self.line.extend_from_slice(number.as_bytes()),
                Value::Integer(number) => write!(self.line, "{number}")?,
                Value::Float(number) => write!(self.line, "{number}")?,
                Value::Boolean(value) => self.line.push(if *value { b't' } else { b'f' }),
                Value::Uuid(uuid) => {
                    let mut buffer = uuid::Uuid::encode_buffer();
                    self.line
                        .extend_from_slice(uuid.hyphenated().encode_lower(&mut buffer).as_bytes());
                }
                Value::Timestamp(timestamp) => timestamp.write_sql(&mut self.line),
            }
        }
        self.line.push(b'\n');
        output.write_all(&self.line)
    }

    fn end(&mut self, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::output::render::rendered;
    use crate::output::{Format, Style};

    #[test]
    fn csv_is_what_copy_writes() {
        insta::assert_snapshot!(rendered(Format::Csv, Style::default()).escape_debug().to_string().replace("\\n", "\n"), @r#"
id,event_type,event_id,is_dlt,created_at,payload
1,OrderCreated,019aa4c5-7d1e-7c3a-9b0e-3f6f1d2c4b5a,f,2026-11-22 10:00:00.12,\"{\"\"amount\"\": \"\"10.50\"\"}\"
2,\"Pay\u{1b}[31m\u{202e}, \"\"quoted\"\"
\u{9b}\",019aa4c5-7d1e-7c3a-9b0e-3f6f1d2c4b5a,t,2026-11-22 10:00:00.12,\"{\"\"note\"\": \"\"a,b\\u001b\"\"}\"
,\"\",,,,0.5
3,=1+1,,,,[]
"#);
    }

    #[test]
    fn the_header_can_be_left_out_and_formulas_be_made_harmless() {
        let style = Style { no_header: true, spreadsheet_safe: true, ..Style::default() };
        let text = rendered(Format::Csv, style);
        assert!(text.starts_with("1,OrderCreated,"), "{text}");
        assert!(text.contains("\n3,'=1+1,"), "{text}");
    }

    #[test]
    fn on_a_terminal_controls_are_escaped() {
        let text = rendered(Format::Csv, Style { terminal: true, ..Style::default() });
        assert!(text.contains("\"Pay\\u{1b}[31m\\u{202e}, \"\"quoted\"\"\n\\u{9b}\""), "{text}");
    }
}
