-- As before, but of a sequence that can't give consecutive ids: drawing would go on for ever.
CREATE OR REPLACE FUNCTION reserve_event_log_ids(row_count integer, OUT first_id bigint, OUT leaf text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    last_id bigint;
BEGIN
    IF row_count IS NULL OR row_count < 1 OR row_count > 1000000 THEN
        RAISE EXCEPTION 'between 1 and 1000000 ids can be reserved at once, not %', row_count;
    END IF;
    IF EXISTS (SELECT FROM pg_sequence
                WHERE seqrelid = 'event_logs_id_seq'::regclass AND (seqincrement <> 1 OR seqcycle OR seqcache <> 1)) THEN
        RAISE EXCEPTION 'the sequence event_logs_id_seq was changed: it has to count by 1, without a cache and without beginning again'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'ALTER SEQUENCE event_logs_id_seq INCREMENT BY 1 CACHE 1 NO CYCLE';
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
