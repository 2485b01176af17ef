//! What events are grouped by.

use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::source::Precision;
use crate::filter::{ZoneShifts, offset_text};
use crate::store::connection::statement::Parameters;
use crate::store::search::selected_column::{PayloadPath, SelectedColumn};
use crate::time::{PostgresMicros, Timestamp, timestamp_text};
use crate::value::Value;

/// What events are grouped by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grouping {
    /// `event_type`.
    Type,
    /// `source_service`.
    Service,
    /// Whether they are dead letters.
    Dlt,
    /// The topic they came from.
    Topic,
    /// The exception class of dead letters.
    Error,
    /// The aggregate.
    Aggregate,
    /// The correlation; of an event without one its aggregate.
    Correlation,
    /// The minute in which they happened.
    Minute,
    /// The hour in which they happened.
    Hour,
    /// The day on which they happened.
    Day,
    /// The week in which they happened, by its Monday.
    Week,
    /// The month in which they happened.
    Month,
    /// The hour of the day at which they happened, whatever the day.
    HourOfDay,
    /// What a path finds first in the payload.
    Payload(PayloadPath),
}

impl Grouping {
    /// Every grouping with a name of its own, in the order in which they are listed.
    pub const NAMED: [Self; 13] = [
        Self::Type,
        Self::Service,
        Self::Dlt,
        Self::Topic,
        Self::Error,
        Self::Aggregate,
        Self::Correlation,
        Self::Minute,
        Self::Hour,
        Self::Day,
        Self::Week,
        Self::Month,
        Self::HourOfDay,
    ];

    /// Its name, as an option's value and as a column; of a path the path.
    pub fn name(&self) -> &str {
        match self {
            Self::Type => "type",
            Self::Service => "service",
            Self::Dlt => "dlt",
            Self::Topic => "topic",
            Self::Error => "error",
            Self::Aggregate => "aggregate",
            Self::Correlation => "correlation",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::HourOfDay => "hour-of-day",
            Self::Payload(path) => path.as_str(),
        }
    }

    /// Whether its groups follow each other in time.
    pub fn is_time(&self) -> bool {
        self.is_moment() || *self == Self::HourOfDay
    }

    /// Whether each of its groups is a time that comes once.
    pub fn is_moment(&self) -> bool {
        matches!(self, Self::Minute | Self::Hour | Self::Day | Self::Week | Self::Month)
    }

    /// How many expressions its key has in SQL.
    pub(super) fn width(&self) -> usize {
        if *self == Self::Correlation { 2 } else { 1 }
    }

    /// How finely times have to be told apart for it.
    pub(super) fn precision(&self, shifts: &ZoneShifts) -> Precision {
        match self {
            Self::Type | Self::Service | Self::Dlt | Self::Topic => Precision::Days,
            Self::Day | Self::Week | Self::Month if shifts.is_utc() => Precision::Days,
            Self::Hour | Self::HourOfDay | Self::Day | Self::Week | Self::Month
                if shifts.is_on_whole_hours() =>
            {
                Precision::Hours
            }
            _ => Precision::Rows,
        }
    }

    /// The SQL of its key, of a row called `event`: one expression, or two where ids of two kinds
    /// can be one.
    pub(super) fn expressions(
        &self,
        shifts: &ZoneShifts,
        parameters: &mut Parameters,
    ) -> Vec<String> {
        let expression = match self {
            Self::Type => "event.event_type::text".to_owned(),
            Self::Service => "event.source_service::text".to_owned(),
            Self::Dlt => "(event.is_dlt IS TRUE)::text".to_owned(),
            Self::Topic => "origin.topic".to_owned(),
            Self::Error => "letter.exception_class".to_owned(),
            Self::Aggregate => "event.aggregate_id".to_owned(),
            Self::Correlation => {
                return vec![
                    "event.correlation_id".to_owned(),
                    "CASE WHEN event.correlation_id IS NULL THEN event.aggregate_id END".to_owned(),
                ];
            }
            Self::Minute => truncated("minute", shifts, parameters),
            Self::Hour => truncated("hour", shifts, parameters),
            Self::Day => format!("date_trunc('day', {})", wall_clock(shifts, parameters)),
            Self::Week => format!("date_trunc('week', {})", wall_clock(shifts, parameters)),
            Self::Month => {
                let local = wall_clock(shifts, parameters);
                // The first month that PostgreSQL has a time in began before its first time.
                format!(
                    "CASE WHEN {local} >= TIMESTAMP '4713-01-01 BC' THEN date_trunc('month', {local}) ELSE {local} END"
                )
            }
            Self::HourOfDay => hour_of_day(shifts, parameters),
            // A null is a missing value.
            Self::Payload(path) => found(path, parameters),
        };
        vec![expression]
    }

    /// The key in a row, whose SQL is at `index`.
    pub(super) fn value(
        &self,
        row: &Row,
        index: usize,
        shifts: &ZoneShifts,
    ) -> Result<Value<'static>, tokio_postgres::Error> {
        let time = || row.try_get::<_, Option<PostgresMicros>>(index);
        Ok(match self {
            Self::Type | Self::Service | Self::Dlt | Self::Topic | Self::Error => {
                row.try_get::<_, Option<String>>(index)?.into()
            }
            Self::Aggregate => row.try_get::<_, Option<Uuid>>(index)?.into(),
            Self::Correlation => {
                let (correlation, aggregate) = (
                    row.try_get::<_, Option<Uuid>>(index)?,
                    row.try_get::<_, Option<Uuid>>(index + 1)?,
                );
                correlation.or(aggregate).into()
            }
            Self::Minute => time()?.map(|time| moment_text(shifts.wall_clock(time))).into(),
            Self::Hour => time()?.map(|time| moment_text(shifts.wall_clock_of_hour(time))).into(),
            Self::Day | Self::Week => time()?.map(|time| date_text(time, 3)).into(),
            Self::Month => time()?.map(|time| date_text(time, 2)).into(),
            Self::HourOfDay => row.try_get::<_, Option<i32>>(index)?.into(),
            Self::Payload(path) => SelectedColumn::Payload(path.clone()).owned_value(row, index)?,
        })
    }
}

/// The SQL of what a path finds first in the payload; NULL for JSON's null, too.
pub(super) fn found(path: &PayloadPath, parameters: &mut Parameters) -> String {
    let found = SelectedColumn::Payload(path.clone()).expression(parameters);
    format!("NULLIF({found}, 'null')")
}

/// The SQL of the hour that the clocks show.
pub(super) fn hour_of_day(shifts: &ZoneShifts, parameters: &mut Parameters) -> String {
    format!("date_part('hour', {})::int", wall_clock(shifts, parameters))
}

/// The SQL of what the clocks show when an event happened.
pub(super) fn wall_clock(shifts: &ZoneShifts, parameters: &mut Parameters) -> String {
    shift(shifts, parameters).map_or_else(
        || "event.created_at".to_owned(),
        |shift| shifted("event.created_at", '+', &shift),
    )
}

/// The SQL of the instant at which the minute or hour of the clocks began.
fn truncated(unit: &str, shifts: &ZoneShifts, parameters: &mut Parameters) -> String {
    if shifts.is_on_whole_hours() {
        return format!("date_trunc('{unit}', event.created_at)");
    }
    let shift = shift(shifts, parameters).unwrap_or_default();
    let local = shifted("event.created_at", '+', &shift);
    shifted(&format!("date_trunc('{unit}', {local})"), '-', &shift)
}

/// The SQL of a time moved by a shift. Times at the ends of PostgreSQL's range stay: they would
/// leave it.
fn shifted(time: &str, sign: char, shift: &str) -> String {
    format!(
        "CASE WHEN event.created_at BETWEEN TIMESTAMP '4713-01-01 BC' AND TIMESTAMP '294276-12-01' \
         THEN {time} {sign} {shift} ELSE {time} END"
    )
}

/// The SQL of the interval between UTC and the clocks; `None` where there is none.
fn shift(shifts: &ZoneShifts, parameters: &mut Parameters) -> Option<String> {
    if shifts.is_utc() {
        return None;
    }
    let seconds: Vec<f64> = shifts.seconds().iter().map(|seconds| f64::from(*seconds)).collect();
    let seconds = match (seconds.as_slice(), shifts.changes()) {
        ([only], _) => parameters.bind(*only, Type::FLOAT8),
        (_, changes) => {
            let changes = parameters.bind(changes.to_vec(), Type::TIMESTAMP_ARRAY);
            let seconds = parameters.bind(seconds, Type::FLOAT8_ARRAY);
            format!("({seconds})[1 + width_bucket(event.created_at, {changes})]")
        }
    };
    Some(format!("{seconds} * interval '1 second'"))
}

/// `2026-11-22T10:00Z`, in another zone `2026-11-22T11:00+01:00`: of what clocks show, and how many
/// seconds east of UTC they are.
fn moment_text((local, seconds): (PostgresMicros, i32)) -> String {
    let text = timestamp_text(Timestamp::without_zone(local));
    text.replacen(":00.000000Z", &offset_text(seconds), 1)
}

/// The first `parts` of year, month and day, and the era.
fn date_text(time: PostgresMicros, parts: usize) -> String {
    let text = timestamp_text(Timestamp::without_zone(time));
    let Some((date, rest)) = text.split_once('T') else { return text };
    let date: Vec<_> = date.splitn(3, '-').take(parts).collect();
    let era = if rest.ends_with(" BC") { " BC" } else { "" };
    format!("{}{era}", date.join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_far_as_they_are_told_apart() {
        let time = PostgresMicros(848_656_800_000_000);
        assert_eq!(moment_text(ZoneShifts::utc().wall_clock(time)), "2026-11-22T10:00Z");
        let kolkata = ZoneShifts::of(
            &"Asia/Kolkata".parse().expect("a zone"),
            chrono::DateTime::UNIX_EPOCH,
            chrono::DateTime::UNIX_EPOCH,
        );
        assert_eq!(
            moment_text(kolkata.wall_clock_of_hour(PostgresMicros(time.0 + 1_800_000_000))),
            "2026-11-22T16:00+05:30"
        );
        assert_eq!(
            (date_text(time, 3), date_text(time, 2)),
            ("2026-11-22".into(), "2026-11".into())
        );
        assert_eq!(date_text(PostgresMicros(-211_813_488_000_000_000), 2), "4714-11 BC");
        assert_eq!(date_text(PostgresMicros(i64::MAX), 3), "infinity");
        assert_eq!(moment_text(kolkata.wall_clock(PostgresMicros(i64::MIN))), "-infinity");
    }
}
