//! What can be asked of an event: the columns of `event_logs`, and those that other tables add to
//! it.

use std::borrow::Cow;

use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use super::batch_of_row::batch_column;
use super::text_id;
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
    /// The aggregate's id as it came: text that is no UUID, else the UUID.
    Aggregate,
    /// The correlation's id as it came; that of the aggregate where there is none.
    Correlation,
    /// Of a dead letter: the exception's class.
    ErrorClass,
    /// Of a dead letter: the exception's message.
    ErrorMessage,
    /// Of a dead letter: the consumer group that gave up on it.
    ConsumerGroup,
    /// Of a dead letter: the topic that the record was in first.
    OriginTopic,
    /// Of a dead letter: the partition there.
    OriginPartition,
    /// Of a dead letter: the offset there.
    OriginOffset,
    /// Of a dead letter: how often it was tried, where its producer counts that.
    Attempts,
}

impl EventColumn {
    /// Every column, in the order in which they are listed.
    pub const ALL: [Self; 27] = [
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
        Self::Aggregate,
        Self::Correlation,
        Self::ErrorClass,
        Self::ErrorMessage,
        Self::ConsumerGroup,
        Self::OriginTopic,
        Self::OriginPartition,
        Self::OriginOffset,
        Self::Attempts,
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
            Self::Aggregate => "aggregate",
            Self::Correlation => "correlation",
            Self::ErrorClass => "error_class",
            Self::ErrorMessage => "error_message",
            Self::ConsumerGroup => "consumer_group",
            Self::OriginTopic => "origin_topic",
            Self::OriginPartition => "origin_partition",
            Self::OriginOffset => "origin_offset",
            Self::Attempts => "attempts",
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
            Self::Aggregate => text_id::AGGREGATE,
            Self::Correlation => text_id::STORY,
            Self::ErrorClass => return letter_column("exception_class").into(),
            Self::ErrorMessage => return letter_column("exception_message").into(),
            Self::ConsumerGroup => return letter_column("consumer_group").into(),
            Self::OriginTopic => return letter_column("origin_topic").into(),
            Self::OriginPartition => return letter_column("origin_partition").into(),
            Self::OriginOffset => return letter_column("origin_offset").into(),
            Self::Attempts => return letter_column("attempts").into(),
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
            Self::Id | Self::KafkaOffset | Self::BatchNo | Self::OriginOffset => {
                get(row, index, Value::Integer)
            }
            Self::PartitionId | Self::Partition | Self::OriginPartition | Self::Attempts => {
                get(row, index, |number: i32| Value::Integer(number.into()))
            }
            Self::EventId | Self::AggregateId | Self::CorrelationId => get(row, index, Value::Uuid),
            Self::EventType
            | Self::SourceService
            | Self::Topic
            | Self::CausationId
            | Self::Mark
            | Self::ErrorClass
            | Self::ErrorMessage
            | Self::ConsumerGroup
            | Self::OriginTopic => get(row, index, |text: &str| Value::Text(Cow::Borrowed(text))),
            Self::IsDlt => get(row, index, Value::Boolean),
            Self::Payload | Self::Attributes => {
                get(row, index, |json: JsonText<'_>| Value::Json(Cow::Borrowed(json.0)))
            }
            Self::Aggregate | Self::Correlation => {
                get(row, index, |json: JsonText<'_>| text_id::as_it_came(json.0).into())
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

/// A column of the row of `dead_letters`; NULL for what is no dead letter, without looking for it.
fn letter_column(column: &str) -> String {
    format!(
        "CASE WHEN event.is_dlt THEN (SELECT letter.{column} FROM dead_letters letter WHERE letter.event_log_id = event.id) END"
    )
}
