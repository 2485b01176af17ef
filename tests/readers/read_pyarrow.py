"""Reads files with pyarrow."""

import pyarrow
import pyarrow.csv
import pyarrow.dataset
import pyarrow.json
import pyarrow.parquet

import arrow_options as options
from arrow_options import rows
from canonical import serve


def csv(schema):
    def way(path):
        convert = options.convert(schema)
        table = pyarrow.csv.read_csv(path, parse_options=options.PARSE, convert_options=convert)
        return rows(utc(table))

    return way


def utc(table):
    """CSV's times have no zone: they are UTC."""
    place = table.column_names.index("created_at")
    column = table.column(place)
    if column.type != pyarrow.timestamp("us"):
        return table
    return table.set_column(place, "created_at", column.cast(options.MOMENT))


def csv_folder(partitioning):
    form = pyarrow.dataset.CsvFileFormat(
        parse_options=options.PARSE, convert_options=options.convert(options.CSV)
    )

    def way(path):
        folder = pyarrow.dataset.dataset(path, format=form, partitioning=partitioning(path))
        return rows(utc(folder.to_table()))

    return way


def ndjson(schema):
    """NDJSON of `--payload-as text`."""
    parse = pyarrow.json.ParseOptions(explicit_schema=schema)
    return lambda path: rows(pyarrow.json.read_json(path, parse_options=parse))


def folder(partitioning):
    return lambda path: rows(
        pyarrow.dataset.dataset(path, partitioning=partitioning(path)).to_table()
    )


serve(
    {
        "csv": csv(options.CSV),
        "csv, times as text": csv(options.JSON_TEXT_TIMES),
        "csv, hive": csv_folder(options.hive),
        "csv, rotated": csv_folder(lambda path: None),
        "csv, guessed": lambda path: rows(pyarrow.csv.read_csv(path)),
        "text payloads": ndjson(options.JSON),
        "text payloads, times as text": ndjson(options.JSON_TEXT_TIMES),
        "json, guessed": lambda path: rows(pyarrow.json.read_json(path)),
        "parquet": lambda path: rows(pyarrow.parquet.read_table(path)),
        "parquet, filtered": lambda path: rows(options.filtered(pyarrow.dataset.dataset(path))),
        "parquet, hive": folder(options.hive),
        "parquet, hive, guessed": folder(lambda path: "hive"),
        "parquet, rotated": folder(lambda path: None),
    }
)
