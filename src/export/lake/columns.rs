//! What the columns of events hold, for Parquet and Delta Lake.

use lake::column::{Column, Kind};

use crate::export::columns::Columns;
use crate::store::{EventColumn, SelectedColumn};

/// The columns of a file.
pub(in crate::export) fn lake_columns(columns: &Columns) -> Vec<Column> {
    columns
        .written()
        .map(|column| Column { name: column.name().to_owned(), kind: kind(column) })
        .collect()
}

fn kind(column: &SelectedColumn) -> Kind {
    let column = match column {
        SelectedColumn::Named(column) => column,
        // What a path finds is text in one payload, and a number in the next.
        SelectedColumn::Payload(_) => return Kind::Text,
    };
    match column {
        EventColumn::Id
        | EventColumn::KafkaOffset
        | EventColumn::BatchNo
        | EventColumn::OriginOffset => Kind::Integer,
        EventColumn::PartitionId
        | EventColumn::Partition
        | EventColumn::OriginPartition
        | EventColumn::Attempts => Kind::SmallInteger,
        EventColumn::EventId | EventColumn::AggregateId | EventColumn::CorrelationId => Kind::Uuid,
        EventColumn::IsDlt => Kind::Boolean,
        EventColumn::Payload | EventColumn::Attributes => Kind::Json,
        EventColumn::CreatedAt | EventColumn::RecordedAt => Kind::Moment,
        EventColumn::EventType
        | EventColumn::SourceService
        | EventColumn::Topic
        | EventColumn::CausationId
        | EventColumn::Mark
        | EventColumn::Aggregate
        | EventColumn::Correlation
        | EventColumn::ErrorClass
        | EventColumn::ErrorMessage
        | EventColumn::ConsumerGroup
        | EventColumn::OriginTopic => Kind::Text,
    }
}
