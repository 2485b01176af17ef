//! Groups of events, and what each has.

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::figure::{Figure, Figures};
use super::group_names::{GroupId, texts};
use super::grouping::Grouping;
use super::source::{Precision, Source};
use super::state::CountState;
use crate::event::QUARANTINED;
use crate::filter::ZoneShifts;
use crate::store::connection::session::Session;
use crate::store::connection::statement::{Parameters, Statement};
use crate::store::error::Error;
use crate::store::search::first_delivery::Deliveries;
use crate::store::search::resolved::ResolvedSelection;
use crate::time::PostgresMicros;
use crate::value::Value;

/// Which events to count, by what.
#[derive(Debug, Clone, Copy)]
pub struct CountQuery<'a> {
    /// Which events.
    pub selection: &'a ResolvedSelection,
    /// Which ones to compare them with.
    pub before: Option<&'a ResolvedSelection>,
    /// What they are grouped by: at least one.
    pub by: &'a [Grouping],
    /// What is between UTC and the clocks by which they are grouped.
    pub shifts: &'a ZoneShifts,
    /// What is computed of their payloads.
    pub figures: &'a [Figure],
    /// Whether to count deliveries of events that were there before.
    pub duplicates: bool,
    /// How many groups at most.
    pub limit: i64,
}

/// The groups of a selection, and all of its rows together.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Counts {
    /// The groups, as many as were asked for.
    pub groups: Vec<EventCount>,
    /// All groups together, those that are not shown included.
    pub total: TotalCount,
}

/// One group.
#[derive(Debug, Clone, PartialEq)]
pub struct EventCount {
    /// What its events have in common, one value for each grouping.
    pub keys: Vec<Value<'static>>,
    /// How many rows it has.
    pub rows: i64,
    /// How many of them are dead letters.
    pub dead_letters: i64,
    /// How many of them are quarantined.
    pub quarantined: i64,
    /// When the first of their events happened; `None` where it has no row.
    pub first: Option<PostgresMicros>,
    /// When the last of their events happened.
    pub last: Option<PostgresMicros>,
    /// How many of them deliver an event that committed before, selected or not; only where that
    /// was asked for.
    pub duplicates: Option<i64>,
    /// How many rows it has of those that are compared with.
    pub before: Option<i64>,
    /// The figures, in the order in which they were asked for; `None` where there is no number.
    pub figures: Vec<Option<String>>,
}

/// All selected rows together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TotalCount {
    /// How many they are.
    pub rows: i64,
    /// When the first of their events happened; `None` where there is no row.
    pub first: Option<PostgresMicros>,
    /// When the last of their events happened.
    pub last: Option<PostgresMicros>,
    /// For each path of the figures, how many values are no numbers.
    pub not_numbers: Vec<(String, i64)>,
}

/// A row of the answer: a group, its ids, and the total, which all rows have.
type Answer = (EventCount, Vec<Option<GroupId>>, TotalCount);

impl CountQuery<'_> {
    /// Counts. The largest group comes first; the first in time where the first grouping is one of
    /// time; the one that changed most where it is compared with others.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn run(&self, session: &Session, state: &CountState) -> Result<Counts, Error> {
        let what = "counting events";
        let deliveries = match self.duplicates {
            true => Some(Deliveries::read(session).await?),
            false => None,
        };
        let statement = self.statement(state, deliveries.as_ref());
        let mut rows = statement.rows(session, what, |row| self.read(row)).await?;
        let ids = rows.iter().flat_map(|(_, ids, _)| ids.iter().flatten().copied());
        let texts = texts(session, ids).await?;
        for (group, ids, _) in &mut rows {
            for (key, id) in group.keys.iter_mut().zip(ids) {
                if let Some(text) = id.as_ref().and_then(|id| texts.get(id)) {
                    *key = text.clone();
                }
            }
        }
        let total = rows.first().map(|(_, _, total)| total.clone()).unwrap_or_default();
        Ok(Counts { groups: rows.into_iter().map(|(group, ..)| group).collect(), total })
    }

    fn read(&self, row: &Row) -> Result<Answer, tokio_postgres::Error> {
        let mut at = 0;
        let (mut keys, mut ids) = (Vec::new(), Vec::new());
        for grouping in self.by {
            keys.push(grouping.value(row, at, self.shifts)?);
            ids.push(GroupId::read(grouping, row, at)?);
            at += grouping.width();
        }
        let figures = Figures::new(self.figures);
        let figures_at = at + 10;
        let not_numbers_at = figures_at + self.figures.len();
        let group = EventCount {
            keys,
            rows: row.try_get(at)?,
            dead_letters: row.try_get(at + 1)?,
            quarantined: row.try_get(at + 2)?,
            first: row.try_get(at + 3)?,
            last: row.try_get(at + 4)?,
            duplicates: row.try_get(at + 5)?,
            before: row.try_get(at + 6)?,
            figures: (0..self.figures.len())
                .map(|index| row.try_get(figures_at + index))
                .collect::<Result<_, _>>()?,
        };
        let not_numbers = (not_numbers_at..).zip(figures.paths());
        let total = TotalCount {
            rows: row.try_get(at + 7)?,
            first: row.try_get(at + 8)?,
            last: row.try_get(at + 9)?,
            not_numbers: not_numbers
                .map(|(index, path)| Ok((path.as_str().to_owned(), row.try_get(index)?)))
                .collect::<Result<_, tokio_postgres::Error>>()?,
        };
        Ok((group, ids, total))
    }

    /// Whether it comes from counts, which hold what was retired, too.
    pub fn is_of_counts(&self, state: &CountState) -> bool {
        self.precision() < Precision::Rows
            && state.can_tell(self.selection)
            && self.before.is_none_or(|before| state.can_tell(before))
    }

    fn precision(&self) -> Precision {
        let reads_rows = self.duplicates || !self.figures.is_empty();
        let of_keys = self.by.iter().map(|grouping| grouping.precision(self.shifts)).max();
        of_keys.filter(|_| !reads_rows).unwrap_or(Precision::Rows)
    }

    /// `deliveries` are needed where duplicates are to be counted.
    pub(super) fn statement(
        &self,
        state: &CountState,
        deliveries: Option<&Deliveries>,
    ) -> Statement {
        let mut parameters = Parameters::default();
        let precision = self.precision();
        let source = match self.before {
            None => Source::new(self.selection, state, precision, &mut parameters),
            Some(before) => {
                Source::compared(self.selection, before, state, precision, &mut parameters)
            }
        };
        let is_now = if self.before.is_some() { "event.is_now" } else { "" };
        let (rows, keys) = self.rows(&source, deliveries, &mut parameters);
        let figures = Figures::new(self.figures);
        let rows = figures.with_numbers(&rows, &self.partition(&keys));
        let also = |filter: &str| match is_now {
            "" => filter.to_owned(),
            is_now => format!("{is_now} AND {filter}"),
        };
        let only_now =
            if is_now.is_empty() { String::new() } else { format!(" FILTER (WHERE {is_now})") };
        let events = source.count(is_now);
        let (first, last) =
            (format!("min(event.first_at){only_now}"), format!("max(event.last_at){only_now}"));
        let before = match self.before {
            Some(_) => source.count("NOT event.is_now"),
            None => "NULL::bigint".to_owned(),
        };
        let quarantined = parameters.bind(QUARANTINED, Type::VARCHAR);
        let mut columns = keys.clone();
        columns.extend([
            events.clone(),
            source.count(&also("event.is_dlt")),
            source.count(&also(&format!("event.event_type = {quarantined}"))),
            first.clone(),
            last.clone(),
            self.duplicates(&also("event.is_repeated")),
            before.clone(),
            format!("(sum({events}) OVER ())::bigint"),
            format!("min({first}) OVER ()"),
            format!("max({last}) OVER ()"),
        ]);
        columns.extend(figures.aggregates(is_now));
        let not_numbers = figures.not_numbers(is_now);
        columns.extend(not_numbers.iter().map(|count| format!("(sum({count}) OVER ())::bigint")));
        let numbers: Vec<_> = (1..=keys.len()).map(|number| number.to_string()).collect();
        let order = match self.by.first() {
            _ if self.before.is_some() => format!("abs({events} - {before}) DESC, "),
            Some(grouping) if grouping.is_time() => String::new(),
            _ => format!("{} DESC, ", keys.len() + 1),
        };
        let numbers = numbers.join(", ");
        let limit = parameters.bind(self.limit, Type::INT8);
        let sql = format!(
            "SELECT {}\n  FROM ({rows}) event\n GROUP BY {numbers}\n ORDER BY {order}{numbers}\n LIMIT {limit}",
            columns.join(",\n       ")
        );
        Statement { sql, parameters }
    }

    /// The query of the rows with their keys, and the names of these.
    fn rows(
        &self,
        source: &Source,
        deliveries: Option<&Deliveries>,
        parameters: &mut Parameters,
    ) -> (String, Vec<String>) {
        let mut columns = Vec::new();
        for grouping in self.by {
            for expression in grouping.expressions(self.shifts, parameters) {
                columns.push(format!("{expression} AS key_{}", columns.len() + 1));
            }
        }
        let keys = (1..=columns.len()).map(|number| format!("key_{number}")).collect();
        let (first, last) = source.first_and_last();
        columns.extend([
            "event.event_type".to_owned(),
            "event.is_dlt".to_owned(),
            format!("{first} AS first_at"),
            format!("{last} AS last_at"),
        ]);
        if source.is_counted {
            columns.push("event.events".to_owned());
        }
        if let Some(deliveries) = deliveries {
            let is_repeated = deliveries.is_repeated("event", parameters);
            columns.push(format!("({is_repeated}) AS is_repeated"));
        }
        if self.before.is_some() {
            columns.push("event.is_now".to_owned());
        }
        columns.extend(Figures::new(self.figures).found(parameters));
        let mut from = source.sql.clone();
        if self.by.contains(&Grouping::Topic) {
            from.push_str(
                "\n  LEFT JOIN kafka_partitions origin ON origin.partition_id = event.partition_id",
            );
        }
        if self.by.contains(&Grouping::Error) {
            from.push_str("\n  LEFT JOIN dead_letters letter ON letter.event_log_id = event.id");
        }
        (format!("SELECT {}\n  FROM {from}", columns.join(",\n       ")), keys)
    }

    /// What the numbers of a group have in common.
    fn partition(&self, keys: &[String]) -> Vec<String> {
        let mut partition = keys.to_vec();
        if self.before.is_some() {
            partition.push("is_now".to_owned());
        }
        partition
    }

    fn duplicates(&self, filter: &str) -> String {
        if self.duplicates {
            format!("count(*) FILTER (WHERE {filter})")
        } else {
            "NULL::bigint".to_owned()
        }
    }
}
