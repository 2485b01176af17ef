-- Indexes for reading, each for a selector whose first page would else be a walk through the table. They cost the ingester:
-- docs/decisions.md.

-- The newest rows of a type. Through idx_event_type alone, all rows of the type would be read and sorted, or all rows of
-- all types walked by time.
CREATE INDEX idx_event_type_created_at ON event_logs (event_type, created_at, id);

-- A service, or a type of a service, that is rare or has no row at all.
CREATE INDEX idx_source_service ON event_logs (source_service, event_type);

-- A topic that is rare.
CREATE INDEX idx_partition_id ON event_logs (partition_id);

-- The newest dead letters. Other rows don't enter it.
CREATE INDEX idx_dead_letter_created_at ON event_logs (created_at, id) WHERE is_dlt;

-- Which types a service has: without it the planner takes the two for independent, and walks the whole table in search of
-- the orders that the payment service created. Leaves that are made later copy it; those that are there need their own.
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
