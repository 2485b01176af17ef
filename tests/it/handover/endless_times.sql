-- Times that 64 bits of microseconds since 1970 do not hold.
SELECT gen_random_uuid(), event_type, NULL::uuid, 's', false, '1'::jsonb, created_at, NULL::uuid
  FROM (VALUES
    ('Never', 'infinity'::timestamp),
    ('Always', '-infinity'),
    ('Last', '294276-12-31 23:59:59.999999')
  ) AS endless(event_type, created_at)
