//! SQL text with its bound values.

use std::fmt::{self, Debug};

use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Row, RowStream};

use super::query::TypedValue;
use super::session::Session;
use crate::store::error::Error;

type Bound = Box<dyn ToSql + Sync + Send>;

/// SQL with the values for its `$1`, `$2`, ….
pub(in crate::store) struct Statement {
    /// The text.
    pub(in crate::store) sql: String,
    /// The values.
    pub(in crate::store) parameters: Parameters,
}

/// Values to bind, in the order of their numbers.
#[derive(Default)]
pub(in crate::store) struct Parameters(Vec<(Bound, Type)>);

impl Parameters {
    /// Adds a value, and returns the `$n` that stands for it.
    pub(in crate::store) fn bind(
        &mut self,
        value: impl ToSql + Sync + Send + 'static,
        sql_type: Type,
    ) -> String {
        self.0.push((Box::new(value), sql_type));
        format!("${}", self.0.len())
    }
}

impl Debug for Statement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.sql)?;
        for (index, (value, sql_type)) in self.parameters.0.iter().enumerate() {
            write!(formatter, "\n${} {sql_type} {value:?}", index + 1)?;
        }
        Ok(())
    }
}

impl Statement {
    /// Runs it and hands the rows out as they arrive; what is not taken yet stays at the server.
    /// `what` is being done, in errors.
    ///
    /// # Errors
    /// `Error::Query`.
    pub(in crate::store) async fn stream(
        &self,
        session: &Session,
        what: &'static str,
    ) -> Result<RowStream, Error> {
        session.client().query_typed_raw(&self.sql, self.values()).await.map_err(Error::query(what))
    }

    /// Runs it and returns how PostgreSQL found the rows, line by line: `EXPLAIN (ANALYZE,
    /// BUFFERS)`.
    ///
    /// # Errors
    /// `Error::Query`.
    pub(in crate::store) async fn explain(&self, session: &Session) -> Result<Vec<String>, Error> {
        let sql = format!("EXPLAIN (ANALYZE, BUFFERS) {}", self.sql);
        session.rows("explaining a statement", &sql, &self.values(), |row| row.try_get(0)).await
    }

    /// Asks how many rows PostgreSQL expects, without running it.
    ///
    /// # Errors
    /// `Error::Query`.
    pub(in crate::store) async fn expected_rows(&self, session: &Session) -> Result<u64, Error> {
        let sql = format!("EXPLAIN (FORMAT JSON) {}", self.sql);
        let plan: serde_json::Value = session
            .row("explaining a statement", &sql, &self.values(), |row| row.try_get(0))
            .await?;
        let rows = plan.pointer("/0/Plan/Plan Rows").and_then(serde_json::Value::as_f64);
        // A conversion to an integer keeps to its bounds.
        Ok(rows.unwrap_or(0.0) as u64)
    }

    /// Runs it and reads every row.
    ///
    /// # Errors
    /// `Error::Query`.
    pub(in crate::store) async fn rows<T>(
        &self,
        session: &Session,
        what: &'static str,
        read: impl Fn(&Row) -> Result<T, tokio_postgres::Error>,
    ) -> Result<Vec<T>, Error> {
        session.rows(what, &self.sql, &self.values(), read).await
    }

    /// Runs it, which gives exactly one row, and reads the row.
    ///
    /// # Errors
    /// `Error::Query`, also where there are none or several rows.
    pub(in crate::store) async fn row<T>(
        &self,
        session: &Session,
        what: &'static str,
        read: impl Fn(&Row) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, Error> {
        session.row(what, &self.sql, &self.values(), read).await
    }

    fn values(&self) -> Vec<TypedValue<'_>> {
        let values = self.parameters.0.iter();
        values
            .map(|(value, sql_type)| (&**value as &(dyn ToSql + Sync), sql_type.clone()))
            .collect()
    }
}
