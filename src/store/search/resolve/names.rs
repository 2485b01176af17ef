//! Resolves types, services and topics: from globs to what exists.

use crate::filter::{Glob, GlobList};
use crate::store::connection::session::Session;
use crate::store::error::Error;
use crate::store::search::distinct_values::{DistinctColumn, distinct_values};
use crate::store::search::resolved::{RowScope, TextFilter, TopicFilter};

/// The event types that globs mean.
pub(in crate::store) async fn types(
    session: &Session,
    globs: &GlobList,
    scope: RowScope,
) -> Result<TextFilter, Error> {
    Ok(match texts(session, globs, DistinctColumn::EventType, scope).await? {
        // Every event has a type.
        TextFilter::ExactOrNull(types) => TextFilter::Exact(types),
        types => types,
    })
}

/// The services that globs mean.
pub(in crate::store) async fn services(
    session: &Session,
    globs: &GlobList,
    scope: RowScope,
) -> Result<TextFilter, Error> {
    let services = texts(session, globs, DistinctColumn::SourceService, scope).await?;
    let TextFilter::ExactOrNull(services) = services else { return Ok(services) };
    let sql = "SELECT EXISTS (SELECT FROM event_logs WHERE source_service IS NULL)";
    Ok(if exists(session, sql).await? {
        TextFilter::ExactOrNull(services)
    } else {
        TextFilter::Exact(services)
    })
}

/// Whether there are rows without a value: without them, exact values have the better plans.
async fn exists(session: &Session, sql: &str) -> Result<bool, Error> {
    session.row("looking for rows without a name", sql, &[], |row| row.try_get(0)).await
}

async fn texts(
    session: &Session,
    globs: &GlobList,
    column: DistinctColumn,
    scope: RowScope,
) -> Result<TextFilter, Error> {
    let texts = exact_or_like(globs);
    if scope == RowScope::Future || !matches!(texts, TextFilter::Like(_)) {
        return Ok(texts);
    }
    let mut values = distinct_values(session, column).await?;
    let count = values.len();
    values.retain(|value| globs.matches(value));
    Ok(match (globs.included.is_empty(), values.len() == count) {
        (false, _) => TextFilter::Exact(values),
        (true, false) => TextFilter::ExactOrNull(values),
        (true, true) => TextFilter::Any,
    })
}

fn exact_or_like(globs: &GlobList) -> TextFilter {
    if globs.is_empty() {
        return TextFilter::Any;
    }
    match globs.included.iter().map(Glob::literal).collect::<Option<Vec<_>>>() {
        Some(mut literals) if !literals.is_empty() => {
            literals.retain(|literal| !globs.excludes(literal));
            TextFilter::Exact(literals)
        }
        _ => TextFilter::Like(globs.into()),
    }
}

/// The partitions whose topics globs mean.
pub(in crate::store) async fn topics(
    session: &Session,
    globs: &GlobList,
    scope: RowScope,
) -> Result<TopicFilter, Error> {
    if globs.is_empty() {
        return Ok(TopicFilter::Any);
    }
    if scope == RowScope::Future {
        return Ok(TopicFilter::Like(globs.into()));
    }
    let partitions: Vec<(i32, String)> = session
        .rows(
            "reading the partitions of the topics",
            "SELECT partition_id, topic FROM kafka_partitions ORDER BY partition_id",
            &[],
            |row| Ok((row.try_get(0)?, row.try_get(1)?)),
        )
        .await?;
    let selected = partitions
        .into_iter()
        .filter(|(_, topic)| globs.matches(topic))
        .map(|(partition_id, _)| partition_id)
        .collect();
    let sql = "SELECT EXISTS (SELECT FROM event_logs WHERE partition_id IS NULL)";
    Ok(if globs.included.is_empty() && exists(session, sql).await? {
        TopicFilter::PartitionsOrNull(selected)
    } else {
        TopicFilter::Partitions(selected)
    })
}
