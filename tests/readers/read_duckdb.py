"""Reads files with DuckDB."""

import duckdb

from canonical import serve

connection = duckdb.connect()
# Only how times are shown depends on it.
connection.execute("SET TimeZone = 'UTC'")

COLUMNS = {
    "id": "BIGINT",
    "event_id": "UUID",
    "event_type": "VARCHAR",
    "aggregate_id": "UUID",
    "source_service": "VARCHAR",
    "is_dlt": "BOOLEAN",
    "payload": "JSON",
    "created_at": "TIMESTAMPTZ",
}
TEXT_TIMES = {**COLUMNS, "created_at": "VARCHAR"}
# In JSON, JSON in a text is a text.
TEXT_PAYLOADS = {**COLUMNS, "payload": "VARCHAR"}
TEXTS = {**TEXT_TIMES, "payload": "VARCHAR"}
# "" is a text, and nothing between two commas NULL.
CSV = "header = true, delim = ',', quote = '\"', escape = '\"', nullstr = '', allow_quoted_nulls = false"
HIVE = "hive_partitioning = true"
# A type may be called 0012.
HIVE_TEXTS = f"{HIVE}, hive_types_autocast = false"


def read(query):
    """What a query gives."""
    relation = connection.sql(query)
    types = dict(zip(relation.columns, relation.types))
    if str(types.get("created_at")).startswith("TIMESTAMP"):
        micros = """
            CASE WHEN isfinite(created_at) THEN CAST(epoch_us(created_at) AS VARCHAR)
                 ELSE CAST(created_at AS VARCHAR) END"""
        relation = connection.sql(f"SELECT * REPLACE ({micros} AS created_at) FROM ({query})")
    return types, [dict(zip(relation.columns, row)) for row in relation.fetchall()]


def csv(columns):
    return lambda path: read(f"FROM read_csv('{path}', columns = {columns}, {CSV})")


def csv_before_christ(path):
    """DuckDB has BC in brackets, behind the day."""
    time = r"CAST(regexp_replace(created_at, '^(\S+) (.*) BC$', '\1 (BC) \2') AS TIMESTAMPTZ)"
    source = f"read_csv('{path}', columns = {TEXT_TIMES}, {CSV})"
    return read(f"SELECT * REPLACE ({time} AS created_at) FROM {source}")


def csv_hive(path):
    return read(f"FROM read_csv('{path}/*/*', columns = {COLUMNS}, {CSV}, {HIVE_TEXTS})")


def json(path):
    return read(f"FROM read_json('{path}', columns = {COLUMNS})")


def text_payloads(path, columns=TEXT_PAYLOADS):
    """JSON of `--payload-as text`: the payload is as exact as in the table."""
    source = f"read_json('{path}', columns = {columns})"
    return read(f"SELECT * REPLACE (CAST(payload AS JSON) AS payload) FROM {source}")


def text_payloads_hive(path):
    source = f"read_json('{path}/*/*', columns = {TEXT_PAYLOADS}, {HIVE_TEXTS})"
    return read(f"SELECT * REPLACE (CAST(payload AS JSON) AS payload) FROM {source}")


def parquet_filtered(path):
    """All rows, asked for by type and time: what statistics hide by mistake is missing."""
    source = f"read_parquet('{path}')"
    held = connection.sql(f"SELECT DISTINCT event_type, epoch_us(created_at) FROM {source}")
    found = []
    for event_type, micros in held.fetchall():
        asked = connection.execute(
            f"""SELECT * REPLACE (epoch_us(created_at) AS created_at) FROM {source}
                 WHERE event_type = ? AND created_at = make_timestamptz(?)""",
            [event_type, micros],
        )
        names = [column[0] for column in asked.description]
        found.extend(dict(zip(names, row)) for row in asked.fetchall())
    return {}, found


serve(
    {
        "csv": csv(COLUMNS),
        "csv, times as text": csv(TEXT_TIMES),
        "csv, before Christ": csv_before_christ,
        "csv, hive": csv_hive,
        "csv, guessed": lambda path: read(f"FROM read_csv('{path}')"),
        "json": json,
        "json, guessed": lambda path: read(f"FROM read_json('{path}')"),
        "text payloads": text_payloads,
        "text payloads, times as text": lambda path: text_payloads(path, TEXTS),
        "text payloads, hive": text_payloads_hive,
        "parquet": lambda path: read(f"FROM read_parquet('{path}')"),
        "parquet, filtered": parquet_filtered,
        "parquet, hive": lambda path: read(f"FROM read_parquet('{path}/*/*.parquet', {HIVE_TEXTS})"),
        "parquet, hive, guessed": lambda path: read(f"FROM read_parquet('{path}/*/*.parquet', {HIVE})"),
        "amounts": lambda path: read(f"SELECT id, payload->>'$.amount' AS amount FROM '{path}'"),
    }
)
