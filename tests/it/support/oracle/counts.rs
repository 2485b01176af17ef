//! The oracle of counts: what is counted, and what is left to be counted, are the rows.

use crate::support::Database;

/// The keys that have other counts or times than their rows: `event_counts` and the rows of batches
/// that it does not have yet, against all rows that ingesters wrote.
pub(crate) const DIFFERING_KEYS: &str = "
    WITH counted AS (
        SELECT hour, event_type, source_service, partition_id, is_dlt, sum(events) AS events, min(first_at) AS first_at,
               max(last_at) AS last_at
          FROM (SELECT hour, event_type, source_service, partition_id, is_dlt, events, first_at, last_at FROM event_counts
                UNION ALL
                SELECT date_trunc('hour', created_at), event_type, source_service, partition_id, is_dlt, 1, created_at,
                       created_at
                  FROM event_count_state JOIN ingest_batches ON NOT counted AND batch_no > filled_through
                  JOIN event_logs ON id BETWEEN first_id AND last_id
                 WHERE partition_id IS NOT NULL) AS every
         GROUP BY 1, 2, 3, 4, 5
    ), stored AS (
        SELECT date_trunc('hour', created_at), event_type, source_service, partition_id, is_dlt, count(*)::numeric,
               min(created_at), max(created_at)
          FROM event_logs WHERE partition_id IS NOT NULL GROUP BY 1, 2, 3, 4, 5
    )
    SELECT count(*) FROM ((TABLE counted EXCEPT ALL TABLE stored)
                          UNION ALL (TABLE stored EXCEPT ALL TABLE counted)) AS differing";

/// The rows that are taken for a duplicate delivery and are none, or the other way around, of the
/// batches that were searched; and how far the sum is from the list.
pub(crate) const WRONG_DUPLICATES: &str = "
    WITH again AS (
        SELECT id FROM (SELECT id, batch_no, row_number() OVER (PARTITION BY event_id ORDER BY batch_no, id) AS nth
                          FROM event_logs JOIN ingest_batches ON id BETWEEN first_id AND last_id
                         WHERE is_dlt IS NOT TRUE AND partition_id IS NOT NULL
                           AND event_type NOT IN ('audit.Tombstone', 'audit.Quarantined')) AS numbered, event_count_state
         WHERE nth > 1 AND batch_no <= duplicates_through
    )
    SELECT (SELECT count(*) FROM ((TABLE again EXCEPT TABLE duplicate_deliveries)
                                  UNION ALL (TABLE duplicate_deliveries EXCEPT TABLE again)) AS wrong)
           + abs(duplicates - (SELECT count(*) FROM duplicate_deliveries))
      FROM event_count_state";

/// Panics unless the counts are right now, each question in one snapshot.
#[track_caller]
pub(crate) fn assert_counted(database: &Database) {
    assert_eq!(database.number(DIFFERING_KEYS), 0, "keys that differ from their rows");
    assert_eq!(database.number(WRONG_DUPLICATES), 0, "duplicates that differ from the rows");
}
