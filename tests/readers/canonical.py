"""The form in which every reader prints rows: each value as text, NULL as null.

A reader's script has a table of ways to read. It takes one order a line on stdin:

    {"way": "csv", "path": "/tmp/events.csv"}

and answers with a line that names the types it sees and counts the rows, then a line for each row:

    {"types": "id BIGINT, payload JSON", "rows": 1}
    {"id": "1", "payload": "{}"}

or, where it can't be read, with the reason: {"error": "OverflowError: ..."}. Times are microseconds
since 1970.
"""

import json
import sys
import uuid


def text(value):
    """One value as text; None stays None."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return str(uuid.UUID(bytes=value))
    return str(value)


def answer(ways, order):
    """The lines of an answer."""
    try:
        types, rows = ways[order["way"]](order["path"])
        rows = [{name: text(value) for name, value in row.items()} for row in rows]
    except KeyboardInterrupt:
        raise
    # What a reader written in Rust panics with is no Exception.
    except BaseException as error:
        return [{"error": f"{type(error).__name__}: {error}"}]
    types = ", ".join(f"{name} {kind}" for name, kind in types.items())
    return [{"types": types, "rows": len(rows)}, *rows]


def serve(ways):
    """Answers the orders on stdin."""
    for line in sys.stdin:
        for answered in answer(ways, json.loads(line)):
            print(json.dumps(answered))
