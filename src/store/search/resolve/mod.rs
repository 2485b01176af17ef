//! What selectors mean in one database: globs become the values that exist, topics become partitions, times of recording
//! become ids. The statement that follows then searches indexes by exact values, and its plan is made for them.

mod amount;
mod errors;
mod identifiers;
mod recorded;
mod values;

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::Error;
use crate::event::QUARANTINED;
use crate::filter::{Identifier, Selection};

pub(super) use amount::Amount;
#[cfg(test)]
pub(super) use errors::ErrorPatterns;
pub(super) use errors::Errors;
use identifiers::Ids;
pub(super) use recorded::Recorded;
pub use values::{Distinct, distinct_values};
pub(super) use values::{Texts, Topics};

/// A selection, resolved against one database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResolvedSelection {
    pub(super) event_types: Texts,
    pub(super) services: Texts,
    pub(super) topics: Topics,
    pub(super) aggregates: Vec<Identifier>,
    pub(super) correlations: Vec<Identifier>,
    pub(super) recorded: Option<Recorded>,
    pub(super) errors: Errors,
    /// Whether only dead letters are meant, or none.
    pub(super) dead_letters: Option<bool>,
    /// How many rows have the types, services and topics together.
    pub(super) amount: Amount,
    /// What needs no look-up.
    pub(super) selection: Selection,
}

/// For which rows a selection is resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Those that are there.
    Present,
    /// Those that are still to come, too: of types, services and partitions that may not exist yet.
    Future,
}

impl ResolvedSelection {
    /// Whether ids narrow the search to few rows.
    fn has_ids(&self) -> bool {
        !self.aggregates.is_empty() || !self.correlations.is_empty() || !self.selection.event_ids.is_empty()
    }

    /// Whether a selector has no counterpart in the database, so that nothing can match.
    pub fn is_empty(&self) -> bool {
        self.event_types == Texts::Exact(Vec::new())
            || self.services == Texts::Exact(Vec::new())
            || self.topics == Topics::Partitions(Vec::new())
            || self.errors == Errors::Ids(Vec::new())
            || (self.errors != Errors::Any && self.dead_letters == Some(false))
            || self.amount == Amount::None
            || self.recorded.is_some_and(|recorded| recorded.first_id > recorded.last_id)
    }
}

/// Resolves `selection`.
///
/// # Errors
/// `Error::PayloadPredicate` where PostgreSQL can't read a `--where`; `Error::Query`.
pub async fn resolve(
    client: &Client,
    selection: &Selection,
    reach: Reach,
) -> Result<ResolvedSelection, Error> {
    for predicate in &selection.payload_predicates {
        check_payload_predicate(client, predicate).await?;
    }
    let mut resolved = ResolvedSelection {
        event_types: values::types(client, &selection.event_types, reach).await?,
        services: values::services(client, &selection.services, reach).await?,
        topics: values::topics(client, &selection.topics, reach).await?,
        aggregates: identifiers::resolve(client, &selection.aggregates, Ids::Aggregate, reach).await?,
        correlations: identifiers::resolve(client, &selection.correlations, Ids::Correlation, reach).await?,
        recorded: recorded::resolve(client, selection.recorded, reach).await?,
        errors: errors::patterns(&selection.errors),
        dead_letters: selection.dead_letters,
        amount: Amount::Many,
        selection: selection.clone(),
    };
    if selection.quarantined {
        resolved.event_types.keep_only(QUARANTINED);
    }
    // What has an error is a dead letter, and they have an index of their own.
    if resolved.errors != Errors::Any && resolved.dead_letters.is_none() {
        resolved.dead_letters = Some(true);
    }
    if reach == Reach::Present && !resolved.is_empty() {
        amount::resolve(client, &mut resolved).await?;
        errors::resolve(client, &mut resolved).await?;
    }
    Ok(resolved)
}

/// Lets PostgreSQL read a predicate, so that what is wrong with it is said before anything is searched.
async fn check_payload_predicate(client: &Client, predicate: &str) -> Result<(), Error> {
    // A path that is no predicate finds no boolean in an empty object, and `@@` would silently match nothing.
    let checked = client
        .query_typed("SELECT jsonb_path_match('{}', $1::text::jsonpath)", &[(&predicate, Type::TEXT)])
        .await;
    match checked {
        Ok(_) => Ok(()),
        Err(source) => Err(Error::payload_predicate(predicate, source)),
    }
}
