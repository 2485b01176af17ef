-- The order service's own tables. Nobody else reads or writes them.

CREATE TABLE orders (
    id UUID PRIMARY KEY,
    customer_id UUID NOT NULL,
    total_amount NUMERIC(12,2) NOT NULL,
    currency VARCHAR(10) NOT NULL,
    status VARCHAR(30) NOT NULL CHECK (status IN ('CREATED', 'CONFIRMED', 'CANCELLED', 'SHIPPED', 'REFUNDED')),
    created_at TIMESTAMP NOT NULL DEFAULT NOW()
);

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
