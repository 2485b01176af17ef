-- What is needed to give a dead letter back to where it came from, byte for byte.
CREATE TABLE dead_letters (
    event_log_id      BIGINT PRIMARY KEY,
    key               BYTEA,
    value             BYTEA,
    headers           JSONB NOT NULL,
    origin_topic      TEXT,
    origin_partition  INT,
    origin_offset     BIGINT,
    origin_timestamp  TIMESTAMPTZ,
    consumer_group    TEXT,
    exception_class   TEXT,
    exception_message TEXT,
    stack_trace       TEXT,
    attempts          INT
);
CREATE INDEX idx_dead_letters_origin ON dead_letters (origin_topic, exception_class);

COMMENT ON COLUMN dead_letters.event_log_id IS 'event_logs.id';
COMMENT ON COLUMN dead_letters.headers IS 'an array of {"name", "value_base64"} in the record''s order; name_base64 where a name is not UTF-8';

SELECT make_append_only('dead_letters');

-- One row for each dead letter that was sent back, or was to be. `pending` is committed before the record is sent.
CREATE TABLE dlt_replays (
    replay_id        UUID PRIMARY KEY,
    event_log_id     BIGINT NOT NULL REFERENCES dead_letters,
    attempt          INT NOT NULL CHECK (attempt >= 1),
    requested_by     TEXT NOT NULL,
    requested_at     TIMESTAMPTZ NOT NULL DEFAULT now(),
    reason           TEXT,
    target_topic     TEXT NOT NULL,
    target_partition INT,
    state            TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sent', 'failed', 'returned')),
    new_partition    INT,
    new_offset       BIGINT,
    error            TEXT,
    resolved_at      TIMESTAMPTZ,
    UNIQUE (event_log_id, attempt)
);
CREATE INDEX idx_dlt_replays_pending ON dlt_replays (requested_at) WHERE state = 'pending';

COMMENT ON COLUMN dlt_replays.replay_id IS 'travels with the record as the header audit-replay-id';
