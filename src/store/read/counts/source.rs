//! What is counted: rows, or counts of rows with the rows that they don't hold.

use tokio_postgres::types::Type;

use super::spans::{Cut, Span, cut, spans};
use super::state::CountState;
use crate::filter::TimeRange;
use crate::store::connection::statement::Parameters;
use crate::store::search::conditions::{selection_conditions, where_clause};
use crate::store::search::resolved::{Extent, ResolvedSelection};

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

/// Where something of a count comes from.
struct Table<'a> {
    /// SQL for FROM, as `event`.
    from: &'a str,
    condition: Option<&'static str>,
    /// The column of the time.
    time: &'static str,
    /// SQL of how many rows a row stands for.
    events: &'static str,
    /// The columns of the first and the last time.
    first_and_last: [&'static str; 2],
}

impl Table<'static> {
    const HOURS: Self = Self {
        from: "event_counts event",
        condition: None,
        time: "event.hour",
        events: "event.events",
        first_and_last: ["event.first_at", "event.last_at"],
    };
    const UNMERGED_HOURS: Self = Self { condition: Some("NOT event.merged"), ..Self::HOURS };
    const DAYS: Self = Self { from: "event_counts_by_day event", time: "event.day", ..Self::HOURS };
    const ROWS: Self = Self {
        from: "event_logs event",
        condition: None,
        time: "event.created_at",
        events: "1::bigint",
        first_and_last: ["event.created_at", "event.created_at"],
    };
}

impl Table<'_> {
    /// What counts know of rows. The time is a day's, an hour's or a row's own.
    fn columns(&self) -> String {
        let Self { time, events, first_and_last: [first, last], .. } = self;
        format!(
            "event.event_type, event.source_service, event.is_dlt, {time} AS created_at, event.partition_id, \
             {events} AS events, {first} AS first_at, {last} AS last_at"
        )
    }
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
    let Cut { days, hours, edges } = cut(&spans, precision == Precision::Days);
    let whole = [&days[..], &hours[..]].concat();
    let mut anytime = selection.clone();
    anytime.selection.created = TimeRange::default();
    anytime.selection.days = Vec::new();
    // Counts have no ids, and no time of their own.
    anytime.extent = Extent::default();
    let mut parts = Vec::new();
    for (table, spans) in [
        (Table::DAYS, &days),
        // What is not merged is not among the days.
        (Table::UNMERGED_HOURS, &days),
        (Table::HOURS, &hours),
        (Table::ROWS, &edges),
        (Table { from: &state.rest(parameters), ..Table::ROWS }, &whole),
    ] {
        if !spans.is_empty() {
            let mut conditions: Vec<_> =
                within(table.time, spans, parameters).into_iter().collect();
            conditions.extend(table.condition.map(str::to_owned));
            conditions.extend(selection_conditions(&anytime, "event", parameters));
            parts.push(format!(
                "SELECT {}{more}\n  FROM {}{}",
                table.columns(),
                table.from,
                where_clause(&conditions)
            ));
        }
    }
    if parts.is_empty() {
        parts.push(format!(
            "SELECT {}{more}\n  FROM event_logs event WHERE FALSE",
            Table::ROWS.columns()
        ));
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
