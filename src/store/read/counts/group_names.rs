//! The ids of groups, as they came.

use std::collections::HashMap;

use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::grouping::Grouping;
use crate::store::connection::session::Session;
use crate::store::connection::sql_types::JsonText;
use crate::store::error::Error;
use crate::store::search::text_id;
use crate::store::search::walk::leaves::Leaves;
use crate::value::Value;

/// How many events of an id are asked for its text: not all of them need have it.
const ASKED: i64 = 50;

/// An id that events are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum GroupId {
    /// An aggregate.
    Aggregate(Uuid),
    /// A correlation.
    Correlation(Uuid),
}

impl GroupId {
    /// The id in a row, whose key's SQL is at `index`, where the grouping is by ids.
    pub(super) fn read(
        grouping: &Grouping,
        row: &Row,
        index: usize,
    ) -> Result<Option<Self>, tokio_postgres::Error> {
        let id = |index| row.try_get::<_, Option<Uuid>>(index);
        Ok(match grouping {
            Grouping::Aggregate => id(index)?.map(Self::Aggregate),
            Grouping::Correlation => match id(index)? {
                Some(correlation) => Some(Self::Correlation(correlation)),
                None => id(index + 1)?.map(Self::Aggregate),
            },
            _ => None,
        })
    }
}

/// The texts that ids came as; an id that came as a UUID is not among them.
pub(super) async fn texts(
    session: &Session,
    ids: impl Iterator<Item = GroupId>,
) -> Result<HashMap<GroupId, Value<'static>>, Error> {
    let (mut aggregates, mut correlations) = (Vec::new(), Vec::new());
    for id in ids {
        match id {
            GroupId::Aggregate(id) => aggregates.push(id),
            GroupId::Correlation(id) => correlations.push(id),
        }
    }
    let mut texts = HashMap::new();
    if aggregates.is_empty() && correlations.is_empty() {
        return Ok(texts);
    }
    let light_from = Leaves::read(session).await?.light_from();
    for (column, texts_of_row, ids, group_id) in [
        ("aggregate_id", text_id::AGGREGATE, aggregates, GroupId::Aggregate as fn(Uuid) -> GroupId),
        ("correlation_id", text_id::STORY, correlations, GroupId::Correlation),
    ] {
        if ids.is_empty() {
            continue;
        }
        // A look-up takes milliseconds in a light leaf: there the rows of all ids are joined.
        let sql = format!(
            "SELECT shown.id, came.texts
  FROM unnest($1) shown(id)
 CROSS JOIN LATERAL (SELECT {texts_of_row} AS texts FROM event_logs event
                      WHERE event.{column} = shown.id AND event.id < $2 LIMIT {ASKED}) came
 UNION ALL
SELECT id, texts
  FROM (SELECT shown.id, {texts_of_row} AS texts, row_number() OVER (PARTITION BY shown.id) AS nth
          FROM unnest($1) shown(id) JOIN event_logs event ON event.{column} = shown.id AND event.id >= $2) light
 WHERE nth <= {ASKED}"
        );
        let read = |row: &Row| {
            let json: JsonText<'_> = row.try_get(1)?;
            Ok((row.try_get::<_, Uuid>(0)?, text_id::as_it_came(json.0)))
        };
        let what = "reading ids as they came";
        for (id, text) in session
            .rows(what, &sql, &[(&ids, Type::UUID_ARRAY), (&light_from, Type::INT8)], read)
            .await?
        {
            if let Some(text @ Value::Text(_)) = text {
                texts.insert(group_id(id), text);
            }
        }
    }
    Ok(texts)
}
