//! The rows of a batch in the canonical form, made of the bytes that PostgreSQL sends for their
//! columns.

use std::pin::pin;

use futures_util::TryStreamExt;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};

use crate::evidence::Hash;
use crate::evidence::canonical::{DEAD_LETTER_COLUMNS, EVENT_COLUMNS, RowForm, Tuple};
use crate::evidence::tree::leaf_hash;
use crate::store::connection::session::Session;
use crate::store::error::Error;

/// What it does, in errors.
const WHAT: &str = "reading the rows of a batch";

/// The rows of a batch as their hashes, and one of them as it is hashed.
#[derive(Debug, Default)]
pub struct HashedRows {
    /// The ids of the rows that are there, in their order.
    pub ids: Vec<i64>,
    /// The hashes of their leaves, in the same order.
    pub hashes: Vec<Hash>,
    /// The canonical form of the row that was asked for.
    pub kept: Option<Vec<u8>>,
}

/// Hashes the rows with ids from `first_id` to `last_id`, and keeps the form of the row `keep`.
///
/// # Errors
/// `Error::Query`; `Error::Evidence` where a row has no canonical form.
pub async fn hashed_rows(
    session: &Session,
    first_id: i64,
    last_id: i64,
    keep: Option<i64>,
) -> Result<HashedRows, Error> {
    let of = |table: &str, columns: &[&str]| {
        columns.iter().map(|column| format!("{table}.{column}")).collect::<Vec<_>>().join(", ")
    };
    let sql = format!(
        "SELECT {}, {} FROM event_logs event LEFT JOIN dead_letters letter ON letter.event_log_id = event.id
          WHERE event.id BETWEEN $1 AND $2 ORDER BY event.id",
        of("event", &EVENT_COLUMNS),
        of("letter", &DEAD_LETTER_COLUMNS)
    );
    let values: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 2] =
        [(&first_id, Type::INT8), (&last_id, Type::INT8)];
    let rows = session.client().query_typed_raw(&sql, values).await.map_err(Error::query(WHAT))?;
    let mut rows = pin!(rows);
    let mut form = RowForm::default();
    let (mut event, mut letter) = (Vec::new(), Vec::new());
    let mut hashed = HashedRows::default();
    while let Some(row) = rows.try_next().await.map_err(Error::query(WHAT))? {
        let id: i64 = row.try_get(0).map_err(Error::query(WHAT))?;
        write_tuple(&mut event, &row, 0, EVENT_COLUMNS.len())?;
        let Raw(letter_id) = raw(&row, EVENT_COLUMNS.len())?;
        if letter_id.is_some() {
            write_tuple(&mut letter, &row, EVENT_COLUMNS.len(), DEAD_LETTER_COLUMNS.len())?;
        }
        let letter = letter_id.map(|_| letter.as_slice());
        let bytes = form.of(&event, letter).map_err(Error::Evidence)?;
        hashed.ids.push(id);
        hashed.hashes.push(leaf_hash(bytes));
        if keep == Some(id) {
            hashed.kept = Some(bytes.to_vec());
        }
    }
    Ok(hashed)
}

/// The bytes of a column, whatever it holds.
struct Raw<'a>(Option<&'a [u8]>);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(Some(raw)))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(None))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

fn raw(row: &Row, column: usize) -> Result<Raw<'_>, Error> {
    row.try_get(column).map_err(Error::query(WHAT))
}

/// Writes columns as the tuple that binary COPY has for them.
fn write_tuple(bytes: &mut Vec<u8>, row: &Row, first: usize, count: usize) -> Result<(), Error> {
    bytes.clear();
    let mut tuple = Tuple::begin(bytes, count as u16);
    for column in first..first + count {
        tuple.bytes(raw(row, column)?.0);
    }
    Ok(())
}
