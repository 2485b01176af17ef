"""Reads Delta Lake tables with deltalake, and through it with pyarrow and pandas."""

from deltalake import DeltaTable

import arrow_options
from canonical import serve




def by_pyarrow(path):
    return arrow_options.rows(DeltaTable(path).to_pyarrow_table())


def by_pyarrow_filtered(path):
    return arrow_options.rows(arrow_options.filtered(DeltaTable(path).to_pyarrow_dataset()))


def by_pandas(path):
    frame = DeltaTable(path).to_pandas()
    types = frame.dtypes.to_dict()
    frame = frame.assign(created_at=frame.created_at.astype("int64")).astype(object)
    return types, frame.where(frame.notna(), None).to_dict("records")


serve(
    {
        "delta": by_pyarrow,
        "delta, filtered": by_pyarrow_filtered,
        "delta, by pandas": by_pandas,
    }
)
