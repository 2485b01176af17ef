//! Output: rows of cells in, one renderer for each format. Knows rows and `Write`, never a store.

mod cell;
mod csv;
mod escape;
mod json;
mod lines;
mod mermaid;
pub mod palette;
mod pretty;
mod report;
mod table;
mod width;

use std::borrow::Cow;
use std::io::{self, Write};

use crate::value::Value;

pub use cell::short_uuid;
pub use escape::escape_controls;
pub use mermaid::{SequenceMessage, write_mermaid};
pub use pretty::{Change, json_changes, pretty_json};
pub use report::{Section, render_report};

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Aligned columns.
    Table,
    /// One line a row, aligned as far as the rows so far tell: a table that does not wait for its
    /// last row.
    Lines,
    /// One JSON array of objects.
    Json,
    /// One JSON object a line.
    Ndjson,
    /// PostgreSQL's CSV.
    Csv,
}

/// What the renderers need to know besides the rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Style {
    /// The width to fit tables into, in columns; `None` where there is no limit.
    pub width: Option<u16>,
    /// Whether to colour.
    pub color: bool,
    /// Whether a person reads: ids are shortened in tables, and control characters escaped in every
    /// format.
    pub terminal: bool,
    /// CSV: no header line.
    pub no_header: bool,
    /// CSV: a cell that a spreadsheet would take for a formula gets an apostrophe in front.
    pub spreadsheet_safe: bool,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    name: Cow<'static, str>,
    category: bool,
}

impl Column {
    /// A column by its name: the header of a table, the member of an object.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), category: false }
    }

    /// The same, with equal values in equal colours.
    pub fn category(self) -> Self {
        Self { category: true, ..self }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// What a person should notice about a row. Renderers for programs ignore it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Emphasis {
    /// Nothing.
    #[default]
    None,
    /// Something unusual.
    Notice,
    /// Something that failed.
    Alarm,
}

/// Writes rows in one format. `begin` once, `row` for each, `end` once; what is written between
/// them is whole rows.
pub trait Renderer: Send {
    /// Takes the columns, and writes what stands before the first row.
    ///
    /// # Errors
    /// Those of `output`.
    fn begin(&mut self, columns: &[Column], output: &mut dyn Write) -> io::Result<()>;

    /// Looks at a row that follows soon, so that the columns have room for it from the beginning.
    fn expect(&mut self, _cells: &[Value<'_>]) {}

    /// Writes one row with as many cells as there are columns.
    ///
    /// # Errors
    /// Those of `output`.
    fn row(
        &mut self,
        cells: &[Value<'_>],
        emphasis: Emphasis,
        output: &mut dyn Write,
    ) -> io::Result<()>;

    /// Writes what stands after the last row.
    ///
    /// # Errors
    /// Those of `output`.
    fn end(&mut self, output: &mut dyn Write) -> io::Result<()>;
}

/// The renderer of a format.
pub fn renderer(format: Format, style: Style) -> Box<dyn Renderer> {
    match format {
        Format::Table => Box::new(table::Table::new(style)),
        Format::Lines => Box::new(lines::Lines::new(style)),
        Format::Json => Box::new(json::Json::array(style)),
        Format::Ndjson => Box::new(json::Json::lines(style)),
        Format::Csv => Box::new(csv::Csv::new(style)),
    }
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
fn rendered(format: Format, style: Style) -> String {
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
