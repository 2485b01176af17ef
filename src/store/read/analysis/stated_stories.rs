//! Which story an id of somebody else's means: that of a correlation, an aggregate, or an event.

use tokio_postgres::types::Type;
use uuid::Uuid;

use super::stories::story_key;
use crate::analysis::reconcile::Candidate;
use crate::event::{aggregate_uuid, correlation_uuid};
use crate::store::connection::session::Session;
use crate::store::connection::statement::{Parameters, Statement};
use crate::store::error::Error;
use crate::store::search::first_delivery::Deliveries;
use crate::store::search::stories::{of_types, step_condition};
use crate::store::search::story_by::StoryBy;
use crate::store::search::walk::leaves::Leaves;

/// The stories that each of the ids can mean, which are UUIDs or text that the ingester makes
/// UUIDs of. `types` are those of the left side.
///
/// # Errors
/// `Error::Query`.
pub async fn stated_stories(
    session: &Session,
    ids: &[String],
    types: &[String],
    by: StoryBy,
) -> Result<Vec<Vec<Candidate>>, Error> {
    let deliveries = Deliveries::read(session).await?;
    let light_from = Leaves::read(session).await?.light_from();
    let found = statement(ids, types, by, &deliveries, light_from)
        .rows(session, "looking for the stories of ids", |row| {
            let place: i64 = row.try_get(0)?;
            let key = story_key(row.try_get(1)?, row.try_get(2)?);
            let (row_id, is_left) = (row.try_get(3)?, row.try_get(4)?);
            Ok(key.map(|key| (place, Candidate { key, row_id, is_left })))
        })
        .await?;
    let mut candidates = vec![Vec::new(); ids.len()];
    for (place, candidate) in found.into_iter().flatten() {
        let of_id = usize::try_from(place).ok().and_then(|place| candidates.get_mut(place));
        if let Some(of_id) = of_id {
            of_id.push(candidate);
        }
    }
    Ok(candidates)
}

/// Rows from `light_from` on lie in leaves without an index of correlations and aggregates: they
/// are joined by themselves.
fn statement(
    ids: &[String],
    types: &[String],
    by: StoryBy,
    deliveries: &Deliveries,
    light_from: i64,
) -> Statement {
    let mut parameters = Parameters::default();
    let of_ids = |id: fn(&[u8]) -> Uuid| -> Vec<Uuid> {
        ids.iter().map(|text| id(text.as_bytes())).collect()
    };
    // Other text is no event's id: an event's is unique only within its source.
    let events: Vec<_> = ids.iter().map(|text| Uuid::try_parse(text).ok()).collect();
    let events = parameters.bind(events, Type::UUID_ARRAY);
    let correlations = parameters.bind(of_ids(correlation_uuid), Type::UUID_ARRAY);
    let aggregates = parameters.bind(of_ids(aggregate_uuid), Type::UUID_ARRAY);
    let is_left = of_types(types, &mut parameters);
    let is_step = step_condition(deliveries, &mut parameters);
    let (correlation, aggregate) = by.key();
    let parts = match light_from {
        i64::MAX => vec![String::new()],
        light_from => {
            let light_from = parameters.bind(light_from, Type::INT8);
            vec![format!(" AND event.id < {light_from}"), format!(" AND event.id >= {light_from}")]
        }
    };
    let whole = [String::new()];
    let columns = [
        ("correlation_id", &correlations, &parts[..]),
        ("aggregate_id", &aggregates, &parts[..]),
        ("event_id", &events, &whole[..]),
    ];
    let mut branches = Vec::new();
    for (column, ids, parts) in columns {
        branches.extend(parts.iter().map(|part| {
            format!(
                "SELECT stated.place, {correlation} AS correlation, {aggregate} AS aggregate, event.id,
           {is_left} AND {is_step} AS is_left
      FROM unnest({ids}) WITH ORDINALITY AS stated(id, place)
      JOIN event_logs event ON event.{column} = stated.id{part}"
            )
        }));
    }
    let sql = format!(
        "SELECT place - 1, correlation, aggregate, min(id), bool_or(is_left)
  FROM (
    {}
  ) AS event
 GROUP BY 1, 2, 3
HAVING coalesce(correlation, aggregate) IS NOT NULL
 ORDER BY 1, 2, 3",
        branches.join("\n    UNION ALL\n    ")
    );
    Statement { sql, parameters }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_looked_for_by_the_index_of_each_column() {
        let ids = ["019aa4c5-7d1e-7c3a-9b0e-3f6f1d2c4b5a".to_owned(), "order-17".to_owned()];
        let statement = statement(
            &ids,
            &["it's confirmed".to_owned()],
            StoryBy::Correlation,
            &Deliveries::known_below(700),
            i64::MAX,
        );
        insta::assert_snapshot!(format!("{statement:?}"), @r#"
        SELECT place - 1, correlation, aggregate, min(id), bool_or(is_left)
          FROM (
            SELECT stated.place, event.correlation_id AS correlation, CASE WHEN event.correlation_id IS NULL THEN event.aggregate_id END AS aggregate, event.id,
                   event.event_type = ANY($4) AND event.is_dlt IS NOT TRUE AND event.event_type NOT IN ('audit.Tombstone', 'audit.Quarantined') AND NOT EXISTS (SELECT FROM duplicate_deliveries known WHERE known.event_log_id = event.id)
           AND (event.id < $5 AND event.partition_id IS NOT NULL
                OR NOT EXISTS (SELECT FROM event_logs earlier
                                WHERE earlier.event_id = event.event_id AND earlier.id <> event.id AND earlier.is_dlt IS NOT TRUE AND earlier.event_type NOT IN ('audit.Tombstone', 'audit.Quarantined')
                                  AND (coalesce((SELECT CASE WHEN batch.last_id >= earlier.id THEN batch.batch_no END FROM ingest_batches batch WHERE batch.first_id <= earlier.id ORDER BY batch.first_id DESC LIMIT 1), 9223372036854775807), earlier.id) < (coalesce((SELECT CASE WHEN batch.last_id >= event.id THEN batch.batch_no END FROM ingest_batches batch WHERE batch.first_id <= event.id ORDER BY batch.first_id DESC LIMIT 1), 9223372036854775807), event.id))) AS is_left
              FROM unnest($2) WITH ORDINALITY AS stated(id, place)
              JOIN event_logs event ON event.correlation_id = stated.id
            UNION ALL
            SELECT stated.place, event.correlation_id AS correlation, CASE WHEN event.correlation_id IS NULL THEN event.aggregate_id END AS aggregate, event.id,
                   event.event_type = ANY($4) AND event.is_dlt IS NOT TRUE AND event.event_type NOT IN ('audit.Tombstone', 'audit.Quarantined') AND NOT EXISTS (SELECT FROM duplicate_deliveries known WHERE known.event_log_id = event.id)
           AND (event.id < $5 AND event.partition_id IS NOT NULL
                OR NOT EXISTS (SELECT FROM event_logs earlier
                                WHERE earlier.event_id = event.event_id AND earlier.id <> event.id AND earlier.is_dlt IS NOT TRUE AND earlier.event_type NOT IN ('audit.Tombstone', 'audit.Quarantined')
                                  AND (coalesce((SELECT CASE WHEN batch.last_id >= earlier.id THEN batch.batch_no END FROM ingest_batches batch WHERE batch.first_id <= earlier.id ORDER BY batch.first_id DESC LIMIT 1), 9223372036854775807), earlier.id) < (coalesce((SELECT CASE WHEN batch.last_id >= event.id THEN batch.batch_no END FROM ingest_batches batch WHERE batch.first_id <= event.id ORDER BY batch.first_id DESC LIMIT 1), 9223372036854775807), event.id))) AS is_left
              FROM unnest($3) WITH ORDINALITY AS stated(id, place)
              JOIN event_logs event ON event.aggregate_id = stated.id
            UNION ALL
            SELECT stated.place, event.correlation_id AS correlation, CASE WHEN event.correlation_id IS NULL THEN event.aggregate_id END AS aggregate, event.id,
                   event.event_type = ANY($4) AND event.is_dlt IS NOT TRUE AND event.event_type NOT IN ('audit.Tombstone', 'audit.Quarantined') AND NOT EXISTS (SELECT FROM duplicate_deliveries known WHERE known.event_log_id = event.id)
           AND (event.id < $5 AND event.partition_id IS NOT NULL
                OR NOT EXISTS (SELECT FROM event_logs earlier
                                WHERE earlier.event_id = event.event_id AND earlier.id <> event.id AND earlier.is_dlt IS NOT TRUE AND earlier.event_type NOT IN ('audit.Tombstone', 'audit.Quarantined')
                                  AND (coalesce((SELECT CASE WHEN batch.last_id >= earlier.id THEN batch.batch_no END FROM ingest_batches batch WHERE batch.first_id <= earlier.id ORDER BY batch.first_id DESC LIMIT 1), 9223372036854775807), earlier.id) < (coalesce((SELECT CASE WHEN batch.last_id >= event.id THEN batch.batch_no END FROM ingest_batches batch WHERE batch.first_id <= event.id ORDER BY batch.first_id DESC LIMIT 1), 9223372036854775807), event.id))) AS is_left
              FROM unnest($1) WITH ORDINALITY AS stated(id, place)
              JOIN event_logs event ON event.event_id = stated.id
          ) AS event
         GROUP BY 1, 2, 3
        HAVING coalesce(correlation, aggregate) IS NOT NULL
         ORDER BY 1, 2, 3
        $1 _uuid [Some(019aa4c5-7d1e-7c3a-9b0e-3f6f1d2c4b5a), None]
        $2 _uuid [019aa4c5-7d1e-7c3a-9b0e-3f6f1d2c4b5a, 16921265-35a3-5691-bb8a-a8dd5b66a9fd]
        $3 _uuid [019aa4c5-7d1e-7c3a-9b0e-3f6f1d2c4b5a, b2f61705-9d16-5689-9592-145a89d7d2f7]
        $4 _varchar ["it's confirmed"]
        $5 int8 700
        "#);
    }
}
