-- Indexes for reading. What each of them finds, and what it costs the ingester, was measured: docs/query-plans.md.

-- The newest rows of a type. Through idx_event_type alone, all rows of the type would be read and sorted, or all rows of
-- all types walked by time.
CREATE INDEX idx_event_type_created_at ON event_logs (event_type, created_at, id);

-- A service that is rare, and the newest rows of a type of a service.
CREATE INDEX idx_source_service ON event_logs (source_service, event_type, created_at, id);

-- A topic that is rare.
CREATE INDEX idx_partition_id ON event_logs (partition_id);

-- The newest dead letters. Other rows don't enter it.
CREATE INDEX idx_dead_letter_created_at ON event_logs (created_at, id) WHERE is_dlt;

-- How many rows a type of a service has: taken for independent, the two would make the planner walk by time in spite of the
-- index. Leaves that are made later copy it; those that are there need their own.
CREATE STATISTICS event_logs_service_type (mcv) ON source_service, event_type FROM event_logs;
DO $$
DECLARE
    leaf regclass;
BEGIN
    FOR leaf IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'event_logs'::regclass LOOP
        EXECUTE format('CREATE STATISTICS %I (mcv) ON source_service, event_type FROM %s',
                       leaf || '_service_type', leaf);
    END LOOP;
END $$;
