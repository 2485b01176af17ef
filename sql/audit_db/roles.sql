-- Three group roles. Give them to the logins that ingest, read, and send dead letters back:
--   CREATE ROLE ingester LOGIN PASSWORD '…' IN ROLE audit_ingester;
--   CREATE ROLE analyst  LOGIN PASSWORD '…' IN ROLE audit_reader;
--   CREATE ROLE operator LOGIN PASSWORD '…' IN ROLE audit_replayer;
-- Roles belong to the whole server, so `audit migrate` leaves them alone: run `audit migrate --roles`, or this file by psql
-- as the owner of the tables. It can be run again.
DO $$
DECLARE
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['audit_ingester', 'audit_reader', 'audit_replayer'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL; -- another database of this server made it at the same time
            END;
        END IF;
    END LOOP;
END $$;

-- A dump that was restored without its privileges gives these to everybody again.
REVOKE EXECUTE ON FUNCTION make_append_only(regclass), ensure_event_log_leaf(bigint), reserve_event_log_ids(integer),
                           fill_event_counts(bigint), find_duplicate_deliveries(bigint), merge_event_counts(bigint),
                           enter_event_log_leaf(text), close_event_log_leaf(text), analyze_event_log_leaf(text), summarize_event_log_leaves(integer),
                           seal_event_log_leaf(integer, boolean, boolean), note_late_row(),
                           close_evidence_tiles(integer, bigint), append_evidence(integer, bytea[], bigint[])
    FROM PUBLIC;

GRANT USAGE ON SCHEMA public TO audit_ingester, audit_reader, audit_replayer;

-- The ingester adds rows, and moves the two counters that the protocol locks. It can't read what others recorded.
GRANT INSERT ON event_logs, dead_letters, event_counts TO audit_ingester;
GRANT SELECT, INSERT ON ingest_batches, ingest_batch_ranges TO audit_ingester;
GRANT SELECT, INSERT, UPDATE ON kafka_partitions TO audit_ingester;
GRANT SELECT, UPDATE ON ledger_head TO audit_ingester;
GRANT SELECT, INSERT ON evidence_leaves, evidence_checkpoints TO audit_ingester;
GRANT SELECT ON audit_installation, refinery_schema_history, event_count_state, event_log_leaves, evidence_tiles,
                evidence_adoptions TO audit_ingester;
GRANT EXECUTE ON FUNCTION ensure_event_log_leaf(bigint), reserve_event_log_ids(integer), fill_event_counts(bigint),
                          find_duplicate_deliveries(bigint), merge_event_counts(bigint), enter_event_log_leaf(text),
                          summarize_event_log_leaves(integer), seal_event_log_leaf(integer, boolean, boolean),
                          close_evidence_tiles(integer, bigint), append_evidence(integer, bytea[], bigint[])
   TO audit_ingester;

GRANT SELECT ON event_logs, dead_letters, dlt_replays, dlt_replay_outcomes, ingest_batches, ingest_batch_ranges,
                kafka_partitions, ledger_head, audit_installation, refinery_schema_history, event_counts,
                event_counts_by_day, event_count_state, duplicate_deliveries, event_log_leaves, audit_events, audit_stories,
                evidence_leaves, evidence_tiles, evidence_checkpoints, evidence_adoptions
             TO audit_reader, audit_replayer;

-- Who replays writes down what was sent, and what came of it; who sent it, when and why stays as it was written.
GRANT EXECUTE ON FUNCTION append_evidence(integer, bytea[], bigint[]) TO audit_replayer;
GRANT INSERT ON dlt_replays TO audit_replayer;
GRANT UPDATE (state, new_partition, new_offset, error, resolved_at) ON dlt_replays TO audit_replayer;

-- A batch is copied straight into a leaf, so the leaves that exist already need what event_logs has.
DO $$
DECLARE
    leaf regclass;
BEGIN
    FOR leaf IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'event_logs'::regclass LOOP
        EXECUTE format('GRANT INSERT ON %s TO audit_ingester', leaf);
        EXECUTE format('GRANT SELECT ON %s TO audit_reader, audit_replayer', leaf);
    END LOOP;
END $$;
