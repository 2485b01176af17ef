//! The statements that select events: built from a selection, with bound values only.

use futures_util::stream::{Stream, TryStreamExt};
use tokio_postgres::types::Type;

use super::conditions::selection_conditions;
use super::cursor::{Cursor, Order, Snapshot};
use super::event_column::EventColumn;
use super::event_row::EventRow;
use super::resolve::{Cardinality, ResolvedSelection};
use crate::store::Error;
use crate::store::connection::session::Session;
use crate::store::connection::statement::{Parameters, Statement};
use crate::time::PostgresMicros;

/// What is being done, in errors.
const READING: &str = "reading event_logs";

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
    /// By `(created_at, id)`.
    CreatedAt(Order),
    /// By `(created_at, id)`, going on behind a cursor.
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
    /// Runs it and returns all rows.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn rows(&self, session: &Session) -> Result<Vec<EventRow>, Error> {
        let rows = self.statement().rows(session, READING).await?;
        Ok(rows.into_iter().map(EventRow).collect())
    }

    /// Runs it and hands the rows out as they arrive; what is not taken yet stays at the server.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn stream(
        &self,
        session: &Session,
    ) -> Result<impl Stream<Item = Result<EventRow, Error>> + use<>, Error> {
        let rows = self.statement().stream(session, READING).await?;
        Ok(rows.map_ok(EventRow).map_err(Error::query(READING)))
    }

    /// How many rows it selects, whatever its limit.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn count(&self, session: &Session) -> Result<i64, Error> {
        let failed = "counting the rows of event_logs";
        let rows = self.count_statement().rows(session, failed).await?;
        rows.first().map_or(Ok(0), |row| row.try_get(0)).map_err(Error::query(failed))
    }

    /// The statement, or the one that counts, and how PostgreSQL finds the rows: it is run for
    /// that.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn explain(&self, session: &Session, count: bool) -> Result<String, Error> {
        let statement = if count { self.count_statement() } else { self.statement() };
        let plan = statement.explain(session).await?;
        Ok(format!("{statement:?}\n\n{}", plan.join("\n")))
    }

    /// The statement that reads the rows.
    fn statement(&self) -> Statement {
        let mut parameters = Parameters::default();
        let columns: Vec<_> = self.columns.iter().map(|column| column.expression()).collect();
        let conditions = self.conditions(&mut parameters);
        let order = match self.order {
            RowOrder::CreatedAt(Order::Newest)
            | RowOrder::After(Cursor { order: Order::Newest, .. }) => {
                "event.created_at DESC, event.id DESC"
            }
            RowOrder::CreatedAt(Order::Oldest)
            | RowOrder::After(Cursor { order: Order::Oldest, .. }) => "event.created_at, event.id",
            RowOrder::Id | RowOrder::IdRange { .. } => "event.id",
            RowOrder::LastOfBatches(_) => "event.id DESC",
        };
        let limit = self
            .limit
            .map(|limit| format!("\n LIMIT {}", parameters.bind(limit, Type::INT8)))
            .unwrap_or_default();
        // OFFSET 0 keeps what is within apart: PostgreSQL plans to read all of it, not to walk in
        // order until the page is full.
        let from = if self.limit.is_some() && self.selection.cardinality == Cardinality::Few {
            format!("(SELECT event.* FROM event_logs event{conditions}\n OFFSET 0) event")
        } else {
            format!("event_logs event{conditions}")
        };
        let sql = format!(
            "SELECT {}\n  FROM {from}\n ORDER BY {order}{limit}",
            columns.join(",\n       ")
        );
        Statement { sql, parameters }
    }

    /// The statement that counts the rows; its order and limit don't matter.
    fn count_statement(&self) -> Statement {
        let mut parameters = Parameters::default();
        let conditions = self.conditions(&mut parameters);
        Statement {
            sql: format!("SELECT count(*)\n  FROM event_logs event{conditions}"),
            parameters,
        }
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
            conditions.push(format!(
                "NOT EXISTS (SELECT FROM event_logs other WHERE {})",
                same.join("\n   AND ")
            ));
        }
        if conditions.is_empty() {
            String::new()
        } else {
            format!("\n WHERE {}", conditions.join("\n   AND "))
        }
    }
}

fn after_cursor(cursor: &Cursor, parameters: &mut Parameters) -> [String; 2] {
    // The type that binds the microseconds is TIMESTAMP's binary form: the infinities, too, come
    // back as they went.
    let created_at = parameters.bind(cursor.created_at, Type::TIMESTAMP);
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

/// Only rows that were there when the walk began. A later batch can hold a lower id than its last
/// one.
fn within(snapshot: &Snapshot, row: &str, parameters: &mut Parameters) -> String {
    let last_id = parameters.bind(snapshot.last_id, Type::INT8);
    let batch_no = parameters.bind(snapshot.batch_no, Type::INT8);
    format!(
        "{row}.id <= {last_id}\n   AND coalesce((SELECT batch.batch_no <= {batch_no} OR batch.last_id < {row}.id \
         FROM ingest_batches batch WHERE batch.first_id <= {row}.id ORDER BY batch.first_id DESC LIMIT 1), true)"
    )
}

/// What is there now: in a transaction that reads, what all its statements see.
///
/// # Errors
/// `Error::Query`.
pub async fn snapshot(session: &Session) -> Result<Snapshot, Error> {
    let failed = "reading the ledger's head";
    let row = session
        .client()
        .query_one(
            "SELECT batch_no, coalesce((SELECT max(id) FROM event_logs), 0) FROM ledger_head",
            &[],
        )
        .await
        .map_err(Error::query(failed))?;
    let number = |index| row.try_get(index).map_err(Error::query(failed));
    Ok(Snapshot { batch_no: number(0)?, last_id: number(1)? })
}

/// `created_at` of the oldest and the newest row.
///
/// # Errors
/// `Error::Query`.
pub async fn time_span(
    session: &Session,
) -> Result<(Option<PostgresMicros>, Option<PostgresMicros>), Error> {
    let failed = "reading the range of created_at";
    let row = session
        .client()
        .query_one("SELECT min(created_at), max(created_at) FROM event_logs", &[])
        .await
        .map_err(Error::query(failed))?;
    let time = |index| row.try_get(index).map_err(Error::query(failed));
    Ok((time(0)?, time(1)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::{Clock, Identifier, Selection, TimeRange, Zone};
    use crate::store::search::resolve::{ErrorPatterns, Errors, RecordedRange, Texts, Topics};

    /// Every selector at once.
    fn everything() -> ResolvedSelection {
        let clock = Clock { now: chrono::DateTime::UNIX_EPOCH, zone: Zone::utc() };
        let range = |since: &str, until: &str| TimeRange {
            since: clock.time(since).ok(),
            until: clock.time(until).ok(),
        };
        let identifiers = |text: &str| Identifier::parse(text).into_iter().collect::<Vec<_>>();
        let selection = Selection {
            event_ids: [
                identifiers("019aa4c5-7d1e-7c3a-9b0e-3f6f1d2c4b5a"),
                identifiers("4f2a…01"),
            ]
            .concat(),
            dead_letters: Some(true),
            quarantined: true,
            created: range("2026-11-22", "2026-11-23"),
            days: vec![range("2026-11-22", "2026-11-23"), range("2026-11-24", "2026-11-25")],
            payload_predicates: vec!["$.total > 100".to_owned()],
            ..Selection::default()
        };
        ResolvedSelection {
            event_types: Texts::Exact(vec![
                "OrderCreated".to_owned(),
                "'; DROP TABLE event_logs; --".to_owned(),
            ]),
            services: Texts::Like(vec!["order-%".to_owned()]),
            topics: Topics::Partitions(vec![1, 2]),
            aggregates: identifiers("4f2a91c3-0000-4000-8000-000000000001"),
            correlations: identifiers("4f2a91c3"),
            recorded: Some(RecordedRange {
                first_id: 1,
                last_id: 99,
                created: Some((PostgresMicros(5), PostgresMicros(6))),
                since: clock.time("2026-11-22").ok(),
                until: None,
            }),
            dead_letters: Some(true),
            cardinality: Cardinality::Many,
            errors: Errors::Like(ErrorPatterns {
                classes: vec!["%Timeout%".to_owned(), "%.%Timeout%".to_owned()],
                messages: vec!["%Timeout%".to_owned()],
            }),
            selection,
        }
    }

    fn text(query: &EventQuery<'_>) -> String {
        format!("{:?}", query.statement())
    }

    #[test]
    fn every_selector_is_one_condition_and_every_value_is_bound() {
        let selection = everything();
        let query = EventQuery {
            selection: &selection,
            columns: &[EventColumn::Id, EventColumn::BatchNo],
            order: RowOrder::CreatedAt(Order::Newest),
            limit: Some(51),
            dedup: false,
        };
        assert!(!query.statement().sql.contains("DROP"));
        insta::assert_snapshot!(text(&query), @r#"
SELECT event.id,
       (SELECT CASE WHEN batch.last_id >= event.id THEN batch.batch_no END FROM ingest_batches batch WHERE batch.first_id <= event.id ORDER BY batch.first_id DESC LIMIT 1)
  FROM event_logs event
 WHERE event.event_type = ANY($1)
   AND event.source_service LIKE ANY($2)
   AND event.aggregate_id = ANY($3)
   AND event.correlation_id BETWEEN $4 AND $5
   AND ((event.event_id = ANY($6)) OR (event.event_id BETWEEN $7 AND $8 AND replace(event.event_id::text, '-', '') LIKE $9))
   AND event.is_dlt
   AND event.partition_id = ANY($10)
   AND event.created_at >= $11 AND event.created_at < $12
   AND ((event.created_at >= $13 AND event.created_at < $14) OR (event.created_at >= $15 AND event.created_at < $16))
   AND event.created_at BETWEEN $17 AND $18
   AND event.id BETWEEN $19 AND $20
   AND (SELECT batch.last_id >= event.id AND batch.recorded_at >= coalesce($21, '-infinity') AND batch.recorded_at < coalesce($22, 'infinity') FROM ingest_batches batch WHERE batch.first_id <= event.id ORDER BY batch.first_id DESC LIMIT 1)
   AND (SELECT letter.exception_class LIKE ANY($23) OR letter.exception_message LIKE ANY($24) FROM dead_letters letter WHERE letter.event_log_id = event.id)
   AND event.payload @@ $25::text::jsonpath
 ORDER BY event.created_at DESC, event.id DESC
 LIMIT $26
$1 _varchar ["OrderCreated", "'; DROP TABLE event_logs; --"]
$2 _text ["order-%"]
$3 _uuid [4f2a91c3-0000-4000-8000-000000000001]
$4 uuid 4f2a91c3-0000-0000-0000-000000000000
$5 uuid 4f2a91c3-ffff-ffff-ffff-ffffffffffff
$6 _uuid [019aa4c5-7d1e-7c3a-9b0e-3f6f1d2c4b5a]
$7 uuid 4f2a0000-0000-0000-0000-000000000000
$8 uuid 4f2affff-ffff-ffff-ffff-ffffffffffff
$9 text "%01"
$10 _int4 [1, 2]
$11 timestamp 2026-11-22T00:00:00
$12 timestamp 2026-11-23T00:00:00
$13 timestamp 2026-11-22T00:00:00
$14 timestamp 2026-11-23T00:00:00
$15 timestamp 2026-11-24T00:00:00
$16 timestamp 2026-11-25T00:00:00
$17 timestamp PostgresMicros(5)
$18 timestamp PostgresMicros(6)
$19 int8 1
$20 int8 99
$21 timestamptz Some(2026-11-22T00:00:00Z)
$22 timestamptz None
$23 _text ["%Timeout%", "%.%Timeout%"]
$24 _text ["%Timeout%"]
$25 text "$.total > 100"
$26 int8 51
"#);
    }

    #[test]
    fn rows_that_are_few_are_all_read_before_they_are_sorted() {
        let selection = ResolvedSelection {
            event_types: Texts::Exact(vec!["A".to_owned()]),
            topics: Topics::Partitions(vec![1]),
            cardinality: Cardinality::Few,
            ..ResolvedSelection::default()
        };
        let query = EventQuery {
            selection: &selection,
            columns: &[EventColumn::Id],
            order: RowOrder::CreatedAt(Order::Newest),
            limit: Some(51),
            dedup: false,
        };
        insta::assert_snapshot!(text(&query), @r#"
SELECT event.id
  FROM (SELECT event.* FROM event_logs event
 WHERE event.event_type = $1
   AND event.partition_id = ANY($2)
 OFFSET 0) event
 ORDER BY event.created_at DESC, event.id DESC
 LIMIT $3
$1 varchar "A"
$2 _int4 [1]
$3 int8 51
"#);
        let all = text(&EventQuery { limit: None, ..query });
        assert!(!all.contains("OFFSET"), "{all}");
    }

    #[test]
    fn a_page_behind_a_cursor_sees_what_the_first_page_saw() {
        let selection = ResolvedSelection::default();
        let snapshot = Snapshot { batch_no: 7, last_id: 900 };
        let query = EventQuery {
            selection: &selection,
            columns: &[EventColumn::Id],
            order: RowOrder::After(Cursor {
                order: Order::Oldest,
                created_at: PostgresMicros(1),
                id: 2,
                snapshot,
            }),
            limit: Some(51),
            dedup: false,
        };
        insta::assert_snapshot!(text(&query), @r#"
SELECT event.id
  FROM event_logs event
 WHERE (event.created_at, event.id) > ($1, $2)
   AND event.id <= $3
   AND coalesce((SELECT batch.batch_no <= $4 OR batch.last_id < event.id FROM ingest_batches batch WHERE batch.first_id <= event.id ORDER BY batch.first_id DESC LIMIT 1), true)
 ORDER BY event.created_at, event.id
 LIMIT $5
$1 timestamp PostgresMicros(1)
$2 int8 2
$3 int8 900
$4 int8 7
$5 int8 51
"#);
    }

    #[test]
    fn dedup_asks_for_an_earlier_delivery_among_the_selected_rows() {
        let selection = ResolvedSelection {
            event_types: Texts::Exact(vec!["A".to_owned()]),
            ..ResolvedSelection::default()
        };
        let query = EventQuery {
            selection: &selection,
            columns: &[EventColumn::Id],
            order: RowOrder::Id,
            limit: None,
            dedup: true,
        };
        insta::assert_snapshot!(text(&query), @r#"
SELECT event.id
  FROM event_logs event
 WHERE event.event_type = $1
   AND NOT EXISTS (SELECT FROM event_logs other WHERE other.event_id = event.event_id AND other.id <> event.id
   AND other.event_type = $2
   AND (coalesce((SELECT CASE WHEN batch.last_id >= other.id THEN batch.batch_no END FROM ingest_batches batch WHERE batch.first_id <= other.id ORDER BY batch.first_id DESC LIMIT 1), 9223372036854775807), other.id) < (coalesce((SELECT CASE WHEN batch.last_id >= event.id THEN batch.batch_no END FROM ingest_batches batch WHERE batch.first_id <= event.id ORDER BY batch.first_id DESC LIMIT 1), 9223372036854775807), event.id))
 ORDER BY event.id
$1 varchar "A"
$2 varchar "A"
"#);
    }
}
