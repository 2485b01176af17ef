//! Several small tables and single facts in one result, such as `audit status` gives.

use std::io::{self, Write};

use super::column::{Column, Emphasis};
use super::format::Format;
use super::render::{render, renderer};
use super::style::Style;
use crate::value::Value;

/// One part of a report.
pub struct Section<'a> {
    name: &'static str,
    /// If true, the row of number i is a single fact, and column i is its name.
    facts: bool,
    columns: Vec<Column>,
    rows: Vec<(Vec<Value<'a>>, Emphasis)>,
}

impl<'a> Section<'a> {
    /// Single facts, each with a name.
    pub fn facts(name: &'static str, facts: Vec<(&'static str, Value<'a>, Emphasis)>) -> Self {
        let columns = facts.iter().map(|(name, _, _)| Column::new(*name)).collect();
        let rows = facts.into_iter().map(|(_, cell, emphasis)| (vec![cell], emphasis)).collect();
        Self { name, facts: true, columns, rows }
    }

    /// A table.
    pub fn table(
        name: &'static str,
        columns: Vec<Column>,
        rows: Vec<(Vec<Value<'a>>, Emphasis)>,
    ) -> Self {
        Self { name, facts: false, columns, rows }
    }
}

/// Writes the sections: as tables one below the other, as JSON one object with a member for each,
/// as NDJSON that object on one line, as CSV the first table.
///
/// # Errors
/// Those of `output`.
pub fn render_report(
    format: Format,
    style: Style,
    sections: Vec<Section<'_>>,
    output: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Table | Format::Lines => {
            for (index, section) in
                sections.into_iter().filter(|section| !section.rows.is_empty()).enumerate()
            {
                if index > 0 {
                    output.write_all(b"\n")?;
                }
                table(style, section, output)?;
            }
        }
        Format::Csv => {
            if let Some(section) = sections.into_iter().find(|section| !section.facts) {
                render(format, style, &section.columns, section.rows, output)?;
            }
        }
        Format::Json | Format::Ndjson => json(format, style, sections, output)?,
    }
    output.flush()
}

fn table(style: Style, section: Section<'_>, output: &mut dyn Write) -> io::Result<()> {
    if !section.facts {
        return render(Format::Table, style, &section.columns, section.rows, output);
    }
    let columns = [Column::new(section.name), Column::new("")];
    let rows = section.columns.into_iter().zip(section.rows).map(|(column, (cells, emphasis))| {
        let name = Value::from(column.name().replace('_', " "));
        // Aligns all at the left, because the column mixes numbers and times.
        let cells = cells.into_iter().map(|cell| match cell {
            Value::Integer(number) => Value::from(number.to_string()),
            other => other,
        });
        (std::iter::once(name).chain(cells).collect(), emphasis)
    });
    render(Format::Table, style, &columns, rows, output)
}

fn json(
    format: Format,
    style: Style,
    sections: Vec<Section<'_>>,
    output: &mut dyn Write,
) -> io::Result<()> {
    let line_end: &[u8] = if format == Format::Json { b"\n" } else { b"" };
    for (index, section) in sections.into_iter().enumerate() {
        output.write_all(if index == 0 { b"{" } else { b"," })?;
        output.write_all(line_end)?;
        serde_json::to_writer(&mut *output, section.name)?;
        output.write_all(b": ")?;
        let mut lines = Vec::new();
        let mut each = renderer(Format::Ndjson, style);
        each.begin(&section.columns, &mut lines)?;
        if section.facts {
            let cells: Vec<_> = section.rows.iter().flat_map(|(cells, _)| cells.clone()).collect();
            each.row(&cells, Emphasis::None, &mut lines)?;
        } else {
            for (cells, emphasis) in &section.rows {
                each.row(cells, *emphasis, &mut lines)?;
            }
        }
        each.end(&mut lines)?;
        // Each object ends its line; in an array a comma has to stand there instead.
        let objects = lines.strip_suffix(b"\n").unwrap_or(&lines);
        if section.facts {
            output.write_all(objects)?;
            continue;
        }
        output.write_all(b"[")?;
        for (place, object) in
            objects.split(|byte| *byte == b'\n').filter(|object| !object.is_empty()).enumerate()
        {
            output.write_all(if place == 0 { b"" } else { b"," })?;
            output.write_all(line_end)?;
            output.write_all(object)?;
        }
        output.write_all(b"]")?;
    }
    output.write_all(line_end)?;
    output.write_all(b"}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(format: Format) -> String {
        let rows = vec![
            (vec![Value::from("a\nb"), Value::from(1_i64)], Emphasis::None),
            (vec![Value::Null, Value::from(2_i64)], Emphasis::Alarm),
        ];
        let sections = vec![
            Section::facts(
                "database",
                vec![
                    ("row_count", Value::from(3_i64), Emphasis::Notice),
                    ("newest", Value::Null, Emphasis::None),
                ],
            ),
            Section::table("partitions", ["topic", "lag"].map(Column::new).to_vec(), rows),
            Section::table("ingesters", vec![Column::new("name")], Vec::new()),
        ];
        let mut output = Vec::new();
        render_report(format, Style::default(), sections, &mut output)
            .expect("a vector takes everything");
        String::from_utf8(output).expect("text")
    }

    #[test]
    fn json_is_one_object_with_a_member_for_each_section() {
        let value: serde_json::Value = serde_json::from_str(&rendered(Format::Json)).expect("JSON");
        let expected = serde_json::json!({
            "database": {"row_count": 3, "newest": null},
            "partitions": [{"topic": "a\nb", "lag": 1}, {"topic": null, "lag": 2}],
            "ingesters": [],
        });
        assert_eq!(value, expected);
        let line = rendered(Format::Ndjson);
        assert_eq!(line.lines().count(), 1);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&line).expect("JSON"), expected);
    }

    #[test]
    fn a_person_sees_facts_as_lines_and_no_empty_table() {
        let shown = rendered(Format::Table);
        let lines: Vec<_> = shown
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(
            lines,
            ["database", "row count 3", "newest -", "", "topic lag", r"a\nb 1", "- 2"]
        );
    }
}
