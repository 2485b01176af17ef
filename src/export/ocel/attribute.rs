//! Attributes of events: which type they are declared with, and their values as text.

use chrono::Datelike;
use serde::Serialize;

use super::Error;
use crate::store::{EventColumn, SelectedColumn};
use crate::time::{PostgresMicros, Timestamp, timestamp_text};
use crate::value::Value;

/// An attribute as the type of an event declares it.
#[derive(Debug, Serialize)]
pub(super) struct AttributeType<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    value_type: &'static str,
}

/// An attribute of an event. The published schema has text alone there, also for numbers: what it
/// stands for, the declaration tells.
#[derive(Debug, Serialize)]
pub(super) struct Attribute<'a> {
    name: &'a str,
    value: String,
}

impl<'a> AttributeType<'a> {
    pub(super) fn of(column: &'a SelectedColumn) -> Self {
        Self { name: column.name(), value_type: value_type(column) }
    }
}

/// One of OCEL's five types. What a path finds is text, number or truth value as it comes.
fn value_type(column: &SelectedColumn) -> &'static str {
    let SelectedColumn::Named(column) = column else { return "string" };
    match column {
        EventColumn::Id
        | EventColumn::PartitionId
        | EventColumn::KafkaOffset
        | EventColumn::BatchNo
        | EventColumn::Partition
        | EventColumn::OriginPartition
        | EventColumn::OriginOffset
        | EventColumn::Attempts => "integer",
        EventColumn::IsDlt => "boolean",
        EventColumn::CreatedAt | EventColumn::RecordedAt => "time",
        EventColumn::EventId
        | EventColumn::EventType
        | EventColumn::AggregateId
        | EventColumn::SourceService
        | EventColumn::Payload
        | EventColumn::CorrelationId
        | EventColumn::Attributes
        | EventColumn::Topic
        | EventColumn::CausationId
        | EventColumn::Mark
        | EventColumn::Aggregate
        | EventColumn::Correlation
        | EventColumn::ErrorClass
        | EventColumn::ErrorMessage
        | EventColumn::ConsumerGroup
        | EventColumn::OriginTopic => "string",
    }
}

/// The attribute that a value of a row is; `None` for NULL, and for a path that found null.
///
/// # Errors
/// `Error::Time`.
pub(super) fn value<'a>(
    row: i64,
    column: &'a SelectedColumn,
    value: &Value<'_>,
) -> Result<Option<Attribute<'a>>, Error> {
    let text = match value {
        Value::Null => return Ok(None),
        Value::Text(text) | Value::Number(text) | Value::Json(text) => text.clone().into_owned(),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Boolean(value) => value.to_string(),
        Value::Uuid(id) => id.to_string(),
        Value::Timestamp(time) => time_text(row, column.name(), time.time())?,
    };
    Ok(Some(Attribute { name: column.name(), value: text }))
}

/// `2026-11-22T10:00:00.123456Z`.
///
/// # Errors
/// `Error::Time` for an infinity, and outside the years 1 to 9999, which four digits hold.
pub(super) fn time_text(row: i64, column: &str, time: PostgresMicros) -> Result<String, Error> {
    match time.to_utc() {
        Some(instant) if (1..=9999).contains(&instant.year()) => {
            Ok(timestamp_text(Timestamp::without_zone(time)))
        }
        _ => {
            let time = timestamp_text(Timestamp::without_zone(time));
            Err(Error::Time { row, column: column.to_owned(), time })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_six_digits_up_to_the_ends_of_the_years_that_four_digits_hold() {
        let shown = |date: &str| {
            let instant = chrono::DateTime::parse_from_rfc3339(date).expect("a time").to_utc();
            time_text(7, "created_at", instant.into())
        };
        for date in ["0001-01-01T00:00:00.000000Z", "9999-12-31T23:59:59.999999Z"] {
            assert_eq!(shown(date).expect("it is held"), date);
        }
        let too_early = shown("0000-12-31T23:59:59.999999Z").expect_err("it is not held");
        assert_eq!(
            too_early.to_string(),
            "row 7: created_at is 0001-12-31T23:59:59.999999Z BC, and OCEL holds the years 1 to 9999"
        );
        for (time, text) in [(i64::MAX, "infinity"), (i64::MIN, "-infinity")] {
            let error = time_text(7, "created_at", PostgresMicros(time)).expect_err("no time");
            assert!(error.to_string().contains(&format!("created_at is {text},")), "{error}");
        }
    }

    #[test]
    fn every_value_is_text_and_null_is_no_attribute() {
        let column = SelectedColumn::Named(EventColumn::Partition);
        let text = |given| {
            let found = value(7, &column, &given).expect("no time is in it");
            found.map(|attribute| serde_json::to_string(&attribute).expect("JSON"))
        };
        assert_eq!(text(3.into()).as_deref(), Some(r#"{"name":"partition","value":"3"}"#));
        assert_eq!(text(true.into()).as_deref(), Some(r#"{"name":"partition","value":"true"}"#));
        assert_eq!(text("".into()).as_deref(), Some(r#"{"name":"partition","value":""}"#));
        assert_eq!(text(Value::Null), None);
    }
}
