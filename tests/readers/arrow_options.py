"""How pyarrow reads the columns, for itself and for pandas."""

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
