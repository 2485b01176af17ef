//! In which columns an id stands.

use tokio_postgres::types::Type;

use crate::filter::Identifier;
use crate::store::connection::session::Session;
use crate::store::error::Error;
use crate::store::search::resolve::identifiers::Ids;

/// A column of ids, each with an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdColumn {
    /// `event_id`.
    Event,
    /// `aggregate_id`.
    Aggregate,
    /// `correlation_id`.
    Correlation,
}

/// How many ids that begin like the typed one are looked at, where its end was typed, too.
const MOST_LOOKED_AT: i64 = 10_000;

impl IdColumn {
    const ALL: [Self; 3] = [Self::Event, Self::Aggregate, Self::Correlation];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Event => "event_id",
            Self::Aggregate => "aggregate_id",
            Self::Correlation => "correlation_id",
        }
    }

    /// What a text means in this column: the id that was made of it, and those that begin like it.
    fn identifiers(self, text: &str) -> Vec<Identifier> {
        let made = match self {
            Self::Event => None,
            Self::Aggregate => Some(Ids::Aggregate.of_text(text)),
            Self::Correlation => Some(Ids::Correlation.of_text(text)),
        };
        made.map(Identifier::whole).into_iter().chain(Identifier::parse(text).ok()).collect()
    }
}

/// The columns in which an id stands: whole, by its beginning, by its short form, or as text that
/// is no UUID. Where so many ids begin like it that not all are looked at, it counts as found.
///
/// # Errors
/// `Error::Query`.
pub async fn columns_of_id(session: &Session, text: &str) -> Result<Vec<IdColumn>, Error> {
    let mut found = Vec::new();
    for column in IdColumn::ALL {
        for identifier in column.identifiers(text) {
            if !found.contains(&column) && has(session, column, &identifier).await? {
                found.push(column);
            }
        }
    }
    Ok(found)
}

async fn has(session: &Session, column: IdColumn, id: &Identifier) -> Result<bool, Error> {
    let sql = format!(
        "SELECT count(*), coalesce(bool_or(replace(id::text, '-', '') LIKE $3), false)
           FROM (SELECT {0} AS id FROM event_logs WHERE {0} BETWEEN $1 AND $2 LIMIT $4) found",
        column.name()
    );
    // A whole id needs one row.
    let limit = if id.suffix.is_some() { MOST_LOOKED_AT } else { 1 };
    let ending = format!("%{}", id.suffix.as_deref().unwrap_or_default());
    session
        .row(
            "looking for the id",
            &sql,
            &[
                (&id.low, Type::UUID),
                (&id.high, Type::UUID),
                (&ending, Type::TEXT),
                (&limit, Type::INT8),
            ],
            |row| {
                let (count, is_found): (i64, bool) = (row.try_get(0)?, row.try_get(1)?);
                Ok(is_found || count == MOST_LOOKED_AT)
            },
        )
        .await
}
