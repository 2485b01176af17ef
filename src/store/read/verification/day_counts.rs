//! Whether the counts by day are the sum of the counts by hour that are merged.

use tokio_postgres::GenericClient;

use crate::store::connection::query;
use crate::store::error::Error;

/// How many keys of `event_counts_by_day` have other counts than their hours.
///
/// # Errors
/// `Error::Query`.
pub(super) async fn differing(client: &impl GenericClient) -> Result<i64, Error> {
    query::row(client, "comparing counts by day and by hour", DIFFERING, &[], |row| row.try_get(0))
        .await
}

// A difference is found from both sides: it counts twice where both have the key.
const DIFFERING: &str = "
WITH by_day AS (
    SELECT day, event_type, source_service, partition_id, is_dlt, events::numeric, first_at, last_at FROM event_counts_by_day
), by_hour AS (
    SELECT date_trunc('day', hour) AS day, event_type, source_service, partition_id, is_dlt, sum(events), min(first_at),
           max(last_at)
      FROM event_counts WHERE merged GROUP BY 1, 2, 3, 4, 5
), differing AS (
    (SELECT * FROM by_day EXCEPT SELECT * FROM by_hour) UNION ALL (SELECT * FROM by_hour EXCEPT SELECT * FROM by_day)
)
SELECT count(*) FROM (SELECT DISTINCT day, event_type, source_service, partition_id, is_dlt FROM differing) key";
