-- What is needed to give a dead letter back to where it came from, byte for byte.
CREATE TABLE dead_letters (
    event_log_id      BIGINT PRIMARY KEY,
    key               BYTEA,
    value             BYTEA,
    headers           JSONB NOT NULL,
    origin_topic      TEXT,
    origin_source     TEXT CHECK (origin_source IN ('header', 'suffix')),
    origin_partition  INT,
    origin_offset     BIGINT,
    origin_timestamp  TIMESTAMPTZ,
    consumer_group    TEXT,
    exception_class   TEXT,
    exception_message TEXT,
    stack_trace       TEXT,
    attempts          INT,
    replay_id         UUID,
    replay_attempt    INT
);
CREATE INDEX idx_dead_letters_origin ON dead_letters (origin_topic, exception_class);
CREATE INDEX idx_dead_letters_replay_id ON dead_letters (replay_id) WHERE replay_id IS NOT NULL;

COMMENT ON COLUMN dead_letters.event_log_id IS 'event_logs.id';
COMMENT ON COLUMN dead_letters.headers IS 'an array of {"name", "value_base64"} in the record''s order; name_base64 where a name is not UTF-8';
COMMENT ON COLUMN dead_letters.origin_source IS 'how origin_topic is known: a header says it, or only the ending of the topic''s name suggests it';
COMMENT ON COLUMN dead_letters.replay_id IS 'the header audit-replay-id: this dead letter is a replay that failed again';
COMMENT ON COLUMN dead_letters.replay_attempt IS 'the header audit-replay-attempt: how often the event had been replayed before';

SELECT make_append_only('dead_letters');

-- One row for each time that a dead letter was sent back, or was to be. `pending` is committed before the record is sent,
-- `sent` or `failed` after Kafka answered. After a crash a pending row is resolved by looking for its replay_id in the target.
CREATE TABLE dlt_replays (
    replay_id        UUID PRIMARY KEY,
    event_log_id     BIGINT NOT NULL REFERENCES dead_letters,
    attempt          INT NOT NULL CHECK (attempt >= 1),
    requested_by     TEXT NOT NULL,
    database_role    TEXT NOT NULL DEFAULT session_user,
    requested_at     TIMESTAMPTZ NOT NULL DEFAULT now(),
    reason           TEXT,
    target_topic     TEXT NOT NULL,
    target_partition INT,
    state            TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sent', 'failed')),
    new_partition    INT,
    new_offset       BIGINT,
    error            TEXT,
    resolved_at      TIMESTAMPTZ,
    CHECK ((state = 'pending') = (resolved_at IS NULL)),
    CHECK ((state = 'sent') = (new_offset IS NOT NULL)),
    CHECK ((state = 'failed') = (error IS NOT NULL))
);
-- A failed replay never reached Kafka, so its attempt is free for another.
CREATE UNIQUE INDEX idx_dlt_replays_attempt ON dlt_replays (event_log_id, attempt) WHERE state <> 'failed';
CREATE INDEX idx_dlt_replays_pending ON dlt_replays (requested_at) WHERE state = 'pending';
CREATE INDEX idx_dlt_replays_requested_at ON dlt_replays (requested_at);

COMMENT ON COLUMN dlt_replays.replay_id IS 'travels with the record as the header audit-replay-id';
COMMENT ON COLUMN dlt_replays.attempt IS 'counted along the chain: a replay that came back as another dead letter counts for that one, too';
COMMENT ON COLUMN dlt_replays.target_partition IS 'the partition that was asked for; null where the key decides';

-- What came of each replay, as far as the recorded dead letters tell: a replay that was dead-lettered again is `returned`,
-- and returned_as is the row of that dead letter. It is derived, so that it is true as soon as that row is recorded.
CREATE VIEW dlt_replay_outcomes AS
SELECT replay.replay_id, replay.event_log_id, replay.attempt, replay.requested_by, replay.database_role,
       replay.requested_at, replay.reason, replay.target_topic, replay.target_partition,
       CASE WHEN came_back.event_log_id IS NULL THEN replay.state ELSE 'returned' END AS state,
       replay.new_partition, replay.new_offset, replay.error, replay.resolved_at,
       came_back.event_log_id AS returned_as
  FROM dlt_replays replay
  LEFT JOIN LATERAL (SELECT min(letter.event_log_id) AS event_log_id
                       FROM dead_letters letter WHERE letter.replay_id = replay.replay_id) came_back ON true;
