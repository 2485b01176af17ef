//! Resolves types, services and topics: from globs to what exists.

use crate::filter::Glob;
use crate::store::connection::session::Session;
use crate::store::error::Error;
use crate::store::search::distinct_values::{DistinctColumn, distinct_values};
use crate::store::search::resolved::{RowScope, TextFilter, TopicFilter};

/// The event types that globs mean.
pub(in crate::store) async fn types(
    session: &Session,
    globs: &[Glob],
    scope: RowScope,
) -> Result<TextFilter, Error> {
    texts(session, globs, DistinctColumn::EventType, scope).await
}

/// The services that globs mean.
pub(in crate::store) async fn services(
    session: &Session,
    globs: &[Glob],
    scope: RowScope,
) -> Result<TextFilter, Error> {
    texts(session, globs, DistinctColumn::SourceService, scope).await
}

async fn texts(
    session: &Session,
    globs: &[Glob],
    column: DistinctColumn,
    scope: RowScope,
) -> Result<TextFilter, Error> {
    let texts = exact_or_like(globs);
    if scope == RowScope::Future || !matches!(texts, TextFilter::Like(_)) {
        return Ok(texts);
    }
    let mut values = distinct_values(session, column).await?;
    values.retain(|value| globs.iter().any(|glob| glob.matches(value)));
    Ok(TextFilter::Exact(values))
}

fn exact_or_like(globs: &[Glob]) -> TextFilter {
    if globs.is_empty() {
        return TextFilter::Any;
    }
    match globs.iter().map(Glob::literal).collect() {
        Some(literals) => TextFilter::Exact(literals),
        None => TextFilter::Like(globs.iter().map(Glob::to_like).collect()),
    }
}

/// The partitions whose topics globs mean.
pub(in crate::store) async fn topics(
    session: &Session,
    globs: &[Glob],
    scope: RowScope,
) -> Result<TopicFilter, Error> {
    if globs.is_empty() {
        return Ok(TopicFilter::Any);
    }
    if scope == RowScope::Future {
        return Ok(TopicFilter::Like(globs.iter().map(Glob::to_like).collect()));
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
        .filter(|(_, topic)| globs.iter().any(|glob| glob.matches(topic)))
        .map(|(partition_id, _)| partition_id);
    Ok(TopicFilter::Partitions(selected.collect()))
}
