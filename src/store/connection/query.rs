//! Runs a statement and reads its rows: one round trip, because the types of the values are given,
//! and an error where a column holds something else than is read.

use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{GenericClient, Row};

use crate::store::error::Error;

/// A value for `$1`, `$2`, …, and its type.
pub(in crate::store) type TypedValue<'a> = (&'a (dyn ToSql + Sync), Type);

/// Runs `sql` and reads every row. `what` is being done, in errors.
///
/// # Errors
/// `Error::Query`.
pub(in crate::store) async fn rows<T>(
    client: &impl GenericClient,
    what: &'static str,
    sql: &str,
    values: &[TypedValue<'_>],
    read: impl Fn(&Row) -> Result<T, tokio_postgres::Error>,
) -> Result<Vec<T>, Error> {
    let rows = client.query_typed(sql, values).await.map_err(Error::query(what))?;
    rows.iter().map(read).collect::<Result<_, _>>().map_err(Error::query(what))
}

/// Runs `sql`, which gives exactly one row, and reads it.
///
/// # Errors
/// `Error::Query`, also where there are none or several rows.
pub(in crate::store) async fn row<T>(
    client: &impl GenericClient,
    what: &'static str,
    sql: &str,
    values: &[TypedValue<'_>],
    read: impl Fn(&Row) -> Result<T, tokio_postgres::Error>,
) -> Result<T, Error> {
    let row = client.query_typed_one(sql, values).await.map_err(Error::query(what))?;
    read(&row).map_err(Error::query(what))
}

/// Runs `sql`, which gives one row or none, and reads it.
///
/// # Errors
/// `Error::Query`, also where there are several rows.
pub(in crate::store) async fn optional_row<T>(
    client: &impl GenericClient,
    what: &'static str,
    sql: &str,
    values: &[TypedValue<'_>],
    read: impl Fn(&Row) -> Result<T, tokio_postgres::Error>,
) -> Result<Option<T>, Error> {
    let row = client.query_typed_opt(sql, values).await.map_err(Error::query(what))?;
    row.as_ref().map(read).transpose().map_err(Error::query(what))
}

/// Runs `sql`, whose rows don't matter.
///
/// # Errors
/// `Error::Query`.
pub(in crate::store) async fn execute(
    client: &impl GenericClient,
    what: &'static str,
    sql: &str,
    values: &[TypedValue<'_>],
) -> Result<(), Error> {
    client.query_typed(sql, values).await.map(drop).map_err(Error::query(what))
}
