//! The statements that select events: built from a selection, with bound values only.

use futures_util::stream::{Stream, TryStreamExt};
use tokio_postgres::types::Type;

use super::batch_of_row::{commit_position, nearest_batch};
use super::conditions::{selection_conditions, where_clause};
use super::event_column::EventColumn;
use super::event_row::EventRow;
use super::page_leaves;
use super::resolved::{Cardinality, ResolvedSelection};
use super::selected_column::SelectedColumn;
use super::walk::cursor::{Cursor, Order, Snapshot};
use super::walk::leaves::PassedOver;
use super::walk::row_order::RowOrder;
use crate::store::connection::session::Session;
use crate::store::connection::statement::{Parameters, Statement};
use crate::store::error::Error;

/// What a query is doing, in errors.
const READING: &str = "reading event_logs";

/// Which events to read, and how.
#[derive(Debug, Clone, Copy)]
pub struct EventQuery<'a> {
    /// Which rows.
    pub selection: &'a ResolvedSelection,
    /// Which columns of them, in the order in which a row holds them.
    pub columns: &'a [SelectedColumn],
    /// In which order.
    pub order: RowOrder,
    /// How many at most.
    pub limit: Option<i64>,
    /// Whether to leave out all but the first delivery of each event among the selected rows: the
    /// one that committed first.
    pub dedup: bool,
}

impl EventQuery<'_> {
    /// Runs it and returns all rows.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn rows(&self, session: &Session) -> Result<Vec<EventRow>, Error> {
        self.stream(session).await?.try_collect().await
    }

    /// Runs it and hands the rows out as they arrive; what is not taken yet stays at the server.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn stream(
        &self,
        session: &Session,
    ) -> Result<impl Stream<Item = Result<EventRow, Error>> + use<>, Error> {
        let passed_over = self.passed_over(session).await?;
        let rows = self.statement(&passed_over).stream(session, READING).await?;
        Ok(rows.map_ok(EventRow).map_err(Error::query(READING)))
    }

    /// How many rows it selects, whatever its limit.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn count(&self, session: &Session) -> Result<i64, Error> {
        let what = "counting the rows of event_logs";
        self.count_statement().row(session, what, |row| row.try_get(0)).await
    }

    /// How many rows PostgreSQL expects it to select, by its statistics.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn expected_rows(&self, session: &Session) -> Result<u64, Error> {
        self.statement(&PassedOver::default()).expected_rows(session).await
    }

    /// Runs the statement, or the one that counts, and returns its text and how PostgreSQL found
    /// the rows.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn explain(&self, session: &Session, count: bool) -> Result<String, Error> {
        let statement = if count {
            self.count_statement()
        } else {
            self.statement(&self.passed_over(session).await?)
        };
        let plan = statement.explain(session).await?;
        Ok(format!("{statement:?}\n\n{}", plan.join("\n")))
    }

    /// The statement that reads the rows, those of some leaves excepted.
    fn statement(&self, passed_over: &PassedOver) -> Statement {
        let mut parameters = Parameters::default();
        let columns: Vec<_> =
            self.columns.iter().map(|column| column.expression(&mut parameters)).collect();
        let conditions = self.conditions(passed_over, &mut parameters);
        let order = self.order.sql();
        let limit = self
            .limit
            .map(|limit| format!("\n LIMIT {}", parameters.bind(limit, Type::INT8)))
            .unwrap_or_default();
        // Plans the subquery by itself (OFFSET 0 does that): PostgreSQL reads all of its rows,
        // instead of walking in order until the page is full.
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

    /// The leaves that have no row of the page.
    async fn passed_over(&self, session: &Session) -> Result<PassedOver, Error> {
        let Some(limit) = self.limit.filter(|limit| *limit > 0) else {
            return Ok(PassedOver::default());
        };
        let last_row = |passed_over: &PassedOver| self.last_row_statement(limit, passed_over);
        page_leaves::passed_over(session, self.selection, self.order, last_row).await
    }

    /// The statement that reads the time and the id of the last row of a full page, as far as it
    /// lies outside some leaves.
    fn last_row_statement(&self, limit: i64, passed_over: &PassedOver) -> Statement {
        let mut parameters = Parameters::default();
        let conditions = self.conditions(passed_over, &mut parameters);
        let order = self.order.sql();
        let rows_before = parameters.bind(limit - 1, Type::INT8);
        let sql = format!(
            "SELECT event.created_at, event.id\n  FROM event_logs event{conditions}\n ORDER BY {order}\n OFFSET {rows_before} LIMIT 1"
        );
        Statement { sql, parameters }
    }

    /// The statement that counts the rows; its order and limit don't matter.
    fn count_statement(&self) -> Statement {
        let mut parameters = Parameters::default();
        let conditions = self.conditions(&PassedOver::default(), &mut parameters);
        Statement {
            sql: format!("SELECT count(*)\n  FROM event_logs event{conditions}"),
            parameters,
        }
    }

    fn conditions(&self, passed_over: &PassedOver, parameters: &mut Parameters) -> String {
        let mut conditions = selection_conditions(self.selection, "event", parameters);
        conditions.extend(passed_over.condition("event", parameters));
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
                commit_position("other"),
                commit_position("event")
            ));
            conditions.push(format!(
                "NOT EXISTS (SELECT FROM event_logs other WHERE {})",
                same.join("\n   AND ")
            ));
        }
        where_clause(&conditions)
    }
}

fn after_cursor(cursor: &Cursor, parameters: &mut Parameters) -> [String; 2] {
    // Binds TIMESTAMP's own binary form: the infinities, too, come back as they went.
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

/// The condition that `row` was there when the walk began. A batch that committed later can hold
/// lower ids than the last of those.
fn within(snapshot: &Snapshot, row: &str, parameters: &mut Parameters) -> String {
    let last_id = parameters.bind(snapshot.last_id, Type::INT8);
    let batch_no = parameters.bind(snapshot.batch_no, Type::INT8);
    let was_there =
        nearest_batch(row, &format!("batch.batch_no <= {batch_no} OR batch.last_id < {row}.id"));
    format!("{row}.id <= {last_id}\n   AND coalesce({was_there}, true)")
}

#[cfg(test)]
mod tests;
