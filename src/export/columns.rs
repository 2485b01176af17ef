//! What a row of a file holds.

use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::error::Error;
use super::lookups::Lookups;
use crate::event::text_of_id;
use crate::store::{EventColumn, EventRow, RowBatch, SelectedColumn, id_text};
use crate::time::Timestamp;
use crate::value::Value;

/// The columns that are read, and which of them are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    selected: Vec<SelectedColumn>,
    written: Vec<Written>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Written {
    column: SelectedColumn,
    source: ValueSource,
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ValueSource {
    /// A selected column, by its place.
    Selected(usize),
    /// What is looked up once for many rows, or made of other columns. To ask PostgreSQL for these
    /// row by row takes several times as long as the row itself.
    Derived(EventColumn),
}

impl Columns {
    /// Those that are read, and the places of those that are written, in the order in which a file
    /// has them. A place that is not there writes nothing.
    pub fn new(selected: Vec<SelectedColumn>, written: &[usize]) -> Self {
        let written = written.iter().filter_map(|place| {
            let column = selected.get(*place)?.clone();
            Some(Written { column, source: ValueSource::Selected(*place) })
        });
        let written = written.collect();
        Self { selected, written }
    }

    /// The same columns, read so that many rows take little time: for pieces of many rows.
    pub(super) fn derived(&self) -> Self {
        let is_derived = |column: &SelectedColumn| matches!(column, SelectedColumn::Named(named) if !bases(*named).is_empty());
        let mut selected: Vec<SelectedColumn> = Vec::with_capacity(self.selected.len());
        for column in &self.selected {
            let needed = match column {
                SelectedColumn::Named(named) if is_derived(column) => {
                    bases(*named).iter().map(|base| (*base).into()).collect()
                }
                column => vec![column.clone()],
            };
            for column in needed {
                if !selected.contains(&column) {
                    selected.push(column);
                }
            }
        }
        let written = self.written.iter().map(|written| {
            let column = written.column.clone();
            let place = selected.iter().position(|selected| *selected == column);
            let source = match (&column, place) {
                (_, Some(place)) => ValueSource::Selected(place),
                (SelectedColumn::Named(named), None) => ValueSource::Derived(*named),
                (SelectedColumn::Payload(_), None) => written.source,
            };
            Written { column, source }
        });
        let written = written.collect();
        Self { selected, written }
    }

    /// What is read.
    pub fn selected(&self) -> &[SelectedColumn] {
        &self.selected
    }

    /// What is written.
    pub fn written(&self) -> impl Iterator<Item = &SelectedColumn> {
        self.written.iter().map(|written| &written.column)
    }

    /// The names of what is written.
    pub fn names(&self) -> Vec<String> {
        self.written().map(|column| column.name().to_owned()).collect()
    }

    /// Whether values are looked up in the ledger.
    pub(super) fn need_batches(&self) -> bool {
        use EventColumn::{BatchNo, RecordedAt};
        let sources = self.written.iter().map(|written| written.source);
        sources
            .into_iter()
            .any(|source| matches!(source, ValueSource::Derived(BatchNo | RecordedAt)))
    }

    /// Whether values are looked up among the partitions.
    pub(super) fn need_partitions(&self) -> bool {
        use EventColumn::{Partition, Topic};
        let sources = self.written.iter().map(|written| written.source);
        sources.into_iter().any(|source| matches!(source, ValueSource::Derived(Topic | Partition)))
    }

    /// The cells of a row that are written.
    pub(super) fn cells<'a>(
        &self,
        row: &'a EventRow,
        lookups: &'a Lookups,
    ) -> Result<Vec<Value<'a>>, Error> {
        let cell = |written: &Written| match written.source {
            ValueSource::Selected(place) => Ok(row.value(place, &self.selected[place])?),
            ValueSource::Derived(column) => self.derive(column, row, lookups),
        };
        self.written.iter().map(cell).collect()
    }

    /// The value of a column; `NULL` where it is not read.
    pub(super) fn value<'a>(
        &self,
        row: &'a EventRow,
        column: EventColumn,
    ) -> Result<Value<'a>, Error> {
        match self.selected.iter().position(|selected| *selected == column.into()) {
            Some(place) => Ok(row.value(place, &self.selected[place])?),
            None => Ok(Value::Null),
        }
    }

    fn derive<'a>(
        &self,
        column: EventColumn,
        row: &'a EventRow,
        lookups: &'a Lookups,
    ) -> Result<Value<'a>, Error> {
        let value = |column| self.value(row, column);
        Ok(match column {
            EventColumn::BatchNo => {
                batch_of(&value(EventColumn::Id)?, lookups).map(|batch| batch.batch_no).into()
            }
            EventColumn::RecordedAt => batch_of(&value(EventColumn::Id)?, lookups)
                .map(|batch| Timestamp::with_zone(batch.recorded_at))
                .into(),
            EventColumn::Topic => partition_of(&value(EventColumn::PartitionId)?, lookups)
                .map(|(topic, _)| topic.as_str())
                .into(),
            EventColumn::Partition => partition_of(&value(EventColumn::PartitionId)?, lookups)
                .map(|(_, partition)| *partition)
                .into(),
            EventColumn::Correlation => match value(EventColumn::CorrelationId)? {
                Value::Uuid(id) => as_it_came(id, &value(EventColumn::Attributes)?, false),
                _ => self.derive(EventColumn::Aggregate, row, lookups)?,
            },
            EventColumn::Aggregate => match value(EventColumn::AggregateId)? {
                Value::Uuid(id) => as_it_came(id, &value(EventColumn::Attributes)?, true),
                other => other,
            },
            _ => Value::Null,
        })
    }
}

/// What a column can be made of; nothing where it is read as it is.
fn bases(column: EventColumn) -> &'static [EventColumn] {
    use EventColumn::{
        Aggregate, AggregateId, Attributes, BatchNo, Correlation, CorrelationId, Id, Partition,
        PartitionId, RecordedAt, Topic,
    };
    match column {
        BatchNo | RecordedAt => &[Id],
        Topic | Partition => &[PartitionId],
        Aggregate => &[AggregateId, Attributes],
        Correlation => &[CorrelationId, AggregateId, Attributes],
        _ => &[],
    }
}

fn batch_of<'a>(id: &Value<'_>, lookups: &'a Lookups) -> Option<&'a RowBatch> {
    match id {
        Value::Integer(id) => lookups.batch(*id),
        _ => None,
    }
}

fn partition_of<'a>(id: &Value<'_>, lookups: &'a Lookups) -> Option<&'a (String, i32)> {
    match id {
        Value::Integer(id) => lookups.partition(*id),
        _ => None,
    }
}

/// What may hold the text that an id was made of.
#[derive(Deserialize)]
struct Candidates<'a> {
    #[serde(borrow)]
    original: Option<&'a RawValue>,
    #[serde(borrow)]
    key: Option<&'a RawValue>,
}

/// The ids of the envelope, where they were no UUIDs.
#[derive(Deserialize)]
struct Original<'a> {
    #[serde(borrow)]
    aggregate_id: Option<&'a RawValue>,
    #[serde(borrow)]
    correlation_id: Option<&'a RawValue>,
}

/// The id as it came: the text that it was made of, else the UUID.
fn as_it_came(id: Uuid, attributes: &Value<'_>, is_aggregate: bool) -> Value<'static> {
    text_of(id, attributes, is_aggregate).map_or(Value::Uuid(id), Value::from)
}

fn text_of(id: Uuid, attributes: &Value<'_>, is_aggregate: bool) -> Option<String> {
    // Text becomes a UUID of version 5, and no other.
    let Value::Json(attributes) = attributes else { return None };
    if id.get_version_num() != 5 {
        return None;
    }
    let Candidates { original, key } = serde_json::from_str(attributes).ok()?;
    let original: Option<Original<'_>> =
        original.and_then(|original| serde_json::from_str(original.get()).ok());
    let candidates = match (is_aggregate, original) {
        (true, original) => [original.and_then(|original| original.aggregate_id), key],
        (false, original) => [original.and_then(|original| original.correlation_id), None],
    };
    text_of_id(id, candidates.into_iter().flatten().filter_map(id_text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{aggregate_uuid, correlation_uuid};

    #[test]
    fn what_is_looked_up_once_is_not_asked_for_row_by_row() {
        let selected: Vec<SelectedColumn> = [
            EventColumn::Topic,
            EventColumn::Payload,
            EventColumn::BatchNo,
            EventColumn::Aggregate,
        ]
        .map(SelectedColumn::from)
        .into();
        let columns = Columns::new(selected, &[0, 1, 2, 3]);
        let derived = columns.derived();
        assert_eq!(derived.names(), columns.names());
        let read: Vec<_> = derived.selected().iter().map(SelectedColumn::name).collect();
        assert_eq!(read, ["partition_id", "payload", "id", "aggregate_id", "attributes"]);
        assert!(derived.need_batches() && derived.need_partitions());
        assert!(!columns.need_batches() && !columns.need_partitions());
    }

    #[test]
    fn an_id_is_the_text_that_it_was_made_of() {
        let came = |id, attributes: &str, is_aggregate| {
            as_it_came(id, &Value::Json(attributes.into()), is_aggregate)
        };
        let order = aggregate_uuid(b"order-17");
        assert_eq!(came(order, r#"{"key": "order-17"}"#, true), "order-17".into());
        let original = r#"{"original": {"aggregate_id": "order-17"}, "key": "k"}"#;
        assert_eq!(came(order, original, true), "order-17".into());
        assert_eq!(came(order, r#"{"key": {"base64": "AA=="}}"#, true), Value::Uuid(order));
        assert_eq!(came(order, "{}", true), Value::Uuid(order));
        assert_eq!(came(aggregate_uuid(b"4711"), r#"{"key": 4711}"#, true), "4711".into());
        let request = correlation_uuid(b"request-7");
        let original = r#"{"original": {"correlation_id": "request-7"}}"#;
        assert_eq!(came(request, original, false), "request-7".into());
        assert_eq!(came(request, r#"{"key": "request-7"}"#, false), Value::Uuid(request));
    }
}
