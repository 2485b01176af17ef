-- What happens while Debezium looks on.
INSERT INTO orders VALUES (
    '7c1f6f1e-9a52-4a0e-8d5c-0d6b1d8f4711', 'C-4711', 12.34, 0.000123456789, '2026-02-28',
    '2026-02-28 23:59:59.999', '2026-02-28 23:59:59.999999', '2026-02-28 23:59:59.999999+01',
    '23:59:59.999', '23:59:59.999999', '23:59:59.999999+01', '1 day 2 hours', 0.1, 9007199254740993,
    true, '{"color": "red", "n": 1.10}', '\x00ff10', '{a,"b c"}', '{2026-02-28,1969-12-31}',
    '{1.10,2.20}'
);
INSERT INTO orders (id, customer, total, placed_on, at_millis, at_micros, at_zone, time_micros) VALUES (
    '00000000-0000-4000-8000-000000000002', 'C-OLD', -1234567890.12, '1969-12-31',
    '1969-12-31 23:59:59.999', '1969-12-31 23:59:59.999999', '0099-12-31 23:59:59+00', '00:00:00'
);
INSERT INTO orders (id, customer) VALUES ('00000000-0000-4000-8000-000000000003', 'C-NULLS');
UPDATE orders SET total = 9999999999.99 WHERE customer = 'C-4711';
DELETE FROM orders WHERE customer = 'C-NULLS';

INSERT INTO customers VALUES ('C-4711', 'Grace', 1000.00, '2020-01-01');
UPDATE customers SET credit = 0 WHERE code = 'C-4711';
UPDATE customers SET code = 'C-4712' WHERE code = 'C-4711';
INSERT INTO order_lines VALUES ('7c1f6f1e-9a52-4a0e-8d5c-0d6b1d8f4711', 1, 6.17);

-- The usual way of an outbox: what is in it is of no use once it is written.
BEGIN;
INSERT INTO outbox VALUES (
    '11111111-1111-4111-8111-111111111111', 'order', 'ORDER-4711', 'OrderPlaced',
    '{"total": 12.34, "lines": [{"price": 6.17}]}'
);
DELETE FROM outbox;
COMMIT;
INSERT INTO outbox VALUES (
    '22222222-2222-4222-8222-222222222222', 'order', 'ORDER-4712', 'OrderCancelled', '{}'
);
INSERT INTO outbox VALUES (
    '33333333-3333-4333-8333-333333333333', 'payment', '7c1f6f1e-9a52-4a0e-8d5c-0d6b1d8f4711',
    'PaymentTaken', NULL
);
INSERT INTO event_outbox VALUES (
    '44444444-4444-4444-8444-444444444444', 'order', 'ORDER-4713', 'OrderShipped',
    '{"carrier": "post"}', '2026-02-28 23:59:59.999999+00'
);
