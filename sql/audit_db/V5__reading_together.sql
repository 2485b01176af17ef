-- What lets two selectors together answer as fast as one. Whoever ingests waits while the indexes are made: half a minute for ten
-- million rows.

-- Topics with types and services: whether, and how often, they occur together is counted in the index alone. Equal keys share
-- their place, so it is hardly larger than the index on partition_id, which it replaces.
DROP INDEX idx_partition_id;
CREATE INDEX idx_partition_type_service ON event_logs (partition_id, event_type, source_service, is_dlt);

-- The newest dead letters, of whatever type, service or topic: what doesn't belong is passed over within the index. Other rows
-- don't enter it.
DROP INDEX idx_dead_letter_created_at;
CREATE INDEX idx_dead_letter ON event_logs (created_at, id, event_type, source_service, partition_id) WHERE is_dlt;

-- Who looks for an error reads the errors, not the records beside them: key, value, headers and stack trace stand apart. Dead
-- letters that are there already stay as they are.
ALTER TABLE dead_letters
    SET (toast_tuple_target = 128),
    ALTER COLUMN origin_topic SET STORAGE MAIN,
    ALTER COLUMN consumer_group SET STORAGE MAIN,
    ALTER COLUMN exception_class SET STORAGE MAIN,
    ALTER COLUMN exception_message SET STORAGE MAIN;

-- Between which times the events of a batch happened, so that those that were recorded in a range of time are not searched among
-- all that happened. Batches recorded before this was known have nulls.
ALTER TABLE ingest_batches
    ADD COLUMN min_created_at TIMESTAMP,
    ADD COLUMN max_created_at TIMESTAMP,
    ADD CHECK ((min_created_at IS NULL) = (max_created_at IS NULL)),
    ADD CHECK (min_created_at <= max_created_at);

COMMENT ON COLUMN ingest_batches.min_created_at IS 'no event of the batch has a created_at before this; null where it is not known';
COMMENT ON COLUMN ingest_batches.max_created_at IS 'no event of the batch has a created_at behind this; null where it is not known';

-- A topic has dead letters only, or none. Taken for independent of each other, the dead letters of a topic look like so few that
-- all of them would be read and sorted for a page.
CREATE STATISTICS event_logs_topic_dlt (dependencies) ON is_dlt, partition_id FROM event_logs;
DO $$
DECLARE
    leaf regclass;
BEGIN
    FOR leaf IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'event_logs'::regclass LOOP
        EXECUTE format('CREATE STATISTICS %I (dependencies) ON is_dlt, partition_id FROM %s', leaf || '_topic_dlt', leaf);
    END LOOP;
END $$;

-- Statistics that were just made are empty until then.
ANALYZE event_logs;
