-- Rows enter a light leaf: beside the indexes that every leaf has, one that is written to has only small summaries of its ids, services
-- and partitions (BRIN). A leaf that is over is closed, and then sealed: it gets its other indexes, built in bulk, which takes a
-- fraction of what keeping them up row by row takes. docs/leaves.md tells why, and what was measured.

-- Which leaves event_logs has, and how far each is. Searches pass over closed leaves by their times.
CREATE TABLE event_log_leaves (
    first_id       BIGINT PRIMARY KEY,
    next_id        BIGINT NOT NULL,
    name           TEXT NOT NULL UNIQUE,
    closed_at      TIMESTAMPTZ,
    sealed_at      TIMESTAMPTZ,
    min_created_at TIMESTAMP,
    max_created_at TIMESTAMP,
    has_summaries  BOOLEAN NOT NULL DEFAULT TRUE,
    summarized_pages INT NOT NULL DEFAULT 0,
    has_foreign_rows BOOLEAN NOT NULL DEFAULT TRUE,
    CHECK (first_id < next_id)
);
COMMENT ON TABLE event_log_leaves IS 'the partitions of event_logs: which ids each holds, and how far it is';
COMMENT ON COLUMN event_log_leaves.next_id IS 'one past the last id that it holds';
COMMENT ON COLUMN event_log_leaves.name IS 'the table';
COMMENT ON COLUMN event_log_leaves.closed_at IS 'since when no batch enters it any more';
COMMENT ON COLUMN event_log_leaves.sealed_at IS 'since when it has all indexes, those that a light leaf lacks, too';
COMMENT ON COLUMN event_log_leaves.min_created_at IS 'of a closed leaf: no row has a created_at before this; null where it has no rows';
COMMENT ON COLUMN event_log_leaves.max_created_at IS 'of a closed leaf: no row has a created_at behind this; null where it has no rows';
COMMENT ON COLUMN event_log_leaves.summarized_pages IS 'of a light leaf: the first pages, which are summarised';
COMMENT ON COLUMN event_log_leaves.has_summaries IS 'whether it still has the summaries that a light leaf has';
COMMENT ON COLUMN event_log_leaves.has_foreign_rows IS 'whether it may have rows outside batches; of a closed leaf: whether it has any';

-- A leaf holds 2^21 ids: a light one is searched quickly, and a thousand million rows are fewer than 500 leaves, each of which costs
-- a third of a millisecond to open.
CREATE OR REPLACE FUNCTION event_log_leaf_size() RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT 2097152::bigint $$;

-- The indexes by which a leaf differs from event_logs, by what follows USING in their definition. `sealed` are built when it is full;
-- the others summarise a light leaf, and are dropped when it is sealed. 32 pages hold 450 to 900 rows.
CREATE FUNCTION event_log_leaf_indexes(OUT sealed boolean, OUT definition text) RETURNS SETOF record
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = public, pg_temp AS $$
    VALUES (true,  'btree (aggregate_id)'),
           (true,  'btree (correlation_id)'),
           (true,  'btree (event_type, source_service, partition_id)'),
           (false, 'brin (aggregate_id uuid_bloom_ops) WITH (pages_per_range=''32'')'),
           (false, 'brin (correlation_id uuid_bloom_ops) WITH (pages_per_range=''32'')'),
           (false, 'brin (source_service text_bloom_ops (n_distinct_per_range=''64''), '
                   'partition_id int4_bloom_ops (n_distinct_per_range=''64'')) WITH (pages_per_range=''32'')')
$$;

-- The indexes of a leaf, each by what follows USING in its definition.
CREATE FUNCTION event_log_indexes_of(leaf text, OUT index_id oid, OUT valid boolean, OUT definition text) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT indexrelid, indisvalid AND indisready AND indislive,
           regexp_replace(pg_get_indexdef(indexrelid), '^CREATE (UNIQUE )?INDEX .* USING ', '\1')
      FROM pg_index WHERE indrelid = to_regclass(leaf)
$$;

-- Makes the leaf that holds row_id, if there is none, and returns its name. Whoever ingests has no right to create
-- tables, so the function runs as its owner. Attaching takes SHARE UPDATE EXCLUSIVE on event_logs: readers and writers
-- go on. Whoever may do something on event_logs may do the same on the leaf, because a batch is copied straight into it.
CREATE OR REPLACE FUNCTION ensure_event_log_leaf(row_id bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    leaf  text;
    lower bigint := row_id / event_log_leaf_size() * event_log_leaf_size();
    index_ record;
    grant_ record;
BEGIN
    IF row_id IS NULL OR row_id < 0 THEN
        RAISE EXCEPTION 'no partition of event_logs can hold the id %', row_id;
    END IF;
    -- Leaves are made ahead, but never far: a caller can't fill the database with empty tables.
    IF row_id > (SELECT last_value FROM event_logs_id_seq) + 2 * event_log_leaf_size() THEN
        RAISE EXCEPTION 'the id % is too far ahead of the last id of event_logs', row_id;
    END IF;
    SELECT name INTO leaf FROM event_log_leaves WHERE first_id <= row_id AND next_id > row_id;
    IF FOUND THEN
        RETURN leaf;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('audit.event_log_leaf', 0));
    -- Another session may have made it while this one waited.
    SELECT name INTO leaf FROM event_log_leaves WHERE first_id <= row_id AND next_id > row_id;
    IF FOUND THEN
        RETURN leaf;
    END IF;
    leaf := 'event_logs_' || lpad((row_id / event_log_leaf_size())::text, 6, '0');
    EXECUTE format('CREATE TABLE %I (LIKE event_logs INCLUDING ALL)', leaf);
    FOR index_ IN SELECT definition FROM event_log_leaf_indexes() WHERE NOT sealed LOOP
        EXECUTE format('CREATE INDEX ON %I USING %s', leaf, index_.definition);
    END LOOP;
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
    INSERT INTO event_log_leaves (first_id, next_id, name) VALUES (lower, lower + event_log_leaf_size(), leaf);
    RETURN leaf;
END $$;

-- Whether a batch may be copied into a leaf now. While the transaction goes on, nobody closes it; where somebody is at that, the batch
-- does not wait, but takes ids in another leaf.
CREATE FUNCTION enter_event_log_leaf(leaf text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    EXECUTE format('LOCK TABLE ONLY %I IN ROW EXCLUSIVE MODE NOWAIT', leaf);
    RETURN EXISTS (SELECT FROM event_log_leaves WHERE name = leaf AND closed_at IS NULL);
EXCEPTION WHEN lock_not_available THEN
    RETURN false;
END $$;

-- A row that enters a closed leaf nevertheless, by hand, changes what is known of its rows.
CREATE FUNCTION note_late_row() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE event_log_leaves SET min_created_at = least(min_created_at, NEW.created_at),
                                max_created_at = greatest(max_created_at, NEW.created_at),
                                has_foreign_rows = has_foreign_rows OR NEW.partition_id IS NULL
     WHERE name = TG_TABLE_NAME;
    RETURN NULL;
END $$;

-- Notes that no batch enters a leaf any more, and what its rows are like.
CREATE FUNCTION close_event_log_leaf(leaf text) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER late_row AFTER INSERT ON %I FOR EACH ROW EXECUTE FUNCTION note_late_row()', leaf);
    EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER late_row', leaf);
    EXECUTE format('UPDATE event_log_leaves SET closed_at = clock_timestamp(), (min_created_at, max_created_at) = '
                   '(SELECT min(created_at), max(created_at) FROM %1$I), '
                   'has_foreign_rows = EXISTS (SELECT FROM %1$I WHERE partition_id IS NULL) WHERE name = %2$L', leaf, leaf);
END $$;

-- Renews the planner's statistics of what is searched by: those of the JSON take longer than all others.
CREATE FUNCTION analyze_event_log_leaf(leaf text) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    EXECUTE format('ANALYZE %I (id, event_id, event_type, aggregate_id, source_service, is_dlt, created_at, partition_id, correlation_id)', leaf);
END $$;

-- Brings what is known of the leaves that are written to up to date: the summaries, and now and then the planner's statistics, without
-- which it takes every id for a frequent one. Returns how many ranges of pages were summarised; null where another session is at it.
-- Called while rows come: what is not summarised is read by every search. The last pages are left for another time: a row that enters a
-- range of pages which is summarised writes its summary again.
CREATE FUNCTION summarize_event_log_leaves(last_pages integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    range_pages CONSTANT int := 32;
    summarized  bigint := 0;
    leaf        record;
    index_      record;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended('audit.event_log_leaves.summaries', 0)) THEN
        RETURN NULL;
    END IF;
    FOR leaf IN
        SELECT name, relpages, summarized_pages,
               (pg_relation_size(pg_class.oid) / current_setting('block_size')::int)::int AS pages
          FROM event_log_leaves JOIN pg_class ON pg_class.oid = to_regclass(name)
         WHERE closed_at IS NULL AND sealed_at IS NULL ORDER BY first_id
    LOOP
        CONTINUE WHEN leaf.pages - greatest(last_pages, 0) < leaf.summarized_pages + range_pages;
        FOR index_ IN SELECT index_id FROM event_log_indexes_of(leaf.name) WHERE definition LIKE 'brin %' AND valid LOOP
            FOR page IN leaf.summarized_pages .. leaf.pages - greatest(last_pages, 0) - range_pages BY range_pages LOOP
                summarized := summarized + brin_summarize_range(index_.index_id::regclass, page);
            END LOOP;
        END LOOP;
        IF leaf.pages > 4 * greatest(leaf.relpages, 64) THEN
            PERFORM analyze_event_log_leaf(leaf.name);
        END IF;
        -- Comes last: whoever closes the leaf locks it before this line of it.
        UPDATE event_log_leaves SET summarized_pages = (leaf.pages - greatest(last_pages, 0)) / range_pages * range_pages
         WHERE name = leaf.name;
    END LOOP;
    RETURN summarized;
END $$;

-- Takes the next step towards sealing a leaf, in a transaction of its own, and says which it was; '' where nothing is left, null where
-- another session is at it. A leaf that is over is closed first: from then on no batch enters it, and building its indexes holds up
-- nobody. An index that a build left behind invalid is built again.
--
-- With current, the leaf that is written to is sealed, too, as long as it has few rows: batches then take ids until it is done, for tenths
-- of a second. With thorough, indexes that sealed leaves lack are built again.
CREATE FUNCTION seal_event_log_leaf(most_workers integer, current boolean, thorough boolean) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '3s' SET enable_seqscan = off AS $$
DECLARE
    few_rows CONSTANT bigint := 65536;
    last_id bigint;
    missing text;
    leaf    record;
    index_  record;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended('audit.event_log_leaves.sealing', 0)) THEN
        RETURN NULL;
    END IF;
    SELECT last_value INTO last_id FROM event_logs_id_seq;
    -- Workers take the processor from those who record, so they help only where more than one leaf waits.
    PERFORM set_config('max_parallel_maintenance_workers',
                       CASE WHEN count(*) > 1 THEN greatest(most_workers, 0) ELSE 0 END::text, true)
       FROM event_log_leaves WHERE next_id <= last_id AND sealed_at IS NULL;
    FOR leaf IN
        SELECT * FROM event_log_leaves
         WHERE to_regclass(name) IS NOT NULL
           AND CASE WHEN next_id <= last_id THEN closed_at IS NULL OR sealed_at IS NULL OR thorough
                    ELSE current AND sealed_at IS NULL AND first_id <= last_id AND last_id < first_id + few_rows END
         ORDER BY first_id
    LOOP
        IF leaf.next_id <= last_id AND leaf.closed_at IS NULL THEN
            EXECUTE format('LOCK TABLE ONLY %I IN SHARE ROW EXCLUSIVE MODE', leaf.name);
            PERFORM brin_summarize_new_values(index_id::regclass)
               FROM event_log_indexes_of(leaf.name) WHERE definition LIKE 'brin %' AND valid;
            PERFORM close_event_log_leaf(leaf.name);
            RETURN leaf.name || ': closed';
        END IF;
        SELECT wanted.definition INTO missing
          FROM event_log_leaf_indexes() AS wanted
         WHERE wanted.sealed
           AND NOT EXISTS (SELECT FROM event_log_indexes_of(leaf.name) AS found_
                            WHERE found_.definition = wanted.definition AND found_.valid)
         LIMIT 1;
        IF FOUND THEN
            FOR index_ IN SELECT index_id FROM event_log_indexes_of(leaf.name) AS found_ WHERE found_.definition = missing LOOP
                EXECUTE format('DROP INDEX %s', index_.index_id::regclass);
            END LOOP;
            EXECUTE format('CREATE INDEX ON %I USING %s', leaf.name, missing);
            RETURN leaf.name || ': built ' || missing;
        END IF;
        IF leaf.sealed_at IS NULL THEN
            -- Has statistics of when it had a quarter of its rows, at least; autovacuum renews them.
            IF NOT EXISTS (SELECT FROM pg_stats WHERE schemaname = 'public' AND tablename = leaf.name) THEN
                PERFORM analyze_event_log_leaf(leaf.name);
            END IF;
            UPDATE event_log_leaves SET sealed_at = clock_timestamp() WHERE name = leaf.name;
            RETURN leaf.name || ': sealed';
        END IF;
    END LOOP;
    -- Dropping takes a lock that readers have to wait for: where one of them keeps it from that, it is tried another time.
    FOR leaf IN SELECT name FROM event_log_leaves WHERE sealed_at IS NOT NULL AND has_summaries ORDER BY first_id LOOP
        BEGIN
            PERFORM set_config('lock_timeout', '50ms', true);
            FOR index_ IN SELECT index_id FROM event_log_indexes_of(leaf.name) WHERE definition LIKE 'brin %' LOOP
                EXECUTE format('DROP INDEX %s', index_.index_id::regclass);
            END LOOP;
            UPDATE event_log_leaves SET has_summaries = false WHERE name = leaf.name;
            RETURN leaf.name || ': dropped its summaries';
        EXCEPTION WHEN lock_not_available THEN
            NULL;
        END;
    END LOOP;
    RETURN '';
END $$;

REVOKE EXECUTE ON FUNCTION enter_event_log_leaf(text), close_event_log_leaf(text), analyze_event_log_leaf(text), summarize_event_log_leaves(integer),
                           seal_event_log_leaf(integer, boolean, boolean), note_late_row()
    FROM PUBLIC;

-- The leaves that are there keep their indexes: they are taken out, so that event_logs can let go of those that light leaves do not have,
-- and put back. Those of ids that were never drawn are made anew. PostgreSQL reads a leaf that it puts back, unless a constraint that
-- `audit migrate` added before tells that its ids are right.
LOCK TABLE event_logs IN ACCESS EXCLUSIVE MODE;
DO $$
DECLARE
    last_id CONSTANT bigint := (SELECT last_value FROM event_logs_id_seq);
    leaf    record;
    lower_  bigint;
    upper_  bigint;
    is_over boolean;
BEGIN
    CREATE TEMPORARY TABLE old_leaf ON COMMIT DROP AS
    SELECT inhrelid::regclass::text AS name, bound[1]::bigint AS first_id, bound[2]::bigint AS next_id
      FROM pg_inherits
      JOIN pg_class ON pg_class.oid = inhrelid
     CROSS JOIN LATERAL regexp_match(pg_get_expr(relpartbound, pg_class.oid), 'FROM \(''(\d+)''\) TO \(''(\d+)''\)') AS bound
     WHERE inhparent = 'event_logs'::regclass;
    FOR leaf IN SELECT * FROM old_leaf LOOP
        EXECUTE format('ALTER TABLE event_logs DETACH PARTITION %s', leaf.name);
    END LOOP;
    DROP INDEX idx_aggregate_id, idx_correlation_id, idx_event_type_created_at, idx_source_service, idx_partition_type_service;
    -- From the last one: 000001 becomes 000004, which was 000016 before that.
    FOR leaf IN SELECT * FROM old_leaf ORDER BY first_id DESC LOOP
        is_over := leaf.next_id <= last_id;
        EXECUTE format('SELECT max(id) FROM %s', leaf.name) INTO upper_;
        IF leaf.first_id > last_id AND upper_ IS NULL THEN
            EXECUTE format('DROP TABLE %s', leaf.name);
            CONTINUE;
        END IF;
        upper_ := CASE WHEN is_over THEN leaf.next_id
                       ELSE least(leaf.next_id, (greatest(last_id, upper_) / event_log_leaf_size() + 1) * event_log_leaf_size()) END;
        lower_ := leaf.first_id;
        IF lower_ > 0 THEN
            EXECUTE format('ALTER TABLE %s RENAME TO %I', leaf.name,
                           'event_logs_' || lpad((lower_ / event_log_leaf_size())::text, 6, '0'));
        END IF;
        leaf.name := 'event_logs_' || lpad((lower_ / event_log_leaf_size())::text, 6, '0');
        EXECUTE format('ALTER TABLE event_logs ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', leaf.name, lower_, upper_);
        EXECUTE format('ALTER TABLE %I DROP CONSTRAINT IF EXISTS audit_leaf_ids', leaf.name);
        EXECUTE format('INSERT INTO event_log_leaves (first_id, next_id, name, has_summaries, sealed_at) '
                       'VALUES (%s, %s, %L, false, clock_timestamp())', lower_, upper_, leaf.name);
        IF is_over THEN
            PERFORM close_event_log_leaf(leaf.name);
        END IF;
    END LOOP;
END $$;

-- A database without a row has nothing to keep.
DO $$
DECLARE
    leaf record;
BEGIN
    IF NOT EXISTS (SELECT FROM event_logs) THEN
        FOR leaf IN SELECT name FROM event_log_leaves WHERE closed_at IS NULL LOOP
            EXECUTE format('DROP TABLE %I', leaf.name);
            DELETE FROM event_log_leaves WHERE name = leaf.name;
        END LOOP;
    END IF;
    PERFORM ensure_event_log_leaf((SELECT last_value FROM event_logs_id_seq));
END $$;

-- Whoever may record events may seal leaves; whoever may read events may read how far their leaves are.
DO $$
DECLARE
    grant_ record;
BEGIN
    FOR grant_ IN
        SELECT CASE acl.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(acl.grantee)) END AS grantee,
               bool_or(acl.privilege_type = 'INSERT') AS records
          FROM pg_class table_, aclexplode(table_.relacl) acl
         WHERE table_.oid = 'event_logs'::regclass AND acl.grantee <> table_.relowner AND acl.privilege_type IN ('INSERT', 'SELECT')
         GROUP BY 1
    LOOP
        EXECUTE format('GRANT SELECT ON event_log_leaves TO %s', grant_.grantee);
        IF grant_.records THEN
            EXECUTE format('GRANT EXECUTE ON FUNCTION enter_event_log_leaf(text), summarize_event_log_leaves(integer), '
                           'seal_event_log_leaf(integer, boolean, boolean) TO %s', grant_.grantee);
        END IF;
    END LOOP;
END $$;
