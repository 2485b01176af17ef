//! Resolves a whole selection, selector by selector.

use tokio_postgres::types::Type;

use super::identifiers::Ids;
use super::{cardinality, dead_letter_errors, identifiers, names, recorded_time};
use crate::event::QUARANTINED;
use crate::filter::Selection;
use crate::store::connection::session::Session;
use crate::store::error::Error;
use crate::store::search::resolved::{Cardinality, ErrorFilter, ResolvedSelection, RowScope};

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
    // Only dead letters have errors, and they have an index of their own.
    if resolved.errors != ErrorFilter::Any && resolved.dead_letters.is_none() {
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
    checked.map(drop).map_err(|source| Error::payload_predicate(predicate, source))
}
