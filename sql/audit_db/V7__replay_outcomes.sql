-- What came of each replay is derived in one place, for every command and for SQL. To what the view knew, this adds `processed`:
-- Kafka has the record, and an event that was recorded for the first time after the replay was asked for names it as its cause,
-- in the same story (the same correlation; the same aggregate where the dead letter has no correlation). Dead letters of such an
-- event, and later deliveries of one that was there before, prove nothing.
CREATE OR REPLACE VIEW dlt_replay_outcomes AS
SELECT replay.replay_id, replay.event_log_id, replay.attempt, replay.requested_by, replay.database_role,
       replay.requested_at, replay.reason, replay.target_topic, replay.target_partition,
       CASE
           WHEN came_back.event_log_id IS NOT NULL THEN 'returned'
           WHEN replay.state = 'sent' AND EXISTS (
               SELECT FROM event_logs event
                CROSS JOIN LATERAL (
                      SELECT same.id, same.event_id, same.is_dlt, same.attributes FROM event_logs same
                       WHERE same.correlation_id = event.correlation_id
                      UNION ALL
                      SELECT same.id, same.event_id, same.is_dlt, same.attributes FROM event_logs same
                       WHERE event.correlation_id IS NULL AND same.correlation_id IS NULL
                         AND same.aggregate_id = event.aggregate_id) effect
                 LEFT JOIN LATERAL (
                      SELECT batch.recorded_at, batch.last_id FROM ingest_batches batch
                       WHERE batch.first_id <= effect.id ORDER BY batch.first_id DESC LIMIT 1) batch ON true
                WHERE event.id = replay.event_log_id
                  AND NOT effect.is_dlt AND batch.last_id >= effect.id
                  AND (effect.attributes ->> 'causation_id' = event.attributes -> 'original' ->> 'event_id'
                       -- A UUID, in any of its usual spellings.
                       OR regexp_replace(lower(effect.attributes ->> 'causation_id'), '^urn:uuid:|[{}-]', '', 'g')
                          = replace(event.event_id::text, '-', ''))
                GROUP BY effect.event_id
               HAVING min(batch.recorded_at) > replay.requested_at)
           THEN 'processed'
           ELSE replay.state
       END AS state,
       replay.new_partition, replay.new_offset, replay.error, replay.resolved_at,
       came_back.event_log_id AS returned_as
  FROM dlt_replays replay
  LEFT JOIN LATERAL (SELECT min(letter.event_log_id) AS event_log_id
                       FROM dead_letters letter WHERE letter.replay_id = replay.replay_id) came_back ON true;

COMMENT ON COLUMN dlt_replay_outcomes.state IS 'pending, sent, failed, returned (came back as the dead letter returned_as) or processed (caused a later event), as far as the audit has seen';

-- The replays of a dead letter, failed ones included, whatever came of them.
CREATE INDEX idx_dlt_replays_event_log_id ON dlt_replays (event_log_id);
