//! SQL text with its bound values.

use std::fmt::{self, Debug};

use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row, RowStream};

use super::Error;

type Bound = Box<dyn ToSql + Sync + Send>;

/// SQL with the values for its `$1`, `$2`, ….
pub struct Statement {
    /// The text.
    pub sql: String,
    pub(super) parameters: Parameters,
}

/// Values to bind, in the order of their numbers.
#[derive(Default)]
pub(super) struct Parameters(Vec<(Bound, Type)>);

impl Parameters {
    /// Takes a value, and returns the `$n` that stands for it.
    pub(super) fn bind(&mut self, value: impl ToSql + Sync + Send + 'static, sql_type: Type) -> String {
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
    ///
    /// # Errors
    /// `Error::Query`, with `what` was being done.
    pub async fn stream(&self, client: &Client, what: &'static str) -> Result<RowStream, Error> {
        let parameters = self
            .parameters
            .0
            .iter()
            .map(|(value, sql_type)| (&**value as &(dyn ToSql + Sync), sql_type.clone()));
        let parameters: Vec<_> = parameters.collect();
        client.query_typed_raw(&self.sql, parameters).await.map_err(Error::query(what))
    }

    /// Runs it and returns all rows.
    ///
    /// # Errors
    /// `Error::Query`, with `what` was being done.
    pub async fn rows(&self, client: &Client, what: &'static str) -> Result<Vec<Row>, Error> {
        let parameters: Vec<_> = self
            .parameters
            .0
            .iter()
            .map(|(value, sql_type)| (&**value as &(dyn ToSql + Sync), sql_type.clone()))
            .collect();
        client.query_typed(&self.sql, &parameters).await.map_err(Error::query(what))
    }
}
