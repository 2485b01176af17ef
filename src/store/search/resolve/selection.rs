//! Resolves a whole selection, selector by selector.

use tokio_postgres::types::Type;

use super::identifiers::Ids;
use super::{cardinality, dead_letter_errors, identifiers, names, recorded_time};
use crate::event::QUARANTINED;
use crate::filter::Selection;
use crate::store::connection::session::Session;
use crate::store::error::Error;
use crate::store::search::resolved::{
    Cardinality, ErrorFilter, Extent, ResolvedSelection, RowScope,
};
use crate::store::search::walk::leaves::{Leaves, between};

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
        extent: Extent::default(),
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
        pass_over_leaves(session, &mut resolved).await?;
        if resolved.has_beginnings_of_ids() {
            // Of all that is left, reading a light leaf from end to end takes the least.
            let sql = "SET LOCAL enable_seqscan = on";
            session.execute("preparing to look for the beginning of an id", sql, &[]).await?;
        }
    }
    Ok(resolved)
}

/// Finds the leaves that have no rows of the selected time.
async fn pass_over_leaves(
    session: &Session,
    resolved: &mut ResolvedSelection,
) -> Result<(), Error> {
    let selection = &resolved.selection;
    let days: Vec<_> = selection.days.iter().map(between).collect();
    let recorded = resolved.recorded.and_then(|recorded| recorded.created);
    let created = (!selection.created.is_unbounded()).then(|| between(&selection.created));
    let ranges: Vec<_> =
        [created, recorded, resolved.extent.created].into_iter().flatten().collect();
    if !ranges.is_empty() || !days.is_empty() {
        let leaves = Leaves::read(session).await?;
        resolved.extent.passed_over = leaves.without_times(&ranges, &days);
    }
    Ok(())
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
