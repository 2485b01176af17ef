//! A row of an outbox table: captured as a table, without Debezium's outbox event router, or polled
//! out of it. The row is the event that it carries.

use crate::event::Format;
use crate::event::column_source::ColumnOrigin;
use crate::event::envelope::{Envelope, Field, Payload, Problem};
use crate::event::json::{Kind, Member, Scan};

/// What a column of an outbox table holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    AggregateType,
    AggregateId,
    EventType,
    /// `type`, which tables of other kinds have too.
    Type,
    Payload,
    EventId,
    Source,
    OccurredAt,
    CorrelationId,
    CausationId,
    Traceparent,
}

/// The usual names of each column, in lower case and without `_` and `-`; of several that are there
/// the first one counts.
const NAMES: [(Column, &[&str]); 11] = [
    (Column::AggregateType, &["aggregatetype"]),
    (Column::AggregateId, &["aggregateid"]),
    (Column::EventType, &["eventtype"]),
    (Column::Type, &["type"]),
    (Column::Payload, &["payload", "eventpayload", "data", "eventdata"]),
    (Column::EventId, &["eventid", "id"]),
    (Column::Source, &["sourceservice", "source"]),
    (
        Column::OccurredAt,
        &[
            "occurredat",
            "occurredon",
            "eventtime",
            "eventtimestamp",
            "timestamp",
            "createdat",
            "createdon",
        ],
    ),
    (Column::CorrelationId, &["correlationid"]),
    (Column::CausationId, &["causationid"]),
    (Column::Traceparent, &["traceparent", "tracingspancontext"]),
];

/// A row's columns, found by their usual names.
struct Row<'a, 's> {
    members: &'s [Member<'a>],
    /// The member of each column, and what rank its name has.
    found: [Option<(usize, usize)>; NAMES.len()],
}

impl<'a> Row<'a, '_> {
    fn field(&self, column: Column) -> Option<Field<'a>> {
        let (member, rank) = self.found[position(column)]?;
        Field::member(NAMES[position(column)].1[rank], Some(self.members[member].value))
    }
}

fn position(column: Column) -> usize {
    NAMES.iter().position(|(known, _)| *known == column).unwrap_or_default()
}

/// Whether a row may be one of an outbox table: all have a column for the aggregate's id.
pub(super) fn may_be_row(json: &str) -> bool {
    json.contains("ggregate") || json.contains("GGREGATE")
}

/// The event that a row carries; `None` where it is no row of an outbox table, or carries nothing.
pub(super) fn event_of<'a>(row: &Scan<'a>) -> Option<Result<Envelope<'a>, Problem>> {
    let row = columns(&row.members)?;
    let is_text = |field: &Field<'a>| field.raw.text().is_some_and(|text| !text.is_empty());
    let event_type = row.field(Column::EventType).or_else(|| row.field(Column::Type));
    let event_type = event_type.filter(is_text)?;
    let aggregate_id = row.field(Column::AggregateId)?;
    let mut envelope = Envelope {
        event_id: row.field(Column::EventId),
        event_type: Some(event_type),
        aggregate_id: Some(aggregate_id),
        source_service: row.field(Column::Source),
        occurred_at: row.field(Column::OccurredAt),
        correlation_id: row.field(Column::CorrelationId),
        traceparent: row.field(Column::Traceparent),
        ..Envelope::new(Format::OutboxTable, Payload::Raw("null"), ColumnOrigin::Rule)
    };
    envelope.keep("causation_id", row.field(Column::CausationId));
    let (payload, rank) = row.found[position(Column::Payload)]?;
    let origin = ColumnOrigin::Member(NAMES[position(Column::Payload)].1[rank]);
    if let Err(problem) = envelope.set_payload(row.members[payload].value, origin) {
        return Some(Err(problem));
    }
    let taken = row.found.iter().enumerate().filter_map(|(column, found)| {
        // No column holds the aggregate's type.
        let (member, _) = (*found)?;
        (column != position(Column::AggregateType)).then_some(member)
    });
    let taken: Vec<usize> = taken.collect();
    let others = row.members.iter().enumerate().filter(|(index, _)| !taken.contains(index));
    envelope.unknown = others.map(|(_, member)| *member).collect();
    Some(Ok(envelope))
}

/// The columns of a row that has those that every outbox table has: the aggregate's id, the payload
/// and the event's type, which `type` alone is only beside the aggregate's type.
fn columns<'a, 's>(members: &'s [Member<'a>]) -> Option<Row<'a, 's>> {
    let mut row = Row { members, found: [None; NAMES.len()] };
    for (index, member) in members.iter().enumerate() {
        let Some((column, rank)) = column_of(&member.name()) else {
            continue;
        };
        // An event without a payload still is one; an object in `source` is not a service.
        let is_column = match NAMES[column].0 {
            Column::Payload => true,
            Column::Source => member.value.kind == Kind::Text,
            _ => member.value.kind != Kind::Null,
        };
        // Of repeated names the last counts, as in JSONB.
        let found = &mut row.found[column];
        if is_column && found.is_none_or(|(_, known)| rank <= known) {
            *found = Some((index, rank));
        }
    }
    let has = |column| row.found[position(column)].is_some();
    let has_type = has(Column::EventType) || (has(Column::Type) && has(Column::AggregateType));
    (has(Column::AggregateId) && has(Column::Payload) && has_type).then_some(row)
}

/// The column that a name means, and the rank of the name.
fn column_of(name: &str) -> Option<(usize, usize)> {
    let plain: String = name
        .chars()
        .filter(|character| !matches!(character, '_' | '-'))
        .map(|character| character.to_ascii_lowercase())
        .collect();
    NAMES.iter().enumerate().find_map(|(column, (_, names))| {
        names.iter().position(|known| *known == plain).map(|rank| (column, rank))
    })
}
