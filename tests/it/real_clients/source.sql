-- What a shop has before Debezium looks at it: columns of every kind that has a notation of its own
-- in Kafka Connect, keys that are UUIDs, text or several columns, and two outbox tables.
CREATE TABLE orders (
    id UUID PRIMARY KEY,
    customer TEXT NOT NULL,
    total NUMERIC(12,2),
    weight NUMERIC,
    placed_on DATE,
    at_millis TIMESTAMP(3),
    at_micros TIMESTAMP(6),
    at_zone TIMESTAMPTZ,
    time_millis TIME(3),
    time_micros TIME(6),
    time_zone TIMETZ,
    took INTERVAL,
    ratio DOUBLE PRECISION,
    count BIGINT,
    is_gift BOOLEAN,
    details JSONB,
    seal BYTEA,
    tags TEXT[],
    days DATE[],
    prices NUMERIC(10,2)[]
);
CREATE TABLE customers (code TEXT PRIMARY KEY, name TEXT, credit NUMERIC(12,2), since DATE);
CREATE TABLE order_lines (order_id UUID, line INT, price NUMERIC(12,2), PRIMARY KEY (order_id, line));
CREATE TABLE outbox (
    id UUID PRIMARY KEY,
    aggregatetype VARCHAR(255) NOT NULL,
    aggregateid VARCHAR(255) NOT NULL,
    type VARCHAR(255) NOT NULL,
    payload JSONB
);
CREATE TABLE event_outbox (
    event_id UUID PRIMARY KEY,
    aggregate_type TEXT NOT NULL,
    aggregate_id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    payload TEXT,
    occurred_at TIMESTAMPTZ
);
INSERT INTO customers VALUES ('C-SNAPSHOT', 'Ada', 1.50, '2026-02-28');
