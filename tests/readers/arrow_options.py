"""How pyarrow reads the columns, for itself, pandas and deltalake."""

from pathlib import Path

import pyarrow
import pyarrow.csv
import pyarrow.dataset

MOMENT = pyarrow.timestamp("us", "UTC")
JSON = pyarrow.schema(
    {
        "id": pyarrow.int64(),
        "event_id": pyarrow.string(),
        "event_type": pyarrow.string(),
        "aggregate_id": pyarrow.string(),
        "source_service": pyarrow.string(),
        "is_dlt": pyarrow.bool_(),
        "payload": pyarrow.string(),
        "created_at": MOMENT,
    }
)
JSON_TEXT_TIMES = JSON.set(7, pyarrow.field("created_at", pyarrow.string()))
# CSV has no zone.
CSV = JSON.set(7, pyarrow.field("created_at", pyarrow.timestamp("us")))

PARSE = pyarrow.csv.ParseOptions(newlines_in_values=True)


def rows(table):
    """The types of a table, and its rows."""
    types = dict(zip(table.column_names, table.schema.types))
    place = table.column_names.index("created_at")
    column = table.column(place)
    if pyarrow.types.is_timestamp(column.type):
        # Python's own times end with the year 9999.
        table = table.set_column(place, "created_at", column.cast(pyarrow.int64()))
    return types, table.to_pylist()


def filtered(dataset):
    """All rows, each asked for by what it holds: what statistics hide by mistake is missing."""
    names = ["event_type", "is_dlt", "payload", "created_at"]
    held = dataset.to_table(names).group_by(names).aggregate([])
    found = []
    for values in zip(*held.columns):
        asked = pyarrow.dataset.scalar(True)
        for name, value in zip(names, values):
            field = pyarrow.dataset.field(name)
            asked &= field == value if value.is_valid else field.is_null()
        found.append(dataset.to_table(filter=asked))
    return pyarrow.concat_tables(found)


def convert(schema):
    return pyarrow.csv.ConvertOptions(
        column_types=schema,
        true_values=["t"],
        false_values=["f"],
        # "" is a text, and nothing between two commas NULL.
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )


def hive(path):
    """What the folders' names hold; said, because a folder may have no value at all."""
    name = next(Path(path).glob("*=*")).name.split("=")[0]
    kind = pyarrow.date32() if name == "date" else pyarrow.string()
    return pyarrow.dataset.partitioning(pyarrow.schema({name: kind}), flavor="hive")
