//! Counts over time: in spans of one length, and over the hours of the week.

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::grouping::{hour_of_day, wall_clock};
use super::source::{Precision, Source};
use super::state::CountState;
use crate::filter::ZoneShifts;
use crate::store::connection::session::Session;
use crate::store::connection::statement::{Parameters, Statement};
use crate::store::error::Error;
use crate::store::search::resolved::ResolvedSelection;
use crate::time::PostgresMicros;

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
    state: &CountState,
    step_seconds: i64,
) -> Result<Vec<TimeBucket>, Error> {
    let precision = match step_seconds {
        step if step % 86_400 == 0 => Precision::Days,
        step if step % 3_600 == 0 => Precision::Hours,
        _ => Precision::Rows,
    };
    let mut parameters = Parameters::default();
    let source = Source::new(selection, state, precision, &mut parameters);
    let step = parameters.bind(step_seconds as f64, Type::FLOAT8);
    // A span that began before PostgreSQL's first time would be an error.
    let sql = format!(
        "SELECT date_bin({step} * interval '1 second', greatest(event.created_at, TIMESTAMP '4712-01-01 BC'), TIMESTAMP '2000-01-01'),
       {}, {}
  FROM {}
 WHERE isfinite(event.created_at)
 GROUP BY 1 ORDER BY 1",
        source.count(""),
        source.count("event.is_dlt"),
        source.sql
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

/// How many rows of a selection happened in each hour of each day of the week, as clocks show them:
/// `[0][0]` is Monday from midnight to one o'clock.
///
/// # Errors
/// `Error::Query`.
pub async fn hours_of_week(
    session: &Session,
    selection: &ResolvedSelection,
    state: &CountState,
    shifts: &ZoneShifts,
) -> Result<[[i64; 24]; 7], Error> {
    let precision = if shifts.is_on_whole_hours() { Precision::Hours } else { Precision::Rows };
    let mut parameters = Parameters::default();
    let source = Source::new(selection, state, precision, &mut parameters);
    let hour = hour_of_day(shifts, &mut parameters);
    let sql = format!(
        "SELECT date_part('isodow', {})::int, {hour}, {}
  FROM {}
 WHERE isfinite(event.created_at)
 GROUP BY 1, 2",
        wall_clock(shifts, &mut parameters),
        source.count(""),
        source.sql
    );
    let cell =
        |row: &Row| Ok((row.try_get::<_, i32>(0)?, row.try_get::<_, i32>(1)?, row.try_get(2)?));
    let what = "counting events over the hours of the week";
    let cells = Statement { sql, parameters }.rows(session, what, cell).await?;
    let mut week = [[0; 24]; 7];
    for (day, hour, rows) in cells {
        let hours = usize::try_from(day - 1).ok().and_then(|day| week.get_mut(day));
        let place = usize::try_from(hour).ok();
        if let Some(cell) = hours.zip(place).and_then(|(hours, hour)| hours.get_mut(hour)) {
            *cell = rows;
        }
    }
    Ok(week)
}
