//! The statements that select events: built from a selection, with bound values only.

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::Error;
use super::columns::{EventColumn, Microseconds};
use super::cursor::{Cursor, Order, Snapshot};
use super::resolve::{ResolvedSelection, Texts, Topics, exact_ids};
use super::statement::{Parameters, Statement};
use crate::event::QUARANTINED;
use crate::filter::{Glob, Identifier, TimeRange};

/// Which events to read, and how.
#[derive(Debug, Clone, Copy)]
pub struct EventQuery<'a> {
    /// Which rows.
    pub selection: &'a ResolvedSelection,
    /// What of them.
    pub columns: &'a [EventColumn],
    /// In which order.
    pub order: RowOrder,
    /// How many at most.
    pub limit: Option<i64>,
    /// Only the first delivery of each event among the selected rows: the one that committed first.
    pub dedup: bool,
}

/// The order of rows, and where to begin.
#[derive(Debug, Clone, Copy)]
pub enum RowOrder {
    /// By (created_at, id).
    CreatedAt(Order),
    /// By (created_at, id), going on behind a cursor.
    After(Cursor),
    /// By id.
    Id,
    /// By id from behind `after` (exclusive) up to `last` (inclusive): the rest of a batch.
    IdRange {
        /// Rows up to this id are left out.
        after: i64,
        /// The last id.
        last: i64,
    },
    /// By id, descending: the last rows that batches up to this one recorded.
    LastOfBatches(i64),
}

/// The batch of `$alias`, as a scalar: rows that no batch covers come last.
const DELIVERY: &str = "coalesce((SELECT CASE WHEN batch.last_id >= {row}.id THEN batch.batch_no END FROM ingest_batches batch \
                        WHERE batch.first_id <= {row}.id ORDER BY batch.first_id DESC LIMIT 1), 9223372036854775807)";

impl EventQuery<'_> {
    /// The statement that reads the rows.
    pub fn statement(&self) -> Statement {
        let mut parameters = Parameters::default();
        let columns: Vec<_> = self.columns.iter().map(|column| column.expression()).collect();
        let conditions = self.conditions(&mut parameters);
        let order = match self.order {
            RowOrder::CreatedAt(Order::Newest) | RowOrder::After(Cursor { order: Order::Newest, .. }) => {
                "event.created_at DESC, event.id DESC"
            }
            RowOrder::CreatedAt(Order::Oldest) | RowOrder::After(Cursor { order: Order::Oldest, .. }) => {
                "event.created_at, event.id"
            }
            RowOrder::Id | RowOrder::IdRange { .. } => "event.id",
            RowOrder::LastOfBatches(_) => "event.id DESC",
        };
        let limit = self
            .limit
            .map(|limit| format!("\n LIMIT {}", parameters.bind(limit, Type::INT8)))
            .unwrap_or_default();
        let sql = format!(
            "SELECT {}\n  FROM event_logs event{conditions}\n ORDER BY {order}{limit}",
            columns.join(",\n       ")
        );
        Statement { sql, parameters }
    }

    /// The statement that counts the rows; its order and limit don't matter.
    pub fn count_statement(&self) -> Statement {
        let mut parameters = Parameters::default();
        let conditions = self.conditions(&mut parameters);
        Statement { sql: format!("SELECT count(*)\n  FROM event_logs event{conditions}"), parameters }
    }

    fn conditions(&self, parameters: &mut Parameters) -> String {
        let mut conditions = selection_conditions(self.selection, "event", parameters);
        match self.order {
            RowOrder::CreatedAt(_) | RowOrder::Id => {}
            RowOrder::After(cursor) => conditions.extend(after_cursor(&cursor, parameters)),
            RowOrder::IdRange { after, last } => {
                conditions.push(format!("event.id > {}", parameters.bind(after, Type::INT8)));
                conditions.push(format!("event.id <= {}", parameters.bind(last, Type::INT8)));
            }
            RowOrder::LastOfBatches(batch_no) => {
                let batch = EventColumn::BatchNo.expression();
                conditions.push(format!("{batch} <= {}", parameters.bind(batch_no, Type::INT8)));
            }
        }
        if self.dedup {
            let mut same = selection_conditions(self.selection, "other", parameters);
            same.insert(0, "other.event_id = event.event_id AND other.id <> event.id".to_owned());
            if let RowOrder::After(cursor) = self.order {
                same.push(within(&cursor.snapshot, "other", parameters));
            }
            same.push(format!(
                "({}, other.id) < ({}, event.id)",
                DELIVERY.replace("{row}", "other"),
                DELIVERY.replace("{row}", "event")
            ));
            conditions
                .push(format!("NOT EXISTS (SELECT FROM event_logs other WHERE {})", same.join("\n   AND ")));
        }
        if conditions.is_empty() {
            String::new()
        } else {
            format!("\n WHERE {}", conditions.join("\n   AND "))
        }
    }
}

fn after_cursor(cursor: &Cursor, parameters: &mut Parameters) -> [String; 2] {
    // The type that binds the microseconds is TIMESTAMP's binary form: the infinities, too, come back as they went.
    let created_at = parameters.bind(Microseconds(cursor.created_at), Type::TIMESTAMP);
    let id = parameters.bind(cursor.id, Type::INT8);
    let comparison = match cursor.order {
        Order::Newest => "<",
        Order::Oldest => ">",
    };
    [
        format!("(event.created_at, event.id) {comparison} ({created_at}, {id})"),
        within(&cursor.snapshot, "event", parameters),
    ]
}

/// Only rows that were there when the walk began. A later batch can hold a lower id than its last one.
fn within(snapshot: &Snapshot, row: &str, parameters: &mut Parameters) -> String {
    let last_id = parameters.bind(snapshot.last_id, Type::INT8);
    let batch_no = parameters.bind(snapshot.batch_no, Type::INT8);
    format!(
        "{row}.id <= {last_id}\n   AND coalesce((SELECT batch.batch_no <= {batch_no} OR batch.last_id < {row}.id \
         FROM ingest_batches batch WHERE batch.first_id <= {row}.id ORDER BY batch.first_id DESC LIMIT 1), true)"
    )
}

/// Begins a transaction in which every statement sees the same rows, and that can't write.
///
/// # Errors
/// `Error::Query`.
pub async fn begin_reading(client: &Client) -> Result<(), Error> {
    // Compiling a statement takes longer than the first page of any query here.
    client
        .batch_execute("SET jit = off; BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        .await
        .map_err(Error::query("beginning to read"))
}

/// Ends the transaction of [`begin_reading`].
///
/// # Errors
/// `Error::Query`.
pub async fn end_reading(client: &Client) -> Result<(), Error> {
    client.batch_execute("COMMIT").await.map_err(Error::query("ending to read"))
}

/// What is there now: in a transaction of [`begin_reading`], what all its statements see.
///
/// # Errors
/// `Error::Query`.
pub async fn snapshot(client: &Client) -> Result<Snapshot, Error> {
    let failed = "reading the ledger's head";
    let row = client
        .query_one("SELECT batch_no, coalesce((SELECT max(id) FROM event_logs), 0) FROM ledger_head", &[])
        .await
        .map_err(Error::query(failed))?;
    let number = |index| row.try_get(index).map_err(Error::query(failed));
    Ok(Snapshot { batch_no: number(0)?, last_id: number(1)? })
}

/// How many rows a query selects, whatever its limit.
///
/// # Errors
/// `Error::Query`.
pub async fn count(client: &Client, query: &EventQuery<'_>) -> Result<i64, Error> {
    let failed = "counting the rows of event_logs";
    let rows = query.count_statement().rows(client, failed).await?;
    rows.first().map_or(Ok(0), |row| row.try_get(0)).map_err(Error::query(failed))
}

/// The conditions of a selection on the row called `row`, to be joined by AND.
pub(super) fn selection_conditions(
    resolved: &ResolvedSelection,
    row: &str,
    parameters: &mut Parameters,
) -> Vec<String> {
    let selection = &resolved.selection;
    let mut conditions = Vec::new();
    conditions.extend(text_condition(&format!("{row}.event_type"), &resolved.event_types, parameters));
    if selection.quarantined {
        conditions.push(format!("{row}.event_type = {}", parameters.bind(QUARANTINED, Type::VARCHAR)));
    }
    conditions.extend(text_condition(&format!("{row}.source_service"), &resolved.services, parameters));
    for (column, identifiers) in [
        ("aggregate_id", &resolved.aggregates),
        ("correlation_id", &resolved.correlations),
        ("event_id", &selection.event_ids),
    ] {
        conditions.extend(identifier_condition(&format!("{row}.{column}"), identifiers, parameters));
    }
    match selection.dead_letters {
        None => {}
        Some(true) => conditions.push(format!("{row}.is_dlt")),
        Some(false) => conditions.push(format!("{row}.is_dlt IS NOT TRUE")),
    }
    match &resolved.topics {
        Topics::Any => {}
        Topics::Partitions(partitions) => {
            let partitions = parameters.bind(partitions.clone(), Type::INT4_ARRAY);
            conditions.push(format!("{row}.partition_id = ANY({partitions})"));
        }
        Topics::Like(patterns) => {
            let patterns = parameters.bind(patterns.clone(), Type::TEXT_ARRAY);
            conditions.push(format!(
                "{row}.partition_id IN (SELECT partition_id FROM kafka_partitions WHERE topic LIKE ANY({patterns}))"
            ));
        }
    }
    conditions.extend(created_condition(row, &selection.created, parameters));
    let days: Vec<_> =
        selection.days.iter().filter_map(|day| created_condition(row, day, parameters)).collect();
    conditions.extend(any_of(days));
    if let Some(recorded) = &resolved.recorded {
        let first_id = parameters.bind(recorded.first_id, Type::INT8);
        let last_id = parameters.bind(recorded.last_id, Type::INT8);
        let since = parameters.bind(recorded.since, Type::TIMESTAMPTZ);
        let until = parameters.bind(recorded.until, Type::TIMESTAMPTZ);
        conditions.push(format!(
            "{row}.id BETWEEN {first_id} AND {last_id}\n   AND (SELECT batch.last_id >= {row}.id AND batch.recorded_at >= \
             coalesce({since}, '-infinity') AND batch.recorded_at < coalesce({until}, 'infinity') FROM ingest_batches \
             batch WHERE batch.first_id <= {row}.id ORDER BY batch.first_id DESC LIMIT 1)"
        ));
    }
    conditions.extend(error_condition(row, &selection.errors, parameters));
    let predicates = selection.payload_predicates.iter().map(|predicate| {
        format!("{row}.payload @@ {}::text::jsonpath", parameters.bind(predicate.clone(), Type::TEXT))
    });
    conditions.extend(any_of(predicates.collect()));
    conditions
}

fn text_condition(column: &str, texts: &Texts, parameters: &mut Parameters) -> Option<String> {
    match texts {
        Texts::Any => None,
        Texts::Exact(values) => {
            Some(format!("{column} = ANY({})", parameters.bind(values.clone(), Type::VARCHAR_ARRAY)))
        }
        Texts::Like(patterns) => {
            Some(format!("{column} LIKE ANY({})", parameters.bind(patterns.clone(), Type::TEXT_ARRAY)))
        }
    }
}

fn created_condition(row: &str, range: &TimeRange, parameters: &mut Parameters) -> Option<String> {
    let mut bound = |comparison: &str, time: Option<chrono::DateTime<chrono::Utc>>| {
        let time = parameters.bind(time?.naive_utc(), Type::TIMESTAMP);
        Some(format!("{row}.created_at {comparison} {time}"))
    };
    let bounds: Vec<_> = [bound(">=", range.since), bound("<", range.until)].into_iter().flatten().collect();
    (!bounds.is_empty()).then(|| bounds.join(" AND "))
}

fn identifier_condition(
    column: &str,
    identifiers: &[Identifier],
    parameters: &mut Parameters,
) -> Option<String> {
    let mut alternatives = Vec::new();
    let exact = exact_ids(identifiers);
    if !exact.is_empty() {
        alternatives.push(format!("{column} = ANY({})", parameters.bind(exact, Type::UUID_ARRAY)));
    }
    for identifier in identifiers.iter().filter(|identifier| identifier.exact().is_none()) {
        let low = parameters.bind(identifier.low, Type::UUID);
        let high = parameters.bind(identifier.high, Type::UUID);
        let mut condition = format!("{column} BETWEEN {low} AND {high}");
        if let Some(suffix) = &identifier.suffix {
            let suffix = parameters.bind(format!("%{suffix}"), Type::TEXT);
            condition = format!("{condition} AND replace({column}::text, '-', '') LIKE {suffix}");
        }
        alternatives.push(condition);
    }
    any_of(alternatives)
}

fn error_condition(row: &str, globs: &[Glob], parameters: &mut Parameters) -> Option<String> {
    if globs.is_empty() {
        return None;
    }
    let patterns: Vec<String> = globs.iter().map(Glob::to_like).collect();
    // `TimeoutException` finds `java.util.concurrent.TimeoutException`, too.
    let classes: Vec<String> =
        patterns.iter().flat_map(|pattern| [pattern.clone(), format!("%.{pattern}")]).collect();
    let classes = parameters.bind(classes, Type::TEXT_ARRAY);
    let messages = parameters.bind(patterns, Type::TEXT_ARRAY);
    Some(format!(
        "{row}.id IN (SELECT letter.event_log_id FROM dead_letters letter WHERE letter.exception_class LIKE \
         ANY({classes}) OR letter.exception_message LIKE ANY({messages}))"
    ))
}

fn any_of(alternatives: Vec<String>) -> Option<String> {
    match alternatives.len() {
        0 => None,
        1 => alternatives.into_iter().next(),
        _ => Some(format!("(({}))", alternatives.join(") OR ("))),
    }
}
