-- Counts that are exact for every reader at every moment: a batch's own transaction adds them, so they become visible with its
-- rows. Nothing here is locked by the row: a batch only adds, and a key may have several rows until they are merged.

CREATE TABLE event_counts (
    hour           TIMESTAMP NOT NULL,
    event_type     VARCHAR(100) NOT NULL,
    source_service VARCHAR(100),
    partition_id   INT NOT NULL,
    is_dlt         BOOLEAN NOT NULL,
    events         BIGINT NOT NULL CHECK (events > 0),
    first_at       TIMESTAMP NOT NULL,
    last_at        TIMESTAMP NOT NULL,
    merged         BOOLEAN NOT NULL DEFAULT FALSE,
    CHECK (first_at <= last_at)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);

COMMENT ON TABLE event_counts IS 'how many events of batches there are, by what they have in common; rows outside batches are not in it';
COMMENT ON COLUMN event_counts.hour IS 'the hour of created_at, UTC';
COMMENT ON COLUMN event_counts.first_at IS 'the lowest created_at among these events';
COMMENT ON COLUMN event_counts.last_at IS 'the highest created_at among these events';
COMMENT ON COLUMN event_counts.merged IS 'the sum of what several batches added; a key has one such row at most';

CREATE INDEX idx_event_counts_hour ON event_counts (hour);
-- A service that is unknown is another key than one without a name.
CREATE UNIQUE INDEX idx_event_counts_merged
    ON event_counts (hour, event_type, coalesce(source_service, ''), (source_service IS NULL), partition_id, is_dlt) WHERE merged;
CREATE INDEX idx_event_counts_fresh ON event_counts (hour) WHERE NOT merged;

-- What is merged in event_counts, added up by day: a sum over years reads a row for each day and key, not one for each hour, and
-- those of event_counts that are not merged yet.
CREATE TABLE event_counts_by_day (
    day            TIMESTAMP NOT NULL,
    event_type     VARCHAR(100) NOT NULL,
    source_service VARCHAR(100),
    partition_id   INT NOT NULL,
    is_dlt         BOOLEAN NOT NULL,
    events         BIGINT NOT NULL CHECK (events > 0),
    first_at       TIMESTAMP NOT NULL,
    last_at        TIMESTAMP NOT NULL,
    CHECK (first_at <= last_at)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
COMMENT ON TABLE event_counts_by_day IS 'the rows of event_counts that are merged, added up by the day of created_at, UTC';

CREATE UNIQUE INDEX idx_event_counts_by_day
    ON event_counts_by_day (day, event_type, coalesce(source_service, ''), (source_service IS NULL), partition_id, is_dlt);

-- Rows that deliver an event again: of several deliveries in commit order, all but the first. Dead letters, tombstones and quarantined
-- records are no deliveries: one that was quarantined and comes again, put right, is delivered for the first time.
CREATE TABLE duplicate_deliveries (
    event_log_id BIGINT PRIMARY KEY
);
COMMENT ON COLUMN duplicate_deliveries.event_log_id IS 'event_logs.id';

-- How far counting is.
CREATE TABLE event_count_state (
    singleton          BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (singleton),
    filled_through     BIGINT NOT NULL DEFAULT 0 CHECK (filled_through >= 0),
    duplicates_through BIGINT NOT NULL DEFAULT 0 CHECK (duplicates_through >= 0),
    duplicates         BIGINT NOT NULL DEFAULT 0 CHECK (duplicates >= 0)
) WITH (fillfactor = 10);
INSERT INTO event_count_state DEFAULT VALUES;

COMMENT ON COLUMN event_count_state.filled_through IS 'the batches up to this one are in event_counts, whether they counted themselves or not';
COMMENT ON COLUMN event_count_state.duplicates_through IS 'the batches up to this one were searched for deliveries of events that were there before';
COMMENT ON COLUMN event_count_state.duplicates IS 'how many rows duplicate_deliveries has';

-- Whether a batch's transaction added its counts. Batches from before there were counts did not, nor do those whose events lie so
-- scattered in time that their counts would be nearly as many as their rows: both are filled in later.
ALTER TABLE ingest_batches ADD COLUMN counted BOOLEAN NOT NULL DEFAULT FALSE;
COMMENT ON COLUMN ingest_batches.counted IS 'whether the batch''s own transaction added its events to event_counts';
CREATE INDEX idx_ingest_batches_uncounted ON ingest_batches (batch_no) WHERE NOT counted;

-- Counts the rows of the next batches that did not count themselves, up to about most_rows of them. Returns how many rows it was;
-- 0 where nothing is left, null where another session is at it. Batches become visible in the order of their numbers, so those up
-- to the last one seen are all there. OFFSET 0 has the rows of each batch looked up by their ids: how many lie between two ids of
-- another table is beyond what PostgreSQL can estimate, and it would rather walk through all rows in some other order.
CREATE FUNCTION fill_event_counts(most_rows bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off SET jit = off AS $$
DECLARE
    done_before bigint;
    done_now    bigint;
    row_total   bigint;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended('audit.event_counts', 0)) THEN
        RETURN NULL;
    END IF;
    SELECT filled_through INTO STRICT done_before FROM event_count_state;
    SELECT max(batch_no), sum(row_count) INTO done_now, row_total
      FROM (SELECT batch_no, row_count, sum(row_count) OVER (ORDER BY batch_no) AS running
              FROM (SELECT batch_no, row_count FROM ingest_batches
                     WHERE NOT counted AND batch_no > done_before ORDER BY batch_no LIMIT 10000) AS next) AS piece
     WHERE running - row_count < most_rows;
    IF done_now IS NULL THEN
        RETURN 0;
    END IF;
    INSERT INTO event_counts (hour, event_type, source_service, partition_id, is_dlt, events, first_at, last_at)
    SELECT date_trunc('hour', created_at), event_type, source_service, partition_id, coalesce(is_dlt, false), count(*),
           min(created_at), max(created_at)
      FROM ingest_batches
     CROSS JOIN LATERAL (SELECT created_at, event_type, source_service, partition_id, is_dlt FROM event_logs
                          WHERE id BETWEEN first_id AND last_id AND partition_id IS NOT NULL OFFSET 0) AS event
     WHERE NOT counted AND batch_no > done_before AND batch_no <= done_now
     GROUP BY 1, 2, 3, 4, 5;
    UPDATE event_count_state SET filled_through = done_now;
    RETURN greatest(row_total, 1);
END $$;

-- Looks among the rows of the next batches, up to about most_rows of them, for deliveries of events that are there already.
-- Returns how many rows it looked at; 0 where nothing is left, null where another session is at it. Sorted by event_id, as the
-- window has them, rows that look for each other in the index come together.
CREATE FUNCTION find_duplicate_deliveries(most_rows bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off SET jit = off SET work_mem = '64MB' AS $$
DECLARE
    done_before bigint;
    done_now    bigint;
    row_total   bigint;
    found_      bigint;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended('audit.duplicate_deliveries', 0)) THEN
        RETURN NULL;
    END IF;
    SELECT duplicates_through INTO STRICT done_before FROM event_count_state;
    SELECT max(batch_no), sum(row_count) INTO done_now, row_total
      FROM (SELECT batch_no, row_count, sum(row_count) OVER (ORDER BY batch_no) AS running
              FROM (SELECT batch_no, row_count FROM ingest_batches
                     WHERE batch_no > done_before ORDER BY batch_no LIMIT 10000) AS next) AS piece
     WHERE running - row_count < most_rows;
    IF done_now IS NULL THEN
        RETURN 0;
    END IF;
    INSERT INTO duplicate_deliveries (event_log_id)
    SELECT delivery.id
      FROM (SELECT id, event_id, partition_id, row_number() OVER (PARTITION BY event_id ORDER BY batch_no, id) AS nth
              FROM ingest_batches
             CROSS JOIN LATERAL (SELECT id, event_id, partition_id FROM event_logs
                                  WHERE id BETWEEN first_id AND last_id AND is_dlt IS NOT TRUE
                                    AND event_type NOT IN ('audit.Tombstone', 'audit.Quarantined') OFFSET 0) AS event
             WHERE batch_no > done_before AND batch_no <= done_now) AS delivery
     WHERE delivery.partition_id IS NOT NULL
       AND (nth > 1
            OR EXISTS (SELECT FROM event_logs earlier
                        WHERE earlier.event_id = delivery.event_id AND earlier.id <> delivery.id AND earlier.is_dlt IS NOT TRUE
                          AND earlier.event_type NOT IN ('audit.Tombstone', 'audit.Quarantined')
                          AND (SELECT batch.batch_no <= done_before AND batch.last_id >= earlier.id FROM ingest_batches batch
                                WHERE batch.first_id <= earlier.id ORDER BY batch.first_id DESC LIMIT 1)));
    GET DIAGNOSTICS found_ = ROW_COUNT;
    UPDATE event_count_state SET duplicates_through = done_now, duplicates = duplicates + found_;
    RETURN greatest(row_total, 1);
END $$;

-- Adds up what batches added, up to most_rows of it, so that a key has few rows. Returns how many rows were merged into others; null
-- where another session is at it.
CREATE FUNCTION merge_event_counts(most_rows bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET jit = off AS $$
DECLARE
    merged_rows bigint;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended('audit.event_counts.merge', 0)) THEN
        RETURN NULL;
    END IF;
    WITH fresh AS (
        DELETE FROM event_counts
         WHERE ctid = ANY (ARRAY(SELECT ctid FROM event_counts WHERE NOT merged LIMIT most_rows))
        RETURNING *
    ), added AS (
        INSERT INTO event_counts AS known (hour, event_type, source_service, partition_id, is_dlt, events, first_at, last_at, merged)
        SELECT hour, event_type, source_service, partition_id, is_dlt, sum(events), min(first_at), max(last_at), TRUE
          FROM fresh GROUP BY 1, 2, 3, 4, 5
        ON CONFLICT (hour, event_type, coalesce(source_service, ''), (source_service IS NULL), partition_id, is_dlt) WHERE merged
        DO UPDATE SET events = known.events + excluded.events,
                      first_at = least(known.first_at, excluded.first_at),
                      last_at = greatest(known.last_at, excluded.last_at)
    ), added_by_day AS (
        INSERT INTO event_counts_by_day AS known (day, event_type, source_service, partition_id, is_dlt, events, first_at, last_at)
        SELECT date_trunc('day', hour), event_type, source_service, partition_id, is_dlt, sum(events), min(first_at), max(last_at)
          FROM fresh GROUP BY 1, 2, 3, 4, 5
        ON CONFLICT (day, event_type, coalesce(source_service, ''), (source_service IS NULL), partition_id, is_dlt)
        DO UPDATE SET events = known.events + excluded.events,
                      first_at = least(known.first_at, excluded.first_at),
                      last_at = greatest(known.last_at, excluded.last_at)
    )
    SELECT count(*) INTO merged_rows FROM fresh;
    RETURN merged_rows;
END $$;

REVOKE EXECUTE ON FUNCTION fill_event_counts(bigint), find_duplicate_deliveries(bigint), merge_event_counts(bigint) FROM PUBLIC;

-- Whoever had rights before goes on: who may record events may count them, who may read events may read how many there are.
DO $$
DECLARE
    grant_ record;
BEGIN
    FOR grant_ IN
        SELECT CASE acl.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(acl.grantee)) END AS grantee,
               bool_or(acl.privilege_type = 'INSERT') AS records, bool_or(acl.privilege_type = 'SELECT') AS reads
          FROM pg_class table_, aclexplode(table_.relacl) acl
         WHERE table_.oid = 'event_logs'::regclass AND acl.grantee <> table_.relowner
         GROUP BY 1
    LOOP
        IF grant_.records THEN
            EXECUTE format('GRANT INSERT ON event_counts TO %s', grant_.grantee);
            EXECUTE format('GRANT SELECT ON event_count_state TO %s', grant_.grantee);
            EXECUTE format('GRANT EXECUTE ON FUNCTION fill_event_counts(bigint), find_duplicate_deliveries(bigint), '
                           'merge_event_counts(bigint) TO %s', grant_.grantee);
        END IF;
        IF grant_.reads THEN
            EXECUTE format('GRANT SELECT ON event_counts, event_counts_by_day, event_count_state, duplicate_deliveries TO %s', grant_.grantee);
        END IF;
    END LOOP;
END $$;
