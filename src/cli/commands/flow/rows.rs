//! The rows of a flow and of its variants, as they are written.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::analysis::{EventType, EventTypes, FlowRow, Variant};
use crate::output::{Column, FlowEdge, Format};
use crate::store::StoryIds;
use crate::time::seconds_text;
use crate::value::Value;

pub(super) fn flow_columns() -> Vec<Column> {
    ["from", "to"]
        .map(|name| Column::new(name).category())
        .into_iter()
        .chain([Column::new("count"), share_column(), Column::new("p50_seconds")])
        .chain([Column::new("p95_seconds").optional(1)])
        .collect()
}

pub(super) fn flow_cells<'a>(row: &FlowRow, types: &'a EventTypes) -> Vec<Value<'a>> {
    let name = |known: Option<EventType>| Value::from(known.map(|known| types.name(known)));
    vec![
        name(row.from),
        name(row.to),
        count(row.count),
        Value::Float(row.share),
        row.p50.map(seconds).into(),
        row.p95.map(seconds).into(),
    ]
}

pub(super) fn variant_columns() -> Vec<Column> {
    let mut columns = vec![Column::new("variant").whole()];
    columns.extend([Column::new("stories"), share_column(), Column::new("p50_seconds")]);
    columns.push(Column::new("p95_seconds").optional(1));
    columns.push(Column::new("example").whole());
    columns
}

pub(super) fn variant_cells<'a>(
    variant: &Variant,
    types: &'a EventTypes,
    ids: &'a HashMap<i64, StoryIds>,
    format: Format,
) -> Vec<Value<'a>> {
    let names = variant.types.iter().map(|event_type| types.name(*event_type));
    let sequence = match format {
        Format::Table | Format::Lines => Value::from(arrows(names)),
        Format::Json | Format::Ndjson | Format::Csv => {
            Value::Json(serde_json::Value::from(names.collect::<Vec<_>>()).to_string().into())
        }
    };
    let example = ids.get(&variant.example.first.row_id);
    vec![
        sequence,
        count(variant.stories),
        Value::Float(variant.share),
        seconds(variant.p50),
        seconds(variant.p95),
        example.map_or(Value::Null, |ids| ids.correlation.clone()),
    ]
}

/// `OrderCreated → PaymentAuthorized ×2 → OrderConfirmed`.
fn arrows<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::new();
    let mut names = names.peekable();
    while let Some(name) = names.next() {
        let mut times = 1;
        while names.next_if_eq(&name).is_some() {
            times += 1;
        }
        if !text.is_empty() {
            text.push_str(" → ");
        }
        text.push_str(name);
        if times > 1 {
            text.push_str(&format!(" ×{times}"));
        }
    }
    text
}

/// The edges of a picture.
pub(super) fn flow_edges(rows: &[FlowRow], types: &EventTypes) -> Vec<FlowEdge> {
    let name = |known: Option<EventType>| known.map(|known| types.name(known).to_owned());
    let edge = |row: &FlowRow| FlowEdge {
        from: name(row.from),
        to: name(row.to),
        count: row.count,
        share: row.share,
        p50: row.p50,
        p95: row.p95,
    };
    rows.iter().map(edge).collect()
}

fn count<'a>(count: u64) -> Value<'a> {
    Value::Integer(i64::try_from(count).unwrap_or(i64::MAX))
}

fn share_column() -> Column {
    Column::new("share").fractions_as(|part| format!("{:.1} %", part * 100.0))
}

fn seconds<'a>(microseconds: i64) -> Value<'a> {
    Value::Number(Cow::Owned(seconds_text(microseconds)))
}

#[cfg(test)]
mod tests {
    use super::arrows;

    #[test]
    fn what_is_repeated_stands_once() {
        let shown = |names: &[&str]| arrows(names.iter().copied());
        assert_eq!(shown(&["A", "B", "B", "B", "A"]), "A → B ×3 → A");
        assert_eq!(shown(&["A"]), "A");
    }
}
