-- The events themselves. The first eight columns and the first three indexes are the original table, unchanged.
CREATE TABLE event_logs (
    id             BIGSERIAL PRIMARY KEY,
    event_id       UUID NOT NULL,
    event_type     VARCHAR(100) NOT NULL,
    aggregate_id   UUID,
    source_service VARCHAR(100),
    is_dlt         BOOLEAN DEFAULT FALSE,
    payload        JSONB NOT NULL,
    created_at     TIMESTAMP NOT NULL DEFAULT NOW(),
    partition_id   INT,
    kafka_offset   BIGINT,
    correlation_id UUID,
    attributes     JSONB
) PARTITION BY RANGE (id);

CREATE INDEX idx_event_type ON event_logs (event_type);
CREATE INDEX idx_created_at ON event_logs (created_at);
CREATE INDEX idx_is_dlt ON event_logs (is_dlt);
CREATE INDEX idx_event_id ON event_logs (event_id);
CREATE INDEX idx_aggregate_id ON event_logs (aggregate_id);
CREATE INDEX idx_correlation_id ON event_logs (correlation_id);

COMMENT ON COLUMN event_logs.created_at IS 'when the event happened, UTC; when it was recorded is ingest_batches.recorded_at';
COMMENT ON COLUMN event_logs.partition_id IS 'kafka_partitions.partition_id; null for a row that no Kafka record stands behind';
COMMENT ON COLUMN event_logs.attributes IS 'key, headers and envelope members that have no column';

-- Rows of event_logs and of the ledger are only ever added. The triggers are a deterrent, not a proof: the owner of a
-- table can disable them. They fire for each statement, so they cost an insert nothing.
CREATE FUNCTION refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % refused: the audit is append-only', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege',
              HINT = 'Old rows leave by dropping whole partitions.';
END $$;

CREATE FUNCTION make_append_only(target regclass) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %s '
                   'FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', target);
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER append_only', target);
END $$;
REVOKE EXECUTE ON FUNCTION make_append_only(regclass) FROM PUBLIC;

SELECT make_append_only('event_logs');

-- A leaf holds 2^23 ids: small enough for its indexes to stay in memory while it is written to.
CREATE FUNCTION event_log_leaf_size() RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT 8388608::bigint $$;

CREATE FUNCTION event_log_leaf_name(row_id bigint) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT 'event_logs_' || lpad((row_id / event_log_leaf_size())::text, 6, '0')
$$;

-- Makes the leaf that holds row_id, if there is none, and returns its name. Whoever ingests has no right to create
-- tables, so the function runs as its owner. Attaching takes SHARE UPDATE EXCLUSIVE on event_logs: readers and writers
-- go on. Whoever may do something on event_logs may do the same on the leaf, because a batch is copied straight into it.
CREATE FUNCTION ensure_event_log_leaf(row_id bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    leaf  text   := event_log_leaf_name(row_id);
    lower bigint := row_id / event_log_leaf_size() * event_log_leaf_size();
    grant_ record;
BEGIN
    IF row_id IS NULL OR row_id < 0 THEN
        RAISE EXCEPTION 'no partition of event_logs can hold the id %', row_id;
    END IF;
    -- Leaves are made ahead, but never far: a caller can't fill the database with empty tables.
    IF row_id > (SELECT last_value FROM event_logs_id_seq) + 2 * event_log_leaf_size() THEN
        RAISE EXCEPTION 'the id % is too far ahead of the last id of event_logs', row_id;
    END IF;
    IF to_regclass(leaf) IS NOT NULL THEN
        RETURN leaf;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('audit.event_log_leaf', 0));
    -- Asked of the catalog, which a statement sees as of now: to_regclass may answer from before the wait.
    IF EXISTS (SELECT FROM pg_class WHERE relname = leaf AND relnamespace = 'public'::regnamespace) THEN
        RETURN leaf;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE event_logs INCLUDING ALL)', leaf);
    PERFORM make_append_only(leaf::regclass);
    FOR grant_ IN
        SELECT CASE acl.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(acl.grantee)) END AS grantee,
               acl.privilege_type
          FROM pg_class table_, aclexplode(table_.relacl) acl
         WHERE table_.oid = 'event_logs'::regclass AND acl.grantee <> table_.relowner
    LOOP
        EXECUTE format('GRANT %s ON %I TO %s', grant_.privilege_type, leaf, grant_.grantee);
    END LOOP;
    EXECUTE format('ALTER TABLE event_logs ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)',
                   leaf, lower, lower + event_log_leaf_size());
    RETURN leaf;
END $$;

-- Reserves row_count consecutive ids that lie in one leaf, makes that leaf if need be, and returns the first id.
--
-- The ids are drawn one by one. `setval(nextval() + n)` would be quicker by a millisecond, but a hand-written INSERT that
-- draws its id between the two calls would get one out of the block. The advisory lock keeps reservations apart from each
-- other; where a hand-written INSERT got in between, the block is not consecutive and another is drawn.
-- Call it in a transaction of its own: the lock is held until the transaction ends.
CREATE FUNCTION reserve_event_log_ids(row_count integer, OUT first_id bigint, OUT leaf text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    last_id bigint;
BEGIN
    IF row_count IS NULL OR row_count < 1 OR row_count > 1000000 THEN
        RAISE EXCEPTION 'between 1 and 1000000 ids can be reserved at once, not %', row_count;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('audit.event_log_ids', 0));
    LOOP
        SELECT min(drawn), max(drawn) INTO first_id, last_id
          FROM (SELECT nextval('event_logs_id_seq') AS drawn FROM generate_series(1, row_count)) AS block;
        EXIT WHEN last_id - first_id = row_count - 1
              AND first_id / event_log_leaf_size() = last_id / event_log_leaf_size();
    END LOOP;
    leaf := ensure_event_log_leaf(first_id);
END $$;

SELECT ensure_event_log_leaf(0);
REVOKE EXECUTE ON FUNCTION ensure_event_log_leaf(bigint), reserve_event_log_ids(integer) FROM PUBLIC;
