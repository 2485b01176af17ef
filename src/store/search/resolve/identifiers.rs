//! Resolves ids of aggregates and correlations: whole, by their beginning, or as text that is no
//! UUID.

use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::event::{aggregate_uuid, correlation_uuid};
use crate::filter::Identifier;
use crate::store::connection::query::TypedValue;
use crate::store::connection::session::Session;
use crate::store::error::Error;
use crate::store::search::resolved::RowScope;

/// A column of ids, which the ingester makes of text that is no UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Ids {
    /// `aggregate_id`.
    Aggregate,
    /// `correlation_id`.
    Correlation,
}

impl Ids {
    /// The id that the ingester makes of a text.
    pub(in crate::store) fn of_text(self, text: &str) -> Uuid {
        match self {
            Self::Aggregate => aggregate_uuid(text.as_bytes()),
            Self::Correlation => correlation_uuid(text.as_bytes()),
        }
    }

    fn exists(self) -> &'static str {
        match self {
            Self::Aggregate => "SELECT EXISTS (SELECT FROM event_logs WHERE aggregate_id = $1)",
            Self::Correlation => "SELECT EXISTS (SELECT FROM event_logs WHERE correlation_id = $1)",
        }
    }
}

/// The ids that texts mean.
pub(in crate::store) async fn resolve(
    session: &Session,
    texts: &[String],
    ids: Ids,
    scope: RowScope,
) -> Result<Vec<Identifier>, Error> {
    let mut identifiers = Vec::new();
    for text in texts {
        identifiers.extend(resolve_id(session, text, ids, scope).await?);
    }
    Ok(identifiers)
}

/// The id of a text, if a row has it; else the ids that begin like the text.
async fn resolve_id(
    session: &Session,
    text: &str,
    ids: Ids,
    scope: RowScope,
) -> Result<Vec<Identifier>, Error> {
    let exact = ids.of_text(text);
    let whole = Identifier::whole(exact);
    let prefix = match Identifier::parse(text) {
        Ok(identifier) if identifier.exact().is_none() => identifier,
        _ => return Ok(vec![whole]),
    };
    if scope == RowScope::Future {
        return Ok(vec![whole, prefix]);
    }
    let values: [TypedValue<'_>; 1] = [(&exact, Type::UUID)];
    let found =
        session.row("looking for the id", ids.exists(), &values, |row| row.try_get(0)).await?;
    Ok(vec![if found { whole } else { prefix }])
}
