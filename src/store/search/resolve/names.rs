//! Types, services and topics: from globs to what exists.

use super::RowScope;
use crate::filter::Glob;
use crate::store::Error;
use crate::store::connection::session::Session;

/// Which texts are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::store) enum Texts {
    #[default]
    Any,
    /// One of these.
    Exact(Vec<String>),
    /// What one of these patterns of LIKE matches.
    Like(Vec<String>),
}

/// Which topics are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::store) enum Topics {
    #[default]
    Any,
    /// One of these `kafka_partitions.partition_id`.
    Partitions(Vec<i32>),
    /// What one of these patterns of LIKE matches.
    Like(Vec<String>),
}

impl Texts {
    /// Leaves of what is meant this value alone.
    pub(in crate::store) fn keep_only(&mut self, value: &str) {
        match self {
            Self::Any => *self = Self::Exact(vec![value.to_owned()]),
            Self::Exact(values) => values.retain(|other| other == value),
            // Which values these match is not known: conditions on the row tell.
            Self::Like(_) => {}
        }
    }
}

/// A column of few values, which an index lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DistinctColumn {
    /// `event_type`.
    EventType,
    /// `source_service`.
    SourceService,
}

/// The values that exist, in order: from each to the next by the index, so that ten million rows of
/// twenty types cost twenty look-ups in each leaf.
///
/// # Errors
/// `Error::Query`.
pub async fn distinct_values(
    session: &Session,
    column: DistinctColumn,
) -> Result<Vec<String>, Error> {
    let sql = match column {
        DistinctColumn::EventType => {
            "WITH RECURSIVE found(value) AS (
                 SELECT min(event_type)::text FROM event_logs
                 UNION ALL
                 SELECT (SELECT min(event_type)::text FROM event_logs WHERE event_type > found.value)
                   FROM found WHERE found.value IS NOT NULL)
             SELECT value FROM found WHERE value IS NOT NULL"
        }
        DistinctColumn::SourceService => {
            "WITH RECURSIVE found(value) AS (
                 SELECT min(source_service)::text FROM event_logs
                 UNION ALL
                 SELECT (SELECT min(source_service)::text FROM event_logs WHERE source_service > found.value)
                   FROM found WHERE found.value IS NOT NULL)
             SELECT value FROM found WHERE value IS NOT NULL"
        }
    };
    let rows = session
        .client()
        .query_typed(sql, &[])
        .await
        .map_err(Error::query("listing the values that exist"))?;
    rows.iter()
        .map(|row| row.try_get(0))
        .collect::<Result<_, _>>()
        .map_err(Error::query("listing the values that exist"))
}

/// The event types that globs mean.
pub(in crate::store) async fn types(
    session: &Session,
    globs: &[Glob],
    scope: RowScope,
) -> Result<Texts, Error> {
    texts(session, globs, DistinctColumn::EventType, scope).await
}

/// The services that globs mean.
pub(in crate::store) async fn services(
    session: &Session,
    globs: &[Glob],
    scope: RowScope,
) -> Result<Texts, Error> {
    texts(session, globs, DistinctColumn::SourceService, scope).await
}

async fn texts(
    session: &Session,
    globs: &[Glob],
    column: DistinctColumn,
    scope: RowScope,
) -> Result<Texts, Error> {
    let texts = exact_or_like(globs);
    if scope == RowScope::Future || !matches!(texts, Texts::Like(_)) {
        return Ok(texts);
    }
    let mut values = distinct_values(session, column).await?;
    values.retain(|value| globs.iter().any(|glob| glob.matches(value)));
    Ok(Texts::Exact(values))
}

fn exact_or_like(globs: &[Glob]) -> Texts {
    if globs.is_empty() {
        return Texts::Any;
    }
    match globs.iter().map(Glob::literal).collect() {
        Some(literals) => Texts::Exact(literals),
        None => Texts::Like(globs.iter().map(Glob::to_like).collect()),
    }
}

/// The partitions whose topics globs mean.
pub(in crate::store) async fn topics(
    session: &Session,
    globs: &[Glob],
    scope: RowScope,
) -> Result<Topics, Error> {
    if globs.is_empty() {
        return Ok(Topics::Any);
    }
    if scope == RowScope::Future {
        return Ok(Topics::Like(globs.iter().map(Glob::to_like).collect()));
    }
    let failed = "reading the partitions of the topics";
    let rows = session
        .client()
        .query_typed("SELECT partition_id, topic FROM kafka_partitions ORDER BY partition_id", &[])
        .await
        .map_err(Error::query(failed))?;
    let mut partitions = Vec::new();
    for row in &rows {
        let topic: &str = row.try_get(1).map_err(Error::query(failed))?;
        if globs.iter().any(|glob| glob.matches(topic)) {
            partitions.push(row.try_get(0).map_err(Error::query(failed))?);
        }
    }
    Ok(Topics::Partitions(partitions))
}
