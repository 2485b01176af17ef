//! Counts of events by what they have in common.

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::store::connection::session::Session;
use crate::store::connection::statement::{Parameters, Statement};
use crate::store::error::Error;
use crate::store::search::conditions::{selection_conditions, where_clause};
use crate::store::search::resolved::ResolvedSelection;
use crate::time::PostgresMicros;

/// What events are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// The correlation.
    Correlation,
    /// The minute in which they happened.
    Minute,
    /// The hour in which they happened.
    Hour,
    /// The day on which they happened.
    Day,
}

impl Grouping {
    /// Every grouping, in the order in which they are listed.
    pub const ALL: [Self; 10] = [
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
    ];

    /// Its name, as an option's value and as a column.
    pub fn name(self) -> &'static str {
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
        }
    }

    fn expression(self) -> &'static str {
        match self {
            Self::Type => "event.event_type::text",
            Self::Service => "event.source_service::text",
            Self::Dlt => "(event.is_dlt IS TRUE)::text",
            Self::Topic => "origin.topic",
            Self::Error => "letter.exception_class",
            Self::Aggregate => "event.aggregate_id::text",
            Self::Correlation => "event.correlation_id::text",
            Self::Minute => {
                "to_char(date_trunc('minute', event.created_at), 'YYYY-MM-DD\"T\"HH24:MI\"Z\"')"
            }
            Self::Hour => {
                "to_char(date_trunc('hour', event.created_at), 'YYYY-MM-DD\"T\"HH24:MI\"Z\"')"
            }
            Self::Day => "to_char(date_trunc('day', event.created_at), 'YYYY-MM-DD')",
        }
    }

    fn is_time(self) -> bool {
        matches!(self, Self::Minute | Self::Hour | Self::Day)
    }
}

/// One group, or all selected events together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventCount {
    /// What its events have in common, one value for each grouping.
    pub keys: Vec<Option<String>>,
    /// How many rows it has.
    pub rows: i64,
    /// How many of them are dead letters.
    pub dead_letters: i64,
    /// How many of them are quarantined.
    pub quarantined: i64,
    /// How many of them deliver an event again, dead letters left out; only where that was asked
    /// for.
    pub duplicates: Option<i64>,
    /// When the first of their events happened.
    pub first: PostgresMicros,
    /// When the last of their events happened.
    pub last: PostgresMicros,
}

/// The groups of a selection: the largest first, or in the order of time where the first grouping
/// is one of time. Without groupings there is one group, and none where nothing matches.
///
/// # Errors
/// `Error::Query`.
pub async fn count_events(
    session: &Session,
    selection: &ResolvedSelection,
    by: &[Grouping],
    duplicates: bool,
    limit: i64,
) -> Result<Vec<EventCount>, Error> {
    let statement = groups_statement(selection, by, duplicates, limit);
    let group = |row: &Row| {
        let keys = (0..by.len()).map(|index| row.try_get(index)).collect::<Result<_, _>>()?;
        let at = |offset: usize| by.len() + offset;
        Ok(EventCount {
            keys,
            rows: row.try_get(at(0))?,
            dead_letters: row.try_get(at(1))?,
            quarantined: row.try_get(at(2))?,
            first: row.try_get(at(3))?,
            last: row.try_get(at(4))?,
            duplicates: row.try_get(at(5))?,
        })
    };
    statement.rows(session, "counting events", group).await
}

fn groups_statement(
    selection: &ResolvedSelection,
    by: &[Grouping],
    duplicates: bool,
    limit: i64,
) -> Statement {
    let mut parameters = Parameters::default();
    let mut from = "event_logs event".to_owned();
    if by.contains(&Grouping::Topic) {
        from.push_str(
            "\n  LEFT JOIN kafka_partitions origin ON origin.partition_id = event.partition_id",
        );
    }
    if by.contains(&Grouping::Error) {
        from.push_str("\n  LEFT JOIN dead_letters letter ON letter.event_log_id = event.id");
    }
    let conditions = selection_conditions(selection, "event", &mut parameters);
    let filter = where_clause(&conditions);
    let keys: String = by.iter().map(|grouping| format!("{}, ", grouping.expression())).collect();
    let numbers: Vec<_> = (1..=by.len()).map(|number| number.to_string()).collect();
    let group_by =
        if by.is_empty() { String::new() } else { format!("\n GROUP BY {}", numbers.join(", ")) };
    let order = match by.first() {
        Some(grouping) if grouping.is_time() => numbers.join(", "),
        _ => std::iter::once(format!("{} DESC", by.len() + 1))
            .chain(numbers)
            .collect::<Vec<_>>()
            .join(", "),
    };
    // Leaves dead letters out, as `audit status` does: they repeat their event by nature.
    let duplicates = if duplicates {
        "count(event.event_id) FILTER (WHERE NOT event.is_dlt)
       - count(DISTINCT event.event_id) FILTER (WHERE NOT event.is_dlt)"
    } else {
        "NULL::bigint"
    };
    let limit = parameters.bind(limit, Type::INT8);
    let sql = format!(
        "SELECT {keys}count(*), count(*) FILTER (WHERE event.is_dlt),
       count(*) FILTER (WHERE event.event_type = 'audit.Quarantined'),
       min(event.created_at), max(event.created_at), {duplicates}
  FROM {from}{filter}{group_by}
HAVING count(*) > 0
 ORDER BY {order}
 LIMIT {limit}"
    );
    Statement { sql, parameters }
}

/// The rows of one span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeBucket {
    /// When it begins.
    pub begin: PostgresMicros,
    /// How many rows it has.
    pub rows: i64,
    /// How many of them are dead letters.
    pub dead_letters: i64,
}

/// How many rows of a selection happened in each span of `step_seconds`, in the order of time;
/// spans without rows are left out.
///
/// # Errors
/// `Error::Query`.
pub async fn histogram(
    session: &Session,
    selection: &ResolvedSelection,
    step_seconds: i64,
) -> Result<Vec<TimeBucket>, Error> {
    let mut parameters = Parameters::default();
    let step = parameters.bind(step_seconds as f64, Type::FLOAT8);
    let mut conditions = selection_conditions(selection, "event", &mut parameters);
    conditions.push("isfinite(event.created_at)".to_owned());
    let sql = format!(
        "SELECT date_bin({step} * interval '1 second', event.created_at, TIMESTAMP '2000-01-01'), count(*),
       count(*) FILTER (WHERE event.is_dlt)
  FROM event_logs event
 WHERE {}
 GROUP BY 1 ORDER BY 1",
        conditions.join("\n   AND ")
    );
    let bucket = |row: &Row| {
        Ok(TimeBucket {
            begin: row.try_get(0)?,
            rows: row.try_get(1)?,
            dead_letters: row.try_get(2)?,
        })
    };
    Statement { sql, parameters }.rows(session, "counting events over time", bucket).await
}
