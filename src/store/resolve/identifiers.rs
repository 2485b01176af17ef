//! Ids of aggregates and correlations: whole, by their beginning, or as text that is no UUID.

use tokio_postgres::Client;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::Reach;
use crate::event::{aggregate_uuid, correlation_uuid};
use crate::filter::Identifier;
use crate::store::Error;

/// The aggregates that texts mean.
pub(super) async fn aggregates(
    client: &Client,
    texts: &[String],
    reach: Reach,
) -> Result<Vec<Identifier>, Error> {
    let mut identifiers = Vec::new();
    for text in texts {
        let exact = aggregate_uuid(text.as_bytes());
        let exists = "SELECT EXISTS (SELECT FROM event_logs WHERE aggregate_id = $1)";
        identifiers.extend(resolve_id(client, text, exact, exists, reach).await?);
    }
    Ok(identifiers)
}

/// The correlations that texts mean.
pub(super) async fn correlations(
    client: &Client,
    texts: &[String],
    reach: Reach,
) -> Result<Vec<Identifier>, Error> {
    let mut identifiers = Vec::new();
    for text in texts {
        let exact = correlation_uuid(text.as_bytes());
        let exists = "SELECT EXISTS (SELECT FROM event_logs WHERE correlation_id = $1)";
        identifiers.extend(resolve_id(client, text, exact, exists, reach).await?);
    }
    Ok(identifiers)
}

/// Exactly this id, if a row has it; else the text may be the beginning of an id.
async fn resolve_id(
    client: &Client,
    text: &str,
    exact: Uuid,
    exists: &str,
    reach: Reach,
) -> Result<Vec<Identifier>, Error> {
    let whole = Identifier { low: exact, high: exact, suffix: None };
    let prefix = match Identifier::parse(text) {
        Ok(identifier) if identifier.exact().is_none() => identifier,
        _ => return Ok(vec![whole]),
    };
    if reach == Reach::Future {
        return Ok(vec![whole, prefix]);
    }
    let failed = "looking for the id";
    let found: bool = client
        .query_typed(exists, &[(&exact, Type::UUID)])
        .await
        .map_err(Error::query(failed))?
        .first()
        .map_or(Ok(false), |row| row.try_get(0))
        .map_err(Error::query(failed))?;
    Ok(vec![if found { whole } else { prefix }])
}
