-- The ledger: which batch recorded which offsets. It is what makes a row provable and a reader's cursor gapless.

-- Names this database, so that two audits of one Kafka cluster never share a consumer group.
CREATE TABLE audit_installation (
    singleton  BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (singleton),
    id         UUID NOT NULL DEFAULT gen_random_uuid(),
    created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
INSERT INTO audit_installation DEFAULT VALUES;

-- How far each partition is recorded. epoch is the fence: whoever claims a partition raises it, and a batch commits only
-- under the epoch that its writer claimed. A topic that was deleted and made again goes on under another incarnation.
CREATE TABLE kafka_partitions (
    partition_id INT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    cluster_id   TEXT NOT NULL,
    topic        TEXT NOT NULL,
    topic_id     UUID,
    partition    INT NOT NULL CHECK (partition >= 0),
    incarnation  INT NOT NULL DEFAULT 1 CHECK (incarnation >= 1),
    epoch        BIGINT NOT NULL DEFAULT 0,
    next_offset  BIGINT NOT NULL DEFAULT 0 CHECK (next_offset >= 0),
    claimed_by   TEXT,
    claimed_at   TIMESTAMPTZ,
    UNIQUE (cluster_id, topic, partition, incarnation)
) WITH (fillfactor = 50);

COMMENT ON COLUMN kafka_partitions.topic_id IS 'Kafka''s own id of the topic; null where the broker does not tell it';

-- One row, locked from after the COPY until COMMIT: batch numbers become visible in order and without gaps.
CREATE TABLE ledger_head (
    singleton BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (singleton),
    batch_no  BIGINT NOT NULL,
    row_count BIGINT NOT NULL
) WITH (fillfactor = 10);
INSERT INTO ledger_head (batch_no, row_count) VALUES (0, 0);

COMMENT ON COLUMN ledger_head.batch_no IS 'the last batch';
COMMENT ON COLUMN ledger_head.row_count IS 'the rows of all batches';

-- The rows of a batch are id BETWEEN first_id AND last_id. Batch order is commit order; id order is not.
CREATE TABLE ingest_batches (
    batch_no    BIGINT PRIMARY KEY,
    first_id    BIGINT UNIQUE,
    last_id     BIGINT,
    row_count   INT NOT NULL CHECK (row_count >= 0),
    recorded_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
    ingester    TEXT NOT NULL,
    row_root    BYTEA,
    record_root BYTEA,
    CHECK (CASE WHEN row_count = 0 THEN first_id IS NULL AND last_id IS NULL
                ELSE last_id IS NOT NULL AND last_id - first_id + 1 = row_count END)
);
CREATE INDEX idx_ingest_batches_recorded_at ON ingest_batches (recorded_at);

-- The offsets that a batch accounts for. 'stored': row_count of them are rows, the others are holes that Kafka shows to
-- nobody (transaction markers, aborted records, compacted ones). 'lost': Kafka had deleted them before they were read.
CREATE TABLE ingest_batch_ranges (
    batch_no     BIGINT NOT NULL REFERENCES ingest_batches,
    partition_id INT NOT NULL REFERENCES kafka_partitions,
    first_offset BIGINT NOT NULL CHECK (first_offset >= 0),
    next_offset  BIGINT NOT NULL,
    row_count    INT NOT NULL CHECK (row_count >= 0),
    kind         TEXT NOT NULL CHECK (kind IN ('stored', 'lost')),
    PRIMARY KEY (partition_id, first_offset),
    CHECK (next_offset > first_offset),
    CHECK (row_count <= next_offset - first_offset),
    CHECK (kind = 'stored' OR row_count = 0)
);
CREATE INDEX idx_ingest_batch_ranges_batch_no ON ingest_batch_ranges (batch_no);
CREATE INDEX idx_ingest_batch_ranges_lost ON ingest_batch_ranges (partition_id) WHERE kind = 'lost';

SELECT make_append_only('ingest_batches'), make_append_only('ingest_batch_ranges');
