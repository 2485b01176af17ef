-- Times outside the years 1 to 9999 that 64 bits of microseconds since 1970 still hold.
SELECT gen_random_uuid(), 'Far', NULL::uuid, 's', false, '1'::jsonb, created_at, NULL::uuid
  FROM (VALUES
    ('4713-01-01 00:00:00 BC'::timestamp),
    ('0044-03-15 12:00:00 BC'),
    ('0001-12-31 23:59:59.999999 BC'),
    ('10000-01-01 00:00:00'),
    ('12026-01-01 00:00:00.000001'),
    ('294246-12-31 23:59:59.999999')
  ) AS far(created_at)
