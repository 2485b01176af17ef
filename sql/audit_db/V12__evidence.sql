-- A log of hashes, so that a row can be proven to somebody who has neither the database nor trust in its owner: docs/evidence.md has every
-- format to the byte. Each batch has the root over its rows, and is a leaf of the log, entered by its own transaction.

-- Since when, and how far, the log is. The number of a log is how often it was begun anew (`audit evidence restart`).
ALTER TABLE ledger_head
    ADD COLUMN log_no      INT NOT NULL DEFAULT 0 CHECK (log_no >= 0),
    ADD COLUMN log_size    BIGINT NOT NULL DEFAULT 0 CHECK (log_size >= 0),
    ADD COLUMN recorded_at TIMESTAMPTZ;
UPDATE ledger_head SET recorded_at = (SELECT max(recorded_at) FROM ingest_batches);
COMMENT ON COLUMN ledger_head.log_no IS 'the log that is written to: how often it was begun anew';
COMMENT ON COLUMN ledger_head.log_size IS 'how many leaves it has';
COMMENT ON COLUMN ledger_head.recorded_at IS 'when the last batch was recorded: it never decreases';

-- A topic's id becomes known later where a broker did not tell it before: what a leaf says of it does not change with that.
ALTER TABLE ingest_batch_ranges ADD COLUMN topic_id UUID;
COMMENT ON COLUMN ingest_batch_ranges.topic_id IS 'Kafka''s own id of the topic, as it was known when the batch was recorded; null for batches from before the log';

-- An ingester from before the log would record batches that nobody can prove. It ends with the name of this constraint.
ALTER TABLE ingest_batches ADD CONSTRAINT ingester_is_older_than_the_schema CHECK (row_root IS NOT NULL) NOT VALID;
COMMENT ON COLUMN ingest_batches.row_root IS 'the root of the RFC 6962 tree over the rows; null for batches from before the log';
COMMENT ON COLUMN ingest_batches.record_root IS 'the same over the records of Kafka; null where it is not known';

CREATE TABLE evidence_leaves (
    log_no     INT NOT NULL,
    leaf_index BIGINT NOT NULL CHECK (leaf_index >= 0),
    kind       SMALLINT NOT NULL CHECK (kind BETWEEN 1 AND 7),
    batch_no   BIGINT CHECK ((kind IN (2, 3)) = (batch_no IS NOT NULL)),
    hash       BYTEA NOT NULL CHECK (length(hash) = 32),
    body       BYTEA CHECK ((kind IN (2, 3)) = (body IS NULL)),
    PRIMARY KEY (log_no, leaf_index)
);
CREATE INDEX idx_evidence_leaves_batch_no ON evidence_leaves (batch_no) WHERE batch_no IS NOT NULL;
COMMENT ON TABLE evidence_leaves IS 'the log: a leaf for each thing that happened, in commit order';
COMMENT ON COLUMN evidence_leaves.kind IS '1 installation, 2 batch, 3 adopted batch, 4 replay asked for, 5 outcome of a replay, 6 retirement, 7 restart';
COMMENT ON COLUMN evidence_leaves.hash IS 'SHA-256 of a byte 0 and the leaf';
COMMENT ON COLUMN evidence_leaves.body IS 'the leaf; null where it is made of ingest_batches and ingest_batch_ranges';

-- What 256 leaves, and 256 tiles of the level below, add up to, so that a proof is read in a few places.
CREATE TABLE evidence_tiles (
    log_no  INT NOT NULL,
    level   SMALLINT NOT NULL CHECK (level >= 0),
    tile_no BIGINT NOT NULL CHECK (tile_no >= 0),
    hash    BYTEA NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (log_no, level, tile_no)
);
COMMENT ON TABLE evidence_tiles IS 'the hash of each full tile: 256 leaves on level 0, 256 tiles of the level below on the others';

-- The checkpoints that were signed here. Those that count are kept elsewhere, too.
CREATE TABLE evidence_checkpoints (
    log_no     INT NOT NULL,
    log_size   BIGINT NOT NULL CHECK (log_size > 0),
    note       TEXT NOT NULL,
    signed_at  TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (log_no, log_size)
);
COMMENT ON COLUMN evidence_checkpoints.note IS 'the signed note, as C2SP''s tlog-checkpoint has it';

-- Batches from before the log that were adopted into it: ingest_batches stays as it was written.
CREATE TABLE evidence_adoptions (
    batch_no   BIGINT NOT NULL REFERENCES ingest_batches,
    log_no     INT NOT NULL,
    row_root   BYTEA NOT NULL CHECK (length(row_root) = 32),
    adopted_at TIMESTAMPTZ NOT NULL,
    adopted_by TEXT NOT NULL,
    PRIMARY KEY (batch_no, log_no)
);
COMMENT ON COLUMN evidence_adoptions.row_root IS 'the root over the rows as they were when the batch was adopted';

SELECT make_append_only('evidence_leaves'), make_append_only('evidence_tiles'), make_append_only('evidence_checkpoints'),
       make_append_only('evidence_adoptions');

-- Retention takes a leaf of event_logs away, with its rows. What it was stays: its ids are never given out again.
ALTER TABLE event_log_leaves
    ADD COLUMN retired_at   TIMESTAMPTZ,
    ADD COLUMN retired_rows BIGINT CHECK ((retired_at IS NULL) = (retired_rows IS NULL));
COMMENT ON COLUMN event_log_leaves.retired_at IS 'when it was dropped with its rows, by audit retention';
COMMENT ON COLUMN event_log_leaves.retired_rows IS 'how many rows it had then';

-- Enters the tiles that the leaf before new_size has filled.
CREATE FUNCTION close_evidence_tiles(log integer, new_size bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    hashes bytea[];
    tiles  bigint := new_size;
    level_ smallint := 0;
BEGIN
    WHILE tiles % 256 = 0 AND tiles > 0 LOOP
        tiles := tiles / 256;
        IF level_ = 0 THEN
            SELECT array_agg(hash ORDER BY leaf_index) INTO hashes FROM evidence_leaves
             WHERE log_no = log AND leaf_index BETWEEN (tiles - 1) * 256 AND tiles * 256 - 1;
        ELSE
            SELECT array_agg(hash ORDER BY tile_no) INTO hashes FROM evidence_tiles
             WHERE log_no = log AND level = level_ - 1 AND tile_no BETWEEN (tiles - 1) * 256 AND tiles * 256 - 1;
        END IF;
        IF coalesce(cardinality(hashes), 0) <> 256 THEN
            RAISE EXCEPTION 'tile % of level % of the evidence log lacks some of its 256 hashes', tiles - 1, level_
                USING ERRCODE = 'data_corrupted', HINT = 'audit verify tells what is missing; after an honest restore, audit evidence restart begins a new log.';
        END IF;
        WHILE cardinality(hashes) > 1 LOOP
            SELECT array_agg(sha256('\x01'::bytea || hashes[2 * node - 1] || hashes[2 * node]) ORDER BY node) INTO hashes
              FROM generate_series(1, cardinality(hashes) / 2) AS node;
        END LOOP;
        INSERT INTO evidence_tiles (log_no, level, tile_no, hash) VALUES (log, level_, tiles - 1, hashes[1]);
        level_ := level_ + 1;
    END LOOP;
END $$;

-- Appends leaves of one kind to the log, and returns the place of the first. Holds the ledger's head until the transaction ends, as a batch
-- does, so that leaves become visible in their order.
CREATE FUNCTION append_evidence(kind_ integer, bodies bytea[], batch_nos bigint[] DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    head  record;
    first bigint;
BEGIN
    UPDATE ledger_head SET log_size = log_size + cardinality(bodies) RETURNING log_no, log_size INTO STRICT head;
    first := head.log_size - cardinality(bodies);
    INSERT INTO evidence_leaves (log_no, leaf_index, kind, batch_no, hash, body)
    SELECT head.log_no, first + place - 1, kind_, batch_no, sha256('\x00'::bytea || body), CASE WHEN batch_nos IS NULL THEN body END
      FROM unnest(bodies, batch_nos) WITH ORDINALITY AS leaf (body, batch_no, place);
    FOR tile IN first / 256 + 1 .. head.log_size / 256 LOOP
        PERFORM close_evidence_tiles(head.log_no, tile * 256);
    END LOOP;
    RETURN first;
END $$;

REVOKE EXECUTE ON FUNCTION close_evidence_tiles(integer, bigint), append_evidence(integer, bytea[], bigint[]) FROM PUBLIC;

-- Whoever may record events enters them into the log; whoever may replay enters what was sent; whoever may read events may read the log.
DO $$
DECLARE
    grant_ record;
BEGIN
    FOR grant_ IN
        SELECT CASE acl.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(acl.grantee)) END AS grantee,
               bool_or(table_.relname = 'event_logs' AND acl.privilege_type = 'INSERT') AS records,
               bool_or(table_.relname = 'dlt_replays' AND acl.privilege_type = 'INSERT') AS replays,
               bool_or(table_.relname = 'event_logs' AND acl.privilege_type = 'SELECT') AS reads
          FROM pg_class table_, aclexplode(table_.relacl) acl
         WHERE table_.oid IN ('event_logs'::regclass, 'dlt_replays'::regclass) AND acl.grantee <> table_.relowner
         GROUP BY 1
    LOOP
        IF grant_.records THEN
            EXECUTE format('GRANT SELECT, INSERT ON evidence_leaves, evidence_checkpoints TO %s', grant_.grantee);
            EXECUTE format('GRANT SELECT ON evidence_tiles, evidence_adoptions TO %s', grant_.grantee);
            EXECUTE format('GRANT EXECUTE ON FUNCTION close_evidence_tiles(integer, bigint) TO %s', grant_.grantee);
        END IF;
        IF grant_.records OR grant_.replays THEN
            EXECUTE format('GRANT EXECUTE ON FUNCTION append_evidence(integer, bytea[], bigint[]) TO %s', grant_.grantee);
        END IF;
        IF grant_.reads THEN
            EXECUTE format('GRANT SELECT ON evidence_leaves, evidence_tiles, evidence_checkpoints, evidence_adoptions TO %s', grant_.grantee);
        END IF;
    END LOOP;
END $$;
