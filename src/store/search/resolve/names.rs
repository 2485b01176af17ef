//! Resolves types, services and topics: from globs to what exists.

use crate::filter::{Glob, GlobList};
use crate::store::connection::session::Session;
use crate::store::connection::statement::{Parameters, Statement};
use crate::store::error::Error;
use crate::store::search::counted::{Counting, MOST_READ};
use crate::store::search::distinct_values::{DistinctColumn, DistinctValues, distinct_values};
use crate::store::search::resolved::{RowScope, TextFilter, TopicFilter};

/// The event types that globs mean.
pub(in crate::store) async fn types(
    session: &Session,
    globs: &GlobList,
    scope: RowScope,
) -> Result<TextFilter, Error> {
    texts(session, globs, DistinctColumn::EventType, scope).await
}

/// The services that globs mean.
pub(in crate::store) async fn services(
    session: &Session,
    globs: &GlobList,
    scope: RowScope,
) -> Result<TextFilter, Error> {
    texts(session, globs, DistinctColumn::SourceService, scope).await
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
    let counting = Counting::read(session).await?;
    if counting.uncounted_rows > MOST_READ {
        return Ok(texts);
    }
    let DistinctValues { mut values, has_null } =
        distinct_values(session, column, &counting).await?;
    let count = values.len();
    values.retain(|value| globs.matches(value));
    Ok(match (globs.included.is_empty(), values.len() == count) {
        (true, true) => TextFilter::Any,
        (true, false) if has_null => TextFilter::ExactOrNull(values),
        // Exact values have the better plans.
        _ => TextFilter::Exact(values),
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
    Ok(if globs.included.is_empty() && has_foreign_rows(session).await? {
        TopicFilter::PartitionsOrNull(selected)
    } else {
        TopicFilter::Partitions(selected)
    })
}

/// Whether there are rows outside batches, which have no topic: without them, exact values have the
/// better plans.
async fn has_foreign_rows(session: &Session) -> Result<bool, Error> {
    let mut parameters = Parameters::default();
    let rows = Counting::read(session).await?.outside_batches("event", &mut parameters);
    let statement = Statement { sql: format!("SELECT EXISTS ({rows})"), parameters };
    statement.row(session, "looking for rows outside batches", |row| row.try_get(0)).await
}
