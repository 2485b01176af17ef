-- Rows that formats and readers stumble over, one thing a row. All of them fit into every format.
SELECT gen_random_uuid(), event_type, aggregate_id, source_service, is_dlt, payload, created_at, NULL::uuid
  FROM (VALUES
    ('Plain', '00000000-0000-4000-8000-00000000000a'::uuid, 'order-service', false,
        '{"amount": 12.50, "currency": "EUR"}'::jsonb, '2026-11-22 10:00:00'::timestamp),
    -- NULL against empty text, and against texts that mean NULL somewhere.
    ('', NULL, '', true, '""', '2026-11-22 10:00:00.5'),
    ('No service', NULL, NULL, NULL, 'null', '2026-11-22 10:00:00.000001'),
    ('NULL', '00000000-0000-0000-0000-000000000000', 'null', false, '"null"', '2026-11-22'),
    ('NA', 'ffffffff-ffff-ffff-ffff-ffffffffffff', 'NaN', NULL, '"NaN"', '2026-11-22'),
    ('None', NULL, '\N', true, '{"a": null}', '2026-11-22'),
    -- Texts that are numbers, truth or times to a reader that guesses.
    ('0012', NULL, '1e5', false, '"0012"', '2026-11-22'),
    ('true', NULL, 'F', true, '"true"', '2026-11-22'),
    ('2026-11-22', NULL, '2026-11-22T10:00:00Z', false, '"2026-11-22T10:00:00Z"', '2026-11-22'),
    ('Infinity', NULL, '-inf', false, '"Infinity"', '2026-11-22'),
    -- Quotes, ends of lines, and what ends a COPY.
    (E'a,b"c\nd\re\tf', NULL, E'line\r\nline', false, '{"text": "a,\"b\"\n\r\n\\"}', '2026-11-22'),
    ('"', NULL, '''', false, '"\""', '2026-11-22'),
    (',', NULL, ';', false, '[","]', '2026-11-22'),
    (E'\n', NULL, E'\r', false, '"\n"', '2026-11-22'),
    ('\.', NULL, E'before\n\\.\nafter', false, '"\\."', '2026-11-22'),
    ('back\slash\', NULL, '\"', false, '"\\\" \\n"', '2026-11-22'),
    (' white space ', NULL, E'\t', false, '" "', '2026-11-22'),
    ('#comment', NULL, '//comment', false, '"--"', '2026-11-22'),
    -- Formulas.
    ('=1+1', NULL, '@SUM(A1)', false, '"=cmd|'' /C calc''!A0"', '2026-11-22'),
    ('+1', NULL, '-1', false, '"-1"', '2026-11-22'),
    -- Unicode: emoji, right to left, marks that combine, controls, what is no character.
    ('日本 👋🏽 👩‍👩‍👧', NULL, 'שלום עולם', false, '{"日本": "👋🏽"}', '2026-11-22'),
    (E'e\u0301 \u1e9b\u0323', NULL, E'\u00e9', false, '"e\u0301"', '2026-11-22'),
    (E'\u001b[31m\u009b\u202e\u0085', NULL, E'\u0001\u001f\u007f', false, '"\u0001\u001b\u007f\u0085\u009b"', '2026-11-22'),
    (E'\ufeff\u2028\u2029', NULL, E'\uffff\U0010ffff', false, '"\ufeff\u2028\uffff"', '2026-11-22'),
    -- Names of folders.
    ('a/b', NULL, '/', false, '1', '2026-11-22'),
    ('a=b', NULL, '=', false, '1', '2026-11-22'),
    ('100 % of/it', NULL, '%2F', false, '1', '2026-11-22'),
    ('..', NULL, '.', false, '1', '2026-11-22'),
    ('__HIVE_DEFAULT_PARTITION__', NULL, '__HIVE_DEFAULT_PARTITION__', false, '1', '2026-11-22'),
    ('_hidden', NULL, '.hidden', false, '1', '2026-11-22'),
    ('*?[a]{b}', NULL, '~', false, '1', '2026-11-22'),
    (repeat('é/', 50), NULL, repeat('x', 100), false, '1', '2026-11-22'),
    (repeat('👋', 100), NULL, repeat('日', 100), false, '1', '2026-11-22'),
    -- Numbers that are no double.
    ('Numbers', NULL, 's', false, '1e400', '2026-11-22'),
    ('Numbers', NULL, 's', false, '{"n": -1e-400, "m": 1e400, "zero": -0.0}', '2026-11-22'),
    ('Numbers', NULL, 's', false, '1234567890123456789012345678901234567890', '2026-11-22'),
    ('Numbers', NULL, 's', false, '{"n": 1234567890123456789012345678901234567890.10}', '2026-11-22'),
    ('Numbers', NULL, 's', false, '[9007199254740993, 18446744073709551616, 0.1, 0.10, 1.0]', '2026-11-22'),
    -- Deep and wide JSON, and members that need escapes.
    ('Deep', NULL, 's', false, (repeat('[', 1000) || repeat(']', 1000))::jsonb, '2026-11-22'),
    ('Deep', NULL, 's', false, (repeat('{"a":', 1000) || '1' || repeat('}', 1000))::jsonb, '2026-11-22'),
    ('Long', NULL, 's', false, to_jsonb(repeat('"', 100000)), '2026-11-22'),
    ('Members', NULL, 's', false, '{"": {"": ""}, "a\"b\n": [], "payload": {}, "$.a": "👋\/"}', '2026-11-22'),
    -- The first and last microseconds of the years 1 to 9999, and of 1970.
    ('Time', NULL, 's', false, '1', '0001-01-01 00:00:00'),
    ('Time', NULL, 's', false, '1', '0001-01-01 00:00:00.000001'),
    ('Time', NULL, 's', false, '1', '1969-12-31 23:59:59.999999'),
    ('Time', NULL, 's', false, '1', '1970-01-01 00:00:00'),
    ('Time', NULL, 's', false, '1', '1677-09-21 00:12:43.145224'),
    ('Time', NULL, 's', false, '1', '2262-04-11 23:47:16.854776'),
    ('Time', NULL, 's', false, '1', '9999-12-31 23:59:59.999999')
  ) AS odd(event_type, aggregate_id, source_service, is_dlt, payload, created_at)
