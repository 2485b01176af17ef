"""Reads an object-centric event log with pm4py, and prints what it found as JSON.

    python tests/readers/ocel.py LOG [SCHEMA]

The log is first held against ocel.schema.json beside this file, and against SCHEMA, where one is
named: the published one is https://www.ocel-standard.org/2.0/ocel20-schema-json.json.
Exit code 1, and the first reasons on stderr, where it is not valid. Needs pm4py and jsonschema with
rfc3339-validator, without which no time is checked.
"""

import json
import sys
import warnings
from pathlib import Path

import jsonschema
import pm4py
import rfc3339_validator  # noqa: F401  jsonschema checks date-time only where it is there


def check(log, schema_path):
    schema = json.loads(Path(schema_path).read_text(encoding="utf-8"))
    validator = jsonschema.Draft7Validator(
        schema, format_checker=jsonschema.Draft7Validator.FORMAT_CHECKER
    )
    reasons = [
        f"{schema_path}: {error.json_path}: {error.message}" for error in validator.iter_errors(log)
    ]
    if reasons:
        sys.exit("\n".join(reasons[:10]))


def main(log_path, *schema_paths):
    log = json.loads(Path(log_path).read_text(encoding="utf-8"))
    for schema_path in [Path(__file__).with_name("ocel.schema.json"), *schema_paths]:
        check(log, schema_path)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*not unique.*")
        ocel = pm4py.read_ocel2_json(log_path)
    times = ocel.events[ocel.event_timestamp]
    found = {
        "events": len(ocel.events),
        "objects": len(ocel.objects),
        "relations": len(ocel.relations),
        "event_types": sorted(ocel.events[ocel.event_activity].unique()),
        "object_types": sorted(ocel.objects[ocel.object_type_column].unique()),
        "first": times.min().isoformat(timespec="microseconds") if len(times) else None,
        "last": times.max().isoformat(timespec="microseconds") if len(times) else None,
    }
    print(json.dumps(found, ensure_ascii=False))


if __name__ == "__main__":
    main(*sys.argv[1:])
