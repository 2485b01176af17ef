"""Reads files with pandas."""

import pandas
import pyarrow.csv

import arrow_options as options
from canonical import serve

TEXT_COLUMNS = ["event_id", "event_type", "aggregate_id", "source_service", "payload", "created_at"]


def rows(frame):
    """The types of a frame, and its rows."""
    types = frame.dtypes.to_dict()
    times = frame["created_at"]
    if pandas.api.types.is_datetime64_any_dtype(times.dtype):
        frame = frame.assign(created_at=times.astype("int64"))
    frame = frame.astype(object)
    return types, frame.where(frame.notna(), None).to_dict("records")


def moments(frame):
    return frame.assign(created_at=pandas.to_datetime(frame.created_at, utc=True, format="ISO8601"))


def csv_text_times(path):
    """NULL and empty text are one to it: here NULL in ids and is_dlt, empty in all else."""
    return pandas.read_csv(
        path,
        dtype={**dict.fromkeys(TEXT_COLUMNS, "str"), "is_dlt": "boolean"},
        true_values=["t"],
        false_values=["f"],
        keep_default_na=False,
        na_values={"aggregate_id": [""], "is_dlt": [""]},
    )


def csv_by_pyarrow(path):
    """NULL and empty text stay two."""
    convert = options.convert(options.CSV)
    table = pyarrow.csv.read_csv(path, parse_options=options.PARSE, convert_options=convert)
    return rows(table.cast(options.JSON).to_pandas())


def from_json(path, **more):
    """NDJSON or JSON of `--payload-as text`. Without dtype it would guess numbers and times."""
    return pandas.read_json(path, dtype=False, **more)


serve(
    {
        "csv": lambda path: rows(moments(csv_text_times(path))),
        "csv, times as text": lambda path: rows(csv_text_times(path)),
        "csv, by pyarrow": csv_by_pyarrow,
        "csv, guessed": lambda path: rows(pandas.read_csv(path)),
        "text payloads": lambda path: rows(moments(from_json(path, lines=True))),
        "text payloads, times as text": lambda path: rows(from_json(path, lines=True)),
        "text payloads, array": lambda path: rows(moments(from_json(path))),
        "json, guessed": lambda path: rows(pandas.read_json(path, lines=True)),
        "parquet": lambda path: rows(pandas.read_parquet(path)),
        "parquet, arrow types": lambda path: rows(
            pandas.read_parquet(path, dtype_backend="pyarrow")
        ),
        "parquet, hive": lambda path: rows(
            pandas.read_parquet(path, partitioning=options.hive(path))
        ),
    }
)
