"""Reads files with Polars."""

import polars

from canonical import serve

TEXT = polars.String
CSV = {
    "id": polars.Int64,
    "event_id": TEXT,
    "event_type": TEXT,
    "aggregate_id": TEXT,
    "source_service": TEXT,
    # PostgreSQL writes t and f.
    "is_dlt": TEXT,
    "payload": TEXT,
    "created_at": TEXT,
}
JSON = {**CSV, "is_dlt": polars.Boolean}
MOMENTS = polars.col("created_at").str.to_datetime(time_unit="us", time_zone="UTC")


def rows(frame):
    """The types of a frame, and its rows."""
    types = frame.schema
    if isinstance(types["created_at"], polars.Datetime):
        # Python's own times end with the year 9999.
        frame = frame.with_columns(polars.col("created_at").to_physical())
    return types, frame.rows(named=True)


def csv(path):
    frame = polars.read_csv(path, schema_overrides=CSV)
    return rows(frame.with_columns(polars.col("is_dlt") == "t", MOMENTS))


def csv_text_times(path):
    frame = polars.read_csv(path, schema_overrides=CSV)
    return rows(frame.with_columns(polars.col("is_dlt") == "t"))


def ndjson(path):
    """NDJSON of `--payload-as text`."""
    return rows(polars.read_ndjson(path, schema_overrides=JSON).with_columns(MOMENTS))


def ndjson_text_times(path):
    return rows(polars.read_ndjson(path, schema_overrides=JSON))


def json(path):
    """JSON of `--payload-as text`."""
    return rows(polars.read_json(path, schema_overrides=JSON).with_columns(MOMENTS))


def hive(path):
    return rows(polars.read_parquet(f"{path}/**/*.parquet", hive_partitioning=True))


def filtered(lazy):
    """All rows, asked for by type and time: what statistics hide by mistake is missing."""
    held = lazy.select("event_type", "created_at").unique().collect()
    asked = [
        lazy.filter(
            polars.col("event_type") == event_type,
            polars.col("created_at") == polars.lit(micros).cast(polars.Datetime("us", "UTC")),
        )
        for event_type, micros in zip(held["event_type"], held["created_at"].to_physical())
    ]
    return rows(polars.concat(polars.collect_all(asked)))


serve(
    {
        "csv": csv,
        "csv, times as text": csv_text_times,
        "csv, guessed": lambda path: rows(polars.read_csv(path)),
        "text payloads": ndjson,
        "text payloads, times as text": ndjson_text_times,
        "text payloads, array": json,
        "json, guessed": lambda path: rows(polars.read_ndjson(path)),
        "parquet": lambda path: rows(polars.read_parquet(path)),
        "parquet, filtered": lambda path: filtered(polars.scan_parquet(path)),
        "parquet, hive": hive,
        "delta": lambda path: rows(polars.read_delta(path)),
        "delta, filtered": lambda path: filtered(polars.scan_delta(path)),
    }
)
