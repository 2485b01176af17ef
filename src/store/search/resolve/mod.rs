//! What selectors mean in one database: globs become the values that exist, topics become
//! partitions, times of recording become ids. The statement that follows then searches indexes by
//! exact values, and its plan is made for them.

mod cardinality;
mod dead_letter_errors;
mod identifiers;
mod names;
mod recorded_time;

use tokio_postgres::types::Type;

use crate::event::QUARANTINED;
use crate::filter::{Identifier, Selection};
use crate::store::Error;
use crate::store::connection::session::Session;

pub(in crate::store) use cardinality::Cardinality;
#[cfg(test)]
pub(in crate::store) use dead_letter_errors::ErrorPatterns;
pub(in crate::store) use dead_letter_errors::Errors;
use identifiers::Ids;
pub use names::{DistinctColumn, distinct_values};
pub(in crate::store) use names::{Texts, Topics};
pub(in crate::store) use recorded_time::RecordedRange;

/// A selection, resolved against one database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResolvedSelection {
    pub(in crate::store) event_types: Texts,
    pub(in crate::store) services: Texts,
    pub(in crate::store) topics: Topics,
    pub(in crate::store) aggregates: Vec<Identifier>,
    pub(in crate::store) correlations: Vec<Identifier>,
    pub(in crate::store) recorded: Option<RecordedRange>,
    pub(in crate::store) errors: Errors,
    /// Whether only dead letters are meant, or none.
    pub(in crate::store) dead_letters: Option<bool>,
    /// How many rows have the types, services and topics together.
    pub(in crate::store) cardinality: Cardinality,
    /// What needs no look-up.
    pub(in crate::store) selection: Selection,
}

/// For which rows a selection is resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowScope {
    /// Those that are there.
    Existing,
    /// Those that are still to come, too: of types, services and partitions that may not exist yet.
    Future,
}

impl ResolvedSelection {
    /// Whether ids narrow the search to few rows.
    fn has_ids(&self) -> bool {
        !self.aggregates.is_empty()
            || !self.correlations.is_empty()
            || !self.selection.event_ids.is_empty()
    }

    /// Whether a selector has no counterpart in the database, so that nothing can match.
    pub fn is_empty(&self) -> bool {
        self.event_types == Texts::Exact(Vec::new())
            || self.services == Texts::Exact(Vec::new())
            || self.topics == Topics::Partitions(Vec::new())
            || self.errors == Errors::Ids(Vec::new())
            || (self.errors != Errors::Any && self.dead_letters == Some(false))
            || self.cardinality == Cardinality::None
            || self.recorded.is_some_and(|recorded| recorded.first_id > recorded.last_id)
    }
}

/// Resolves `selection`.
///
/// # Errors
/// `Error::PayloadPredicate` where PostgreSQL can't read a `--where`; `Error::Query`.
pub async fn resolve(
    session: &Session,
    selection: &Selection,
    scope: RowScope,
) -> Result<ResolvedSelection, Error> {
    for predicate in &selection.payload_predicates {
        check_payload_predicate(session, predicate).await?;
    }
    let mut resolved = ResolvedSelection {
        event_types: names::types(session, &selection.event_types, scope).await?,
        services: names::services(session, &selection.services, scope).await?,
        topics: names::topics(session, &selection.topics, scope).await?,
        aggregates: identifiers::resolve(session, &selection.aggregates, Ids::Aggregate, scope)
            .await?,
        correlations: identifiers::resolve(
            session,
            &selection.correlations,
            Ids::Correlation,
            scope,
        )
        .await?,
        recorded: recorded_time::resolve(session, selection.recorded, scope).await?,
        errors: dead_letter_errors::patterns(&selection.errors),
        dead_letters: selection.dead_letters,
        cardinality: Cardinality::Many,
        selection: selection.clone(),
    };
    if selection.quarantined {
        resolved.event_types.keep_only(QUARANTINED);
    }
    // What has an error is a dead letter, and they have an index of their own.
    if resolved.errors != Errors::Any && resolved.dead_letters.is_none() {
        resolved.dead_letters = Some(true);
    }
    if scope == RowScope::Existing && !resolved.is_empty() {
        cardinality::resolve(session, &mut resolved).await?;
        dead_letter_errors::resolve(session, &mut resolved).await?;
    }
    Ok(resolved)
}

/// Lets PostgreSQL read a predicate, so that what is wrong with it is said before anything is
/// searched.
async fn check_payload_predicate(session: &Session, predicate: &str) -> Result<(), Error> {
    // A path that is no predicate finds no boolean in an empty object, and `@@` would silently
    // match nothing.
    let checked = session
        .client()
        .query_typed(
            "SELECT jsonb_path_match('{}', $1::text::jsonpath)",
            &[(&predicate, Type::TEXT)],
        )
        .await;
    match checked {
        Ok(_) => Ok(()),
        Err(source) => Err(Error::payload_predicate(predicate, source)),
    }
}
