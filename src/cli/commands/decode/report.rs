//! Answers on their way to stdout.

use std::io::{self, Write};

use super::answer::Answer;
use crate::event;
use crate::output;
use crate::output::{Column, Emphasis, Format, Renderer, Style, escape_controls};
use crate::time::timestamp_text;
use crate::value::Value;

/// Writes answers: in the table format each is a table of its own with a line for each column, in
/// the other formats each is one row.
pub(super) struct Report {
    format: Format,
    style: Style,
    rows: Option<Box<dyn Renderer>>,
    answered: usize,
}

impl Report {
    pub(super) fn new(format: Format, style: Style) -> Self {
        let rows = (format != Format::Table).then(|| output::renderer(format, style));
        Self { format, style, rows, answered: 0 }
    }

    pub(super) fn begin(&mut self, writer: &mut dyn Write) -> io::Result<()> {
        const FIRST: [&str; 4] = ["record", "decoder", "reason", "detail"];
        const LAST: [&str; 2] = ["dead_letter", "origins"];
        let Some(rows) = &mut self.rows else { return Ok(()) };
        let names = FIRST.iter().chain(event::COLUMN_NAMES.iter()).chain(&LAST);
        rows.begin(&names.map(|name| Column::new(*name)).collect::<Vec<_>>(), writer)
    }

    pub(super) fn answer(
        &mut self,
        record: &str,
        answer: &Answer,
        writer: &mut dyn Write,
    ) -> io::Result<()> {
        self.answered += 1;
        match &mut self.rows {
            Some(rows) => rows.row(&row(record, answer), Emphasis::None, writer),
            None => self.table(record, answer, writer),
        }
    }

    pub(super) fn end(&mut self, writer: &mut dyn Write) -> io::Result<()> {
        self.rows.as_mut().map_or(Ok(()), |rows| rows.end(writer))
    }

    fn table(&self, record: &str, answer: &Answer, writer: &mut dyn Write) -> io::Result<()> {
        let explanation = &answer.explanation;
        if self.answered > 1 {
            writeln!(writer)?;
        }
        write!(writer, "{}: {}", escape_controls(record), explanation.format)?;
        if let Some(reason) = explanation.reason {
            let detail = answer.detail.as_deref().unwrap_or_default();
            write!(writer, " as {reason}: {}", escape_controls(detail))?;
        } else if let Some(schema) = &answer.schema {
            write!(writer, ", by {}", escape_controls(schema))?;
        }
        writeln!(writer)?;
        let columns = explanation.columns.iter().map(|column| {
            (
                vec![column.name.into(), column.source.to_string().into(), value(column)],
                Emphasis::None,
            )
        });
        let dead_letter = answer.dead_letter.iter().map(|(name, value, from)| {
            // As text, because numbers would stand at the other side of the column.
            let value = match value {
                Value::Integer(number) => number.to_string().into(),
                other => other.clone(),
            };
            (vec![(*name).into(), from.as_str().into(), value], Emphasis::None)
        });
        let header = [Column::new("column"), Column::new("from").explains(), Column::new("value")];
        output::render(self.format, self.style, &header, columns.chain(dead_letter), writer)
    }
}

/// The columns of an answer in the order of [`Report::begin`].
fn row<'a>(record: &'a str, answer: &'a Answer) -> Vec<Value<'a>> {
    let explanation = &answer.explanation;
    let mut cells = vec![
        Value::from(record),
        explanation.format.to_string().into(),
        explanation.reason.map(|reason| reason.to_string()).into(),
        answer.detail.as_deref().into(),
    ];
    cells.extend(explanation.columns.iter().map(cell));
    cells.push(if answer.dead_letter.is_empty() {
        Value::Null
    } else {
        Value::Json(dead_letter_json(answer).into())
    });
    let origins =
        explanation.columns.iter().map(|column| (column.name, column.source.to_string().into()));
    cells.push(Value::Json(object(origins).into()));
    cells
}

/// As `show` has it: an id as it came, and the UUID that was made of it where it is text.
fn value(column: &event::Column) -> Value<'_> {
    match (&column.original, &column.value) {
        (Some(original), Some(id)) => format!("{original} ({id})").into(),
        _ => cell(column),
    }
}

fn cell(column: &event::Column) -> Value<'_> {
    match (column.name, column.value.as_deref()) {
        (_, None) => Value::Null,
        ("payload" | "attributes", Some(json)) => Value::Json(json.into()),
        ("is_dlt", Some(value)) => Value::Boolean(value == "true"),
        (_, Some(text)) => text.into(),
    }
}

fn dead_letter_json(answer: &Answer) -> String {
    object(answer.dead_letter.iter().map(|(name, value, _)| {
        let value = match value {
            Value::Text(text) => text.as_ref().into(),
            Value::Integer(number) => (*number).into(),
            Value::Timestamp(time) => timestamp_text(*time).into(),
            _ => serde_json::Value::Null,
        };
        (*name, value)
    }))
}

fn object(members: impl Iterator<Item = (&'static str, serde_json::Value)>) -> String {
    let members: Vec<_> = members
        .map(|(name, value)| format!("{}: {value}", serde_json::Value::from(name)))
        .collect();
    format!("{{{}}}", members.join(", "))
}
