//! What is counted: rows, or counts of rows with the rows that they don't hold.

use tokio_postgres::types::Type;

use super::spans::{Span, cut, spans};
use crate::store::connection::statement::Parameters;
use crate::store::search::conditions::{selection_conditions, where_clause};
use crate::store::search::counted::CountState;
use crate::store::search::resolved::ResolvedSelection;

/// How finely a count has to tell times apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Precision {
    /// Days of UTC are enough.
    Days,
    /// Hours of UTC are enough.
    Hours,
    /// Each row has to be looked at.
    Rows,
}

/// The columns of a row that something is counted by.
const ROW_COLUMNS: &str = "event.id, event.event_id, event.event_type, event.aggregate_id, event.source_service, event.is_dlt, \
     event.payload, event.created_at, event.partition_id, event.correlation_id";

/// What counts know of rows. The time is a day's, an hour's or a row's own.
fn count_columns(time: &str, events: &str, first: &str, last: &str) -> String {
    format!(
        "event.event_type, event.source_service, event.is_dlt, event.{time} AS created_at, event.partition_id, \
         {events} AS events, event.{first} AS first_at, event.{last} AS last_at"
    )
}

/// Something to select from, as `event`, and how its rows are counted.
pub(super) struct Source {
    /// SQL for FROM.
    pub(super) sql: String,
    /// Whether a row of it stands for `events` rows, from `first_at` to `last_at`.
    pub(super) is_counted: bool,
}

impl Source {
    /// The rows of a selection.
    pub(super) fn new(
        selection: &ResolvedSelection,
        state: &CountState,
        precision: Precision,
        parameters: &mut Parameters,
    ) -> Self {
        let is_counted = precision < Precision::Rows && state.can_tell(selection);
        let parts = parts(selection, is_counted.then_some((state, precision)), "", parameters);
        Self::of(&parts, is_counted)
    }

    /// The rows of a selection, `is_now`, and those of another one.
    pub(super) fn compared(
        now: &ResolvedSelection,
        before: &ResolvedSelection,
        state: &CountState,
        precision: Precision,
        parameters: &mut Parameters,
    ) -> Self {
        let is_counted =
            precision < Precision::Rows && state.can_tell(now) && state.can_tell(before);
        let counts = is_counted.then_some((state, precision));
        let mut all = parts(now, counts, ", TRUE AS is_now", parameters);
        all.extend(parts(before, counts, ", FALSE AS is_now", parameters));
        Self::of(&all, is_counted)
    }

    fn of(parts: &[String], is_counted: bool) -> Self {
        Self { sql: format!("({}) event", parts.join("\n  UNION ALL\n")), is_counted }
    }

    /// How many rows there are, of those that `filter` lets through.
    pub(super) fn count(&self, filter: &str) -> String {
        let filter =
            if filter.is_empty() { String::new() } else { format!(" FILTER (WHERE {filter})") };
        if self.is_counted {
            format!("coalesce(sum(event.events){filter}, 0)::bigint")
        } else {
            format!("count(*){filter}")
        }
    }

    /// The columns of the first and the last time.
    pub(super) fn first_and_last(&self) -> (&'static str, &'static str) {
        if self.is_counted {
            ("event.first_at", "event.last_at")
        } else {
            ("event.created_at", "event.created_at")
        }
    }
}

/// The queries whose rows together are those of a selection; `more` are columns for each.
fn parts(
    selection: &ResolvedSelection,
    counts: Option<(&CountState, Precision)>,
    more: &str,
    parameters: &mut Parameters,
) -> Vec<String> {
    let Some((state, precision)) = counts else {
        let conditions = selection_conditions(selection, "event", parameters);
        let filter = where_clause(&conditions);
        return vec![format!("SELECT {ROW_COLUMNS}{more}\n  FROM event_logs event{filter}")];
    };
    let spans = spans(&selection.selection.created, &selection.selection.days);
    let cut = cut(&spans, precision == Precision::Days);
    let mut anytime = selection.clone();
    anytime.selection.created = Default::default();
    anytime.selection.days = Vec::new();
    let part = |columns: &str,
                from: &str,
                first: &[&str],
                time: &str,
                spans: &[Span],
                parameters: &mut Parameters| {
        let mut conditions: Vec<_> = first.iter().map(|first| (*first).to_owned()).collect();
        conditions.extend(within(time, spans, parameters));
        conditions.extend(selection_conditions(&anytime, "event", parameters));
        format!("SELECT {columns}{more}\n  FROM {from}{}", where_clause(&conditions))
    };
    let of_days = count_columns("day", "event.events", "first_at", "last_at");
    let of_hours = count_columns("hour", "event.events", "first_at", "last_at");
    let of_rows = count_columns("created_at", "1::bigint", "created_at", "created_at");
    let mut parts = Vec::new();
    if !cut.days.is_empty() {
        parts.push(part(
            &of_days,
            "event_counts_by_day event",
            &[],
            "event.day",
            &cut.days,
            parameters,
        ));
        parts.push(part(
            &of_hours,
            "event_counts event",
            &["NOT event.merged"],
            "event.hour",
            &cut.days,
            parameters,
        ));
    }
    if !cut.hours.is_empty() {
        parts.push(part(
            &of_hours,
            "event_counts event",
            &[],
            "event.hour",
            &cut.hours,
            parameters,
        ));
    }
    if !cut.edges.is_empty() {
        parts.push(part(
            &of_rows,
            "event_logs event",
            &[],
            "event.created_at",
            &cut.edges,
            parameters,
        ));
    }
    let whole = [cut.days, cut.hours].concat();
    if !whole.is_empty() {
        for (from, condition) in state.rest(parameters) {
            parts.push(part(&of_rows, from, &[&condition], "event.created_at", &whole, parameters));
        }
    }
    if parts.is_empty() {
        parts.push(format!("SELECT {of_rows}{more}\n  FROM event_logs event WHERE FALSE"));
    }
    parts
}

/// The condition that a time lies in one of the spans.
fn within(time: &str, spans: &[Span], parameters: &mut Parameters) -> Option<String> {
    let mut alternatives = Vec::new();
    for span in spans {
        let mut bounds = Vec::new();
        for (comparison, bound) in [(">=", span.since), ("<", span.until)] {
            if let Some(bound) = bound {
                let bound = parameters.bind(bound, Type::TIMESTAMP);
                bounds.push(format!("{time} {comparison} {bound}"));
            }
        }
        if bounds.is_empty() {
            return None;
        }
        alternatives.push(bounds.join(" AND "));
    }
    Some(if alternatives.len() == 1 {
        alternatives.concat()
    } else {
        format!("(({}))", alternatives.join(") OR ("))
    })
}
