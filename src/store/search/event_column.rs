//! What can be asked of an event: the columns of `event_logs`, and those that other tables add to
//! it.

use std::borrow::Cow;

use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use super::batch_of_row::batch_column;
use crate::store::connection::sql_types::JsonText;
use crate::time::{PostgresMicros, Timestamp};
use crate::value::Value;

/// A column of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventColumn {
    /// The row's id.
    Id,
    /// The event's id.
    EventId,
    /// The event's type.
    EventType,
    /// The aggregate, such as the order.
    AggregateId,
    /// The service that published it.
    SourceService,
    /// Whether it came from a topic of dead letters.
    IsDlt,
    /// The event's data.
    Payload,
    /// When it happened, UTC.
    CreatedAt,
    /// `kafka_partitions.partition_id`.
    PartitionId,
    /// The offset in that partition.
    KafkaOffset,
    /// What it belongs to across services.
    CorrelationId,
    /// Key, headers, and envelope members without a column.
    Attributes,
    /// The batch that recorded it; null for a row that no batch covers.
    BatchNo,
    /// When that batch was recorded.
    RecordedAt,
    /// The topic it came from.
    Topic,
    /// The partition of that topic.
    Partition,
    /// The id of the event that led to it, as its envelope gave it.
    CausationId,
    /// The text of its [`Mark`](crate::event::Mark): `DLT`, `quarantined`, both, or empty.
    Mark,
}

impl EventColumn {
    /// Every column, in the order in which they are listed.
    pub const ALL: [Self; 18] = [
        Self::Id,
        Self::EventId,
        Self::EventType,
        Self::AggregateId,
        Self::SourceService,
        Self::IsDlt,
        Self::Payload,
        Self::CreatedAt,
        Self::PartitionId,
        Self::KafkaOffset,
        Self::CorrelationId,
        Self::Attributes,
        Self::BatchNo,
        Self::RecordedAt,
        Self::Topic,
        Self::Partition,
        Self::CausationId,
        Self::Mark,
    ];

    /// The columns of the original table, in its order.
    pub const ORIGINAL: [Self; 8] = [
        Self::Id,
        Self::EventId,
        Self::EventType,
        Self::AggregateId,
        Self::SourceService,
        Self::IsDlt,
        Self::Payload,
        Self::CreatedAt,
    ];

    /// The column's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::EventId => "event_id",
            Self::EventType => "event_type",
            Self::AggregateId => "aggregate_id",
            Self::SourceService => "source_service",
            Self::IsDlt => "is_dlt",
            Self::Payload => "payload",
            Self::CreatedAt => "created_at",
            Self::PartitionId => "partition_id",
            Self::KafkaOffset => "kafka_offset",
            Self::CorrelationId => "correlation_id",
            Self::Attributes => "attributes",
            Self::BatchNo => "batch_no",
            Self::RecordedAt => "recorded_at",
            Self::Topic => "topic",
            Self::Partition => "partition",
            Self::CausationId => "causation_id",
            Self::Mark => "mark",
        }
    }

    /// The column of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|column| column.name() == name)
    }

    /// The SQL that gives it, of a row of `event_logs` called `event`.
    pub(in crate::store) fn expression(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Id => "event.id",
            Self::EventId => "event.event_id",
            Self::EventType => "event.event_type",
            Self::AggregateId => "event.aggregate_id",
            Self::SourceService => "event.source_service",
            Self::IsDlt => "event.is_dlt",
            Self::Payload => "event.payload",
            Self::CreatedAt => "event.created_at",
            Self::PartitionId => "event.partition_id",
            Self::KafkaOffset => "event.kafka_offset",
            Self::CorrelationId => "event.correlation_id",
            Self::Attributes => "event.attributes",
            Self::BatchNo => return batch_column("event", "batch_no").into(),
            Self::RecordedAt => return batch_column("event", "recorded_at").into(),
            Self::Topic => {
                "(SELECT origin.topic FROM kafka_partitions origin WHERE origin.partition_id = event.partition_id)"
            }
            Self::Partition => {
                "(SELECT origin.partition FROM kafka_partitions origin WHERE origin.partition_id = event.partition_id)"
            }
            Self::CausationId => "event.attributes ->> 'causation_id'",
            Self::Mark => {
                "concat_ws(' ', CASE WHEN event.is_dlt THEN 'DLT' END, \
                 CASE WHEN event.event_type = 'audit.Quarantined' THEN 'quarantined' END)"
            }
        })
    }

    /// The value in a row that was selected with this column at `index`.
    ///
    /// # Errors
    /// Where the row holds something else there.
    pub(in crate::store) fn value(
        self,
        row: &Row,
        index: usize,
    ) -> Result<Value<'_>, tokio_postgres::Error> {
        fn get<'a, T: FromSql<'a>>(
            row: &'a Row,
            index: usize,
            value: fn(T) -> Value<'a>,
        ) -> Result<Value<'a>, tokio_postgres::Error> {
            Ok(row.try_get::<_, Option<T>>(index)?.map_or(Value::Null, value))
        }
        match self {
            Self::Id | Self::KafkaOffset | Self::BatchNo => get(row, index, Value::Integer),
            Self::PartitionId | Self::Partition => {
                get(row, index, |number: i32| Value::Integer(number.into()))
            }
            Self::EventId | Self::AggregateId | Self::CorrelationId => get(row, index, Value::Uuid),
            Self::EventType
            | Self::SourceService
            | Self::Topic
            | Self::CausationId
            | Self::Mark => get(row, index, |text: &str| Value::Text(Cow::Borrowed(text))),
            Self::IsDlt => get(row, index, Value::Boolean),
            Self::Payload | Self::Attributes => {
                get(row, index, |json: JsonText<'_>| Value::Json(Cow::Borrowed(json.0)))
            }
            Self::CreatedAt => {
                get(row, index, |time: PostgresMicros| Timestamp::without_zone(time).into())
            }
            Self::RecordedAt => {
                get(row, index, |time: PostgresMicros| Timestamp::with_zone(time).into())
            }
        }
    }
}
