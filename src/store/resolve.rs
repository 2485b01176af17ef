//! What selectors mean in one database: globs become the values that exist, topics become partitions, times of recording
//! become ids. The statement that follows then searches indexes by exact values, and its plan is made for them.

use chrono::{DateTime, Utc};
use tokio_postgres::Client;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::Error;
use crate::event::{aggregate_uuid, correlation_uuid};
use crate::filter::{Glob, Identifier, Selection};

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
    /// The ids of all rows of the types and services, where both were asked for and the rows are few.
    pub(super) rare_pair: Option<Vec<i64>>,
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

/// Which texts are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Texts {
    #[default]
    Any,
    /// One of these.
    Exact(Vec<String>),
    /// What one of these patterns of LIKE matches.
    Like(Vec<String>),
}

/// Which topics are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Topics {
    #[default]
    Any,
    /// One of these `kafka_partitions.partition_id`.
    Partitions(Vec<i32>),
    /// What one of these patterns of LIKE matches.
    Like(Vec<String>),
}

/// Which errors are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Errors {
    #[default]
    Any,
    /// Those of these rows, all that match.
    Ids(Vec<i64>),
    /// Those that a pattern of LIKE matches.
    Like(ErrorPatterns),
}

/// Patterns of LIKE for the two texts of an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ErrorPatterns {
    pub(super) classes: Vec<String>,
    pub(super) messages: Vec<String>,
}

/// The ids that batches recorded in a range of time, and the range, because ids are not in the order of commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Recorded {
    pub(super) first_id: i64,
    pub(super) last_id: i64,
    pub(super) since: Option<DateTime<Utc>>,
    pub(super) until: Option<DateTime<Utc>>,
}

impl ResolvedSelection {
    /// Whether a selector has no counterpart in the database, so that nothing can match.
    pub fn is_empty(&self) -> bool {
        self.event_types == Texts::Exact(Vec::new())
            || self.services == Texts::Exact(Vec::new())
            || self.topics == Topics::Partitions(Vec::new())
            || self.errors == Errors::Ids(Vec::new())
            || self.rare_pair.as_ref().is_some_and(Vec::is_empty)
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
    let mut aggregates = Vec::new();
    for text in &selection.aggregates {
        let exact = aggregate_uuid(text.as_bytes());
        let exists = "SELECT EXISTS (SELECT FROM event_logs WHERE aggregate_id = $1)";
        aggregates.extend(resolve_id(client, text, exact, exists, reach).await?);
    }
    let mut correlations = Vec::new();
    for text in &selection.correlations {
        let exact = correlation_uuid(text.as_bytes());
        let exists = "SELECT EXISTS (SELECT FROM event_logs WHERE correlation_id = $1)";
        correlations.extend(resolve_id(client, text, exact, exists, reach).await?);
    }
    let event_types = resolve_texts(client, &selection.event_types, Distinct::EventType, reach).await?;
    let services = resolve_texts(client, &selection.services, Distinct::SourceService, reach).await?;
    Ok(ResolvedSelection {
        rare_pair: resolve_rare_pair(client, &event_types, &services, reach).await?,
        event_types,
        services,
        topics: resolve_topics(client, &selection.topics, reach).await?,
        aggregates,
        correlations,
        recorded: resolve_recorded(client, selection, reach).await?,
        errors: resolve_errors(client, &selection.errors, reach).await?,
        selection: selection.clone(),
    })
}

/// A column of few values, which an index lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distinct {
    /// `event_type`.
    EventType,
    /// `source_service`.
    SourceService,
}

/// The values that exist, in order: from each to the next by the index, so that ten million rows of twenty types cost twenty
/// look-ups in each leaf.
///
/// # Errors
/// `Error::Query`.
pub async fn distinct_values(client: &Client, column: Distinct) -> Result<Vec<String>, Error> {
    let sql = match column {
        Distinct::EventType => {
            "WITH RECURSIVE found(value) AS (
                 SELECT min(event_type)::text FROM event_logs
                 UNION ALL
                 SELECT (SELECT min(event_type)::text FROM event_logs WHERE event_type > found.value)
                   FROM found WHERE found.value IS NOT NULL)
             SELECT value FROM found WHERE value IS NOT NULL"
        }
        Distinct::SourceService => {
            "WITH RECURSIVE found(value) AS (
                 SELECT min(source_service)::text FROM event_logs
                 UNION ALL
                 SELECT (SELECT min(source_service)::text FROM event_logs WHERE source_service > found.value)
                   FROM found WHERE found.value IS NOT NULL)
             SELECT value FROM found WHERE value IS NOT NULL"
        }
    };
    let rows = client.query_typed(sql, &[]).await.map_err(Error::query("listing the values that exist"))?;
    rows.iter()
        .map(|row| row.try_get(0))
        .collect::<Result<_, _>>()
        .map_err(Error::query("listing the values that exist"))
}

async fn resolve_texts(
    client: &Client,
    globs: &[Glob],
    column: Distinct,
    reach: Reach,
) -> Result<Texts, Error> {
    let texts = exact_or_like(globs);
    if reach == Reach::Future || !matches!(texts, Texts::Like(_)) {
        return Ok(texts);
    }
    let mut values = distinct_values(client, column).await?;
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

async fn resolve_topics(client: &Client, globs: &[Glob], reach: Reach) -> Result<Topics, Error> {
    if globs.is_empty() {
        return Ok(Topics::Any);
    }
    if reach == Reach::Future {
        return Ok(Topics::Like(globs.iter().map(Glob::to_like).collect()));
    }
    let failed = "reading the partitions of the topics";
    let rows = client
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

/// Up to so many rows of a type of a service are searched by their ids.
const MOST_PAIR_IDS: usize = 1_000;

/// A service may have few rows of a type, or none, while both are common. The planner doesn't see that, and would walk the
/// table by time in search of them; the index of the two tells at once.
async fn resolve_rare_pair(
    client: &Client,
    event_types: &Texts,
    services: &Texts,
    reach: Reach,
) -> Result<Option<Vec<i64>>, Error> {
    let (Texts::Exact(event_types), Texts::Exact(services), Reach::Present) = (event_types, services, reach)
    else {
        return Ok(None);
    };
    let failed = "looking for the types of the services";
    let rows = client
        .query_typed(
            "SELECT id FROM event_logs WHERE source_service = ANY($1) AND event_type = ANY($2) LIMIT $3",
            &[
                (services, Type::VARCHAR_ARRAY),
                (event_types, Type::VARCHAR_ARRAY),
                (&(MOST_PAIR_IDS as i64 + 1), Type::INT8),
            ],
        )
        .await
        .map_err(Error::query(failed))?;
    if rows.len() > MOST_PAIR_IDS {
        return Ok(None);
    }
    rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>().map(Some).map_err(Error::query(failed))
}

/// Up to so many dead letters are searched by their ids; where more match, the newest are soon found one after the other.
const MOST_ERROR_IDS: usize = 1_000;

async fn resolve_errors(client: &Client, globs: &[Glob], reach: Reach) -> Result<Errors, Error> {
    if globs.is_empty() {
        return Ok(Errors::Any);
    }
    let messages: Vec<String> = globs.iter().map(Glob::to_like).collect();
    // `TimeoutException` finds `java.util.concurrent.TimeoutException`, too.
    let classes = messages.iter().flat_map(|pattern| [pattern.clone(), format!("%.{pattern}")]).collect();
    let patterns = ErrorPatterns { classes, messages };
    if reach == Reach::Future {
        return Ok(Errors::Like(patterns));
    }
    let failed = "searching the errors of dead letters";
    let rows = client
        .query_typed(
            "SELECT event_log_id FROM dead_letters
              WHERE exception_class LIKE ANY($1) OR exception_message LIKE ANY($2)
              ORDER BY event_log_id DESC LIMIT $3",
            &[
                (&patterns.classes, Type::TEXT_ARRAY),
                (&patterns.messages, Type::TEXT_ARRAY),
                (&(MOST_ERROR_IDS as i64 + 1), Type::INT8),
            ],
        )
        .await
        .map_err(Error::query(failed))?;
    if rows.len() > MOST_ERROR_IDS {
        return Ok(Errors::Like(patterns));
    }
    rows.iter()
        .map(|row| row.try_get(0))
        .collect::<Result<_, _>>()
        .map(Errors::Ids)
        .map_err(Error::query(failed))
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

async fn resolve_recorded(
    client: &Client,
    selection: &Selection,
    reach: Reach,
) -> Result<Option<Recorded>, Error> {
    let range = selection.recorded;
    if range.is_unbounded() {
        return Ok(None);
    }
    let (since, until) = (range.since, range.until);
    if reach == Reach::Future {
        return Ok(Some(Recorded { first_id: i64::MIN, last_id: i64::MAX, since, until }));
    }
    let failed = "reading the batches of that time";
    let rows = client
        .query_typed(
            "SELECT min(first_id), max(last_id) FROM ingest_batches
              WHERE recorded_at >= coalesce($1, '-infinity') AND recorded_at < coalesce($2, 'infinity')",
            &[(&since, Type::TIMESTAMPTZ), (&until, Type::TIMESTAMPTZ)],
        )
        .await
        .map_err(Error::query(failed))?;
    let bound = |index| match rows.first() {
        Some(row) => row.try_get::<_, Option<i64>>(index).map_err(Error::query(failed)),
        None => Ok(None),
    };
    // Without a batch the range of ids is empty, too.
    let (first_id, last_id) = (bound(0)?.unwrap_or(1), bound(1)?.unwrap_or(0));
    Ok(Some(Recorded { first_id, last_id, since, until }))
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

/// Ids as conditions on a UUID column are shared by several selectors.
pub(super) fn exact_ids(identifiers: &[Identifier]) -> Vec<Uuid> {
    identifiers.iter().filter_map(Identifier::exact).collect()
}
