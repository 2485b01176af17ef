-- The payment service's own tables. Nobody else reads or writes them.

CREATE TABLE payments (
    id UUID PRIMARY KEY,
    order_id UUID NOT NULL,
    amount NUMERIC(12,2) NOT NULL,
    status VARCHAR(30) NOT NULL CHECK (status IN ('AUTHORIZED', 'DECLINED', 'CAPTURED', 'REFUNDED')),
    created_at TIMESTAMP NOT NULL DEFAULT NOW()
);

-- An order is paid once: the database itself refuses a second payment, whatever the consumer does.
CREATE UNIQUE INDEX payments_order_id ON payments (order_id);

-- The events whose effect is already in this database. A row is written in the transaction of the effect, so a second
-- delivery finds it and changes nothing.
CREATE TABLE processed_events (
    event_id UUID PRIMARY KEY,
    processed_at TIMESTAMP NOT NULL DEFAULT NOW()
);

-- The events this service gave up on. A failure injected by --fail-rate looks here, so that it heals: once an event
-- is in the dead-letter topic, the next time it arrives it succeeds.
CREATE TABLE dead_lettered_events (
    event_id UUID PRIMARY KEY,
    dead_lettered_at TIMESTAMP NOT NULL DEFAULT NOW()
);

-- The events to publish, written in the transaction of the change they tell of. The relay publishes in order of id.
CREATE TABLE outbox (
    id BIGSERIAL PRIMARY KEY,
    event_id UUID NOT NULL UNIQUE,
    event_type VARCHAR(100) NOT NULL,
    aggregate_id UUID NOT NULL,
    correlation_id UUID NOT NULL,
    causation_id UUID,
    occurred_at TIMESTAMPTZ NOT NULL,
    payload JSONB NOT NULL,
    published_at TIMESTAMPTZ
);

CREATE INDEX outbox_unpublished ON outbox (id) WHERE published_at IS NULL;
