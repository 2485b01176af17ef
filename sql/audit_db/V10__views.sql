-- Events and stories for SQL and BI tools; docs/sql.md tells every column.

-- SHA-1, which PostgreSQL has only in extensions: an id that came as text became a UUID by it.
CREATE FUNCTION audit_sha1(message bytea) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    low_32 CONSTANT bigint := 4294967295;
    -- The message, a bit, zeros, and the length in bits: whole blocks of 64 bytes.
    padded CONSTANT bytea := message || '\x80'::bytea || decode(repeat('00', (119 - length(message) % 64) % 64), 'hex')
                             || int8send(length(message)::bigint * 8);
    h0 bigint := 1732584193;
    h1 bigint := 4023233417;
    h2 bigint := 2562383102;
    h3 bigint := 271733878;
    h4 bigint := 3285377520;
    a bigint;
    b bigint;
    c bigint;
    d bigint;
    e bigint;
    mixed bigint;
    word bigint[];
BEGIN
    FOR block IN 0 .. length(padded) / 64 - 1 LOOP
        FOR i IN 0 .. 15 LOOP
            word[i] := (get_byte(padded, 64 * block + 4 * i)::bigint << 24) | (get_byte(padded, 64 * block + 4 * i + 1) << 16)
                     | (get_byte(padded, 64 * block + 4 * i + 2) << 8) | get_byte(padded, 64 * block + 4 * i + 3);
        END LOOP;
        FOR i IN 16 .. 79 LOOP
            mixed := word[i - 3] # word[i - 8] # word[i - 14] # word[i - 16];
            word[i] := ((mixed << 1) | (mixed >> 31)) & low_32;
        END LOOP;
        a := h0; b := h1; c := h2; d := h3; e := h4;
        FOR i IN 0 .. 79 LOOP
            mixed := (((a << 5) | (a >> 27)) + e + word[i]
                      + CASE WHEN i < 20 THEN ((b & c) | (~b & d)) + 1518500249
                             WHEN i < 40 THEN (b # c # d) + 1859775393
                             WHEN i < 60 THEN ((b & c) | (b & d) | (c & d)) + 2400959708
                             ELSE (b # c # d) + 3395469782 END) & low_32;
            e := d;
            d := c;
            c := ((b << 30) | (b >> 2)) & low_32;
            b := a;
            a := mixed;
        END LOOP;
        h0 := (h0 + a) & low_32;
        h1 := (h1 + b) & low_32;
        h2 := (h2 + c) & low_32;
        h3 := (h3 + d) & low_32;
        h4 := (h4 + e) & low_32;
    END LOOP;
    -- The last four bytes of each are the 32 bits.
    RETURN substr(int8send(h0), 5) || substr(int8send(h1), 5) || substr(int8send(h2), 5) || substr(int8send(h3), 5)
        || substr(int8send(h4), 5);
END $$;

-- The UUID that is made of a name: version 5, in the namespace of URLs.
CREATE FUNCTION audit_name_uuid(name text) RETURNS uuid
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    id bytea := substr(public.audit_sha1('\x6ba7b8119dad11d180b400c04fd430c8'::bytea || convert_to(name, 'UTF8')), 1, 16);
BEGIN
    id := set_byte(id, 6, (get_byte(id, 6) & 15) | 80);
    id := set_byte(id, 8, (get_byte(id, 8) & 63) | 128);
    RETURN encode(id, 'hex')::uuid;
END $$;

-- The UUID of an id: one in any usual spelling stays itself, other text becomes one, by what it identifies.
CREATE FUNCTION audit_id_uuid(identified text, id text) RETURNS uuid
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    plain CONSTANT text := CASE WHEN id LIKE 'urn:uuid:%' AND length(id) = 45 THEN substr(id, 10)
                                WHEN id LIKE '{%}' AND length(id) = 38 THEN substr(id, 2, 36) ELSE id END;
BEGIN
    IF plain ~ '^([0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$' THEN
        RETURN plain::uuid;
    END IF;
    RETURN public.audit_name_uuid(identified || ':' || id);
END $$;

-- What stands in aggregate_id, and in correlation_id, for an id as audit_events shows it.
CREATE FUNCTION audit_aggregate_id(id text) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT public.audit_id_uuid('aggregate', id) $$;

CREATE FUNCTION audit_correlation_id(id text) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT public.audit_id_uuid('correlation', id) $$;

-- The id as it came: the text that it was made of, else the UUID. `original` is what the envelope had in its place; the key is the
-- aggregate where the envelope has none.
CREATE FUNCTION audit_id_text(identified text, id uuid, original jsonb, key jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    found_    text;
    candidate jsonb;
BEGIN
    -- Text stands there only where the id was made of it. What is empty, or JSON again, may have been no id at all; of a number the
    -- digits that came are not always those that are stored: these are tried, as the key is.
    IF jsonb_typeof(original) = 'string' AND id IS NOT NULL THEN
        found_ := original #>> '{}';
        IF found_ <> '' AND left(found_, 1) NOT IN ('"', '{') THEN
            RETURN found_;
        END IF;
    END IF;
    IF substr(id::text, 15, 1) = '5' THEN
        FOREACH candidate IN ARRAY ARRAY[original, key] LOOP
            IF jsonb_typeof(candidate) IN ('string', 'number') THEN
                found_ := candidate #>> '{}';
                IF id = public.audit_name_uuid(identified || ':' || found_) THEN
                    RETURN found_;
                END IF;
            END IF;
        END LOOP;
    END IF;
    RETURN id::text;
END $$;

CREATE VIEW audit_events AS
SELECT event.id, event.event_id, event.event_type, event.aggregate_id, event.source_service, event.is_dlt, event.payload,
       event.created_at, event.partition_id, event.kafka_offset, event.correlation_id, event.attributes,
       origin.topic, origin.partition,
       (SELECT CASE WHEN batch.last_id >= event.id THEN batch.batch_no END FROM ingest_batches batch
         WHERE batch.first_id <= event.id ORDER BY batch.first_id DESC LIMIT 1) AS batch_no,
       (SELECT CASE WHEN batch.last_id >= event.id THEN batch.recorded_at END FROM ingest_batches batch
         WHERE batch.first_id <= event.id ORDER BY batch.first_id DESC LIMIT 1) AS recorded_at,
       audit_id_text('aggregate', event.aggregate_id, event.attributes #> '{original,aggregate_id}', event.attributes -> 'key')
           AS aggregate,
       CASE WHEN event.correlation_id IS NULL
            THEN audit_id_text('aggregate', event.aggregate_id, event.attributes #> '{original,aggregate_id}',
                               event.attributes -> 'key')
            ELSE audit_id_text('correlation', event.correlation_id, event.attributes #> '{original,correlation_id}', NULL)
       END AS correlation,
       letter.exception_class AS error_class, letter.exception_message AS error_message
  FROM event_logs event
  LEFT JOIN kafka_partitions origin ON origin.partition_id = event.partition_id
  LEFT JOIN dead_letters letter ON letter.event_log_id = event.id AND event.is_dlt;

COMMENT ON VIEW audit_events IS 'every recorded row, dead letters and later deliveries too, with where it came from and its ids as they came';
COMMENT ON COLUMN audit_events.id IS 'the row; the order of ids is not the order of commits';
COMMENT ON COLUMN audit_events.event_id IS 'the event; several rows have it where it was delivered again, or is a dead letter';
COMMENT ON COLUMN audit_events.event_type IS 'what happened; audit.Tombstone and audit.Quarantined are the audits own';
COMMENT ON COLUMN audit_events.aggregate_id IS 'what it happened to, as a UUID; null where the record names nothing';
COMMENT ON COLUMN audit_events.source_service IS 'who published it; null where the record does not tell';
COMMENT ON COLUMN audit_events.is_dlt IS 'whether it came from a topic of dead letters';
COMMENT ON COLUMN audit_events.payload IS 'the events data';
COMMENT ON COLUMN audit_events.created_at IS 'when the event happened, UTC';
COMMENT ON COLUMN audit_events.partition_id IS 'kafka_partitions.partition_id; null for a row that no Kafka record stands behind';
COMMENT ON COLUMN audit_events.kafka_offset IS 'the offset in that partition';
COMMENT ON COLUMN audit_events.correlation_id IS 'the story across services, as a UUID; null where the record names no correlation';
COMMENT ON COLUMN audit_events.attributes IS 'key, headers and envelope members that have no column';
COMMENT ON COLUMN audit_events.topic IS 'the topic it came from';
COMMENT ON COLUMN audit_events.partition IS 'the partition of that topic';
COMMENT ON COLUMN audit_events.batch_no IS 'the batch that recorded it; null for a row that no batch covers';
COMMENT ON COLUMN audit_events.recorded_at IS 'when that batch was recorded';
COMMENT ON COLUMN audit_events.aggregate IS 'aggregate_id as it came: text that is no UUID, else the UUID';
COMMENT ON COLUMN audit_events.correlation IS 'correlation_id as it came; that of the aggregate where there is no correlation';
COMMENT ON COLUMN audit_events.error_class IS 'of a dead letter: the exceptions class';
COMMENT ON COLUMN audit_events.error_message IS 'of a dead letter: the exceptions message';

-- The steps of all stories: of each event the delivery that committed first; no dead letters, tombstones and quarantined records.
-- duplicate_deliveries knows the other deliveries of the batches that were searched for them. Rows of batches that were not, and rows
-- outside batches, which come last, are looked for one by one.
CREATE VIEW audit_steps AS
SELECT event.id, event.event_type, event.aggregate_id, event.correlation_id, event.created_at
  FROM event_logs event
  LEFT JOIN duplicate_deliveries repeated ON repeated.event_log_id = event.id
 WHERE event.is_dlt IS NOT TRUE AND event.event_type NOT IN ('audit.Tombstone', 'audit.Quarantined')
   AND repeated.event_log_id IS NULL
   AND CASE
       -- Between two bounds, so that the planner expects few batches.
       WHEN event.partition_id IS NOT NULL
            AND event.id < (SELECT coalesce(min(batch.first_id), 9223372036854775807)
                              FROM (SELECT first_id FROM ingest_batches
                                     WHERE batch_no > (SELECT duplicates_through FROM event_count_state)
                                       AND batch_no <= (SELECT batch_no FROM ledger_head) OFFSET 0) AS batch)
       THEN true
       ELSE NOT EXISTS (
            SELECT FROM event_logs other
             WHERE other.event_id = event.event_id AND other.id <> event.id
               AND other.is_dlt IS NOT TRUE AND other.event_type NOT IN ('audit.Tombstone', 'audit.Quarantined')
               AND (coalesce((SELECT CASE WHEN batch.last_id >= other.id THEN batch.batch_no END FROM ingest_batches batch
                               WHERE batch.first_id <= other.id ORDER BY batch.first_id DESC LIMIT 1), 9223372036854775807), other.id)
                 < (coalesce((SELECT CASE WHEN batch.last_id >= event.id THEN batch.batch_no END FROM ingest_batches batch
                               WHERE batch.first_id <= event.id ORDER BY batch.first_id DESC LIMIT 1), 9223372036854775807), event.id))
       END;

COMMENT ON VIEW audit_steps IS 'what audit_stories is made of';

-- The two kinds apart, so that a condition on either id is answered by its index.
CREATE VIEW audit_stories AS
SELECT (SELECT audit_id_text('correlation', row_.correlation_id, row_.attributes #> '{original,correlation_id}', NULL)
          FROM event_logs row_ WHERE row_.id = story.first_id) AS correlation,
       story.correlation_id, NULL::uuid AS aggregate_id, story.first, story.last, story.events, story.types
  FROM (SELECT correlation_id, (array_agg(id ORDER BY created_at, id))[1] AS first_id, min(created_at) AS first,
               max(created_at) AS last, count(*) AS events, array_agg(event_type::text ORDER BY created_at, id) AS types
          FROM audit_steps WHERE correlation_id IS NOT NULL GROUP BY correlation_id) AS story
 UNION ALL
SELECT (SELECT audit_id_text('aggregate', row_.aggregate_id, row_.attributes #> '{original,aggregate_id}', row_.attributes -> 'key')
          FROM event_logs row_ WHERE row_.id = story.first_id) AS correlation,
       NULL, story.aggregate_id, story.first, story.last, story.events, story.types
  FROM (SELECT aggregate_id, (array_agg(id ORDER BY created_at, id))[1] AS first_id, min(created_at) AS first,
               max(created_at) AS last, count(*) AS events, array_agg(event_type::text ORDER BY created_at, id) AS types
          FROM audit_steps WHERE correlation_id IS NULL AND aggregate_id IS NOT NULL GROUP BY aggregate_id) AS story;

COMMENT ON VIEW audit_stories IS 'all events of one correlation; those without one by their aggregate';
COMMENT ON COLUMN audit_stories.correlation IS 'the id of the story as it came with its first step: text that is no UUID, else the UUID';
COMMENT ON COLUMN audit_stories.correlation_id IS 'the id of the story as a UUID; null where it is that of an aggregate';
COMMENT ON COLUMN audit_stories.aggregate_id IS 'the id of a story of events without a correlation; null for all others';
COMMENT ON COLUMN audit_stories.first IS 'when its first step happened, UTC';
COMMENT ON COLUMN audit_stories.last IS 'when its last step happened, UTC';
COMMENT ON COLUMN audit_stories.events IS 'how many steps it has';
COMMENT ON COLUMN audit_stories.types IS 'the types of its steps, in their order (created_at, id), as often as they occur';

-- Whoever may read events may read them here.
DO $$
DECLARE
    reader text;
BEGIN
    FOR reader IN
        SELECT DISTINCT CASE acl.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(acl.grantee)) END
          FROM pg_class table_, aclexplode(table_.relacl) acl
         WHERE table_.oid = 'event_logs'::regclass AND acl.grantee <> table_.relowner AND acl.privilege_type = 'SELECT'
    LOOP
        EXECUTE format('GRANT SELECT ON audit_events, audit_stories TO %s', reader);
    END LOOP;
END $$;
