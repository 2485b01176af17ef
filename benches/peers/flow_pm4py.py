"""Holds `audit flow` against pm4py; README.md beside it tells how to run it."""

import collections
import datetime
import json
import random
import sys
import uuid

BEGIN = datetime.datetime(2026, 11, 20, tzinfo=datetime.timezone.utc)
OWN_TYPES = ["audit.Tombstone", "audit.Quarantined"]


def sequence(chance):
    """The types of an order's story, with the seconds to the next."""
    yield "OrderCreated", 0.4
    while chance.random() < 0.03:
        yield "OrderCreated", 0
    if chance.random() < 0.05:
        return
    if chance.random() < 0.1:
        yield "PaymentDeclined", 0.1
        yield "OrderCancelled", 60
        return
    yield "PaymentAuthorized", 0.2
    while chance.random() < 0.05:
        yield "PaymentAuthorized", 5
    if chance.random() < 0.02:
        yield 'Größe, "neu" → 注文', 3
    yield "OrderConfirmed", 3600
    if chance.random() < 0.5:
        yield "PaymentCaptured", 90000
    if chance.random() < 0.02:
        yield "OrderRefunded", 1


def write(stories):
    """Writes the records of a log for `sandbox produce`, one a line."""
    chance = random.Random(stories)
    new_id = lambda: str(uuid.UUID(int=chance.getrandbits(128), version=4))
    records = []
    for number in range(stories):
        began = BEGIN + datetime.timedelta(seconds=number * 3)
        kind = chance.random()
        order = f"order-{number}" if chance.random() < 0.5 else new_id()
        request = f"request {number}/ä" if chance.random() < 0.3 else new_id()
        at = began
        for event_type, seconds in sequence(chance):
            event = {
                "event_id": new_id(),
                "event_type": event_type,
                "occurred_at": at.isoformat(timespec="microseconds"),
                "payload": {"n": number},
            }
            if kind < 0.97:
                event["aggregate_id"] = order
            if kind > 0.1:
                event["correlation_id"] = request
            if kind > 0.99:
                # A story across aggregates; without any id, where it is the last.
                event.pop("aggregate_id", None)
            if kind > 0.995:
                event.pop("correlation_id", None)
            records.append((at, number, event))
            # Equal times are frequent.
            if chance.random() < 0.8:
                at += datetime.timedelta(microseconds=int(chance.expovariate(1 / (seconds * 1e6 + 1))))
    records.sort(key=lambda record: record[0] + datetime.timedelta(seconds=chance.random() * 100))
    again = chance.sample(records, len(records) // 50)
    # Second deliveries: soon, late, and of an event that claims to be of another story.
    for at, number, event in again:
        place = chance.randrange(len(records))
        if chance.random() < 0.3:
            event = event | {"correlation_id": f"request {chance.randrange(stories)}/ä"}
        records.insert(place, (at, number, event))
    for at, number, event in records:
        topic = "flow.payments" if event["event_type"].startswith("Payment") else "flow.orders"
        value = {"json": event}
        key = event.get("aggregate_id", event.get("correlation_id"))
        if chance.random() < 0.01:
            topic = "flow.orders-dlt"
        elif chance.random() < 0.005:
            value = None
        elif chance.random() < 0.005:
            value = json.dumps(event)[:-9]
        record = {"topic": topic, "partition": number % 3, "key": key, "value": value}
        print(json.dumps({"record": record}))


def seconds(value):
    return None if value is None else float(value)


def compare(csv, flow, variants):
    import pandas
    import pm4py

    log = pandas.read_csv(csv, keep_default_na=False, dtype=str)
    for name in ["id", "batch_no"]:
        log[name] = pandas.to_numeric(log[name]).fillna(2**62).astype("int64")
    steps = log[(log["is_dlt"] != "t") & ~log["event_type"].isin(OWN_TYPES)]
    steps = steps.sort_values(["batch_no", "id"]).drop_duplicates("event_id", keep="first")
    case = steps["correlation_id"].where(steps["correlation_id"] != "", "aggregate:" + steps["aggregate_id"])
    steps = steps.assign(case=case)[case != "aggregate:"]
    steps["created_at"] = pandas.to_datetime(steps["created_at"], format="ISO8601", utc=True)
    steps = steps.sort_values(["case", "created_at", "id"], kind="stable").reset_index(drop=True)
    events = pm4py.format_dataframe(steps, case_id="case", activity_key="event_type", timestamp_key="created_at")
    # What pm4py makes of it must be in the order of time, then of id.
    assert list(events["id"]) == list(steps["id"])

    graph, starts, ends = pm4py.discover_dfg(events)
    theirs = {(None, name): count for name, count in starts.items()}
    theirs |= {(name, None): count for name, count in ends.items()}
    theirs |= dict(graph)
    rows = json.load(open(flow))
    ours = {(row["from"], row["to"]): row["count"] for row in rows}
    assert ours == theirs, (set(ours.items()) ^ set(theirs.items()))

    # Every pair's times, from the same table.
    same = steps["case"] == steps["case"].shift(-1)
    pairs = pandas.DataFrame(
        {
            "from": steps["event_type"],
            "to": steps["event_type"].shift(-1),
            "micros": (steps["created_at"].shift(-1) - steps["created_at"]) / pandas.Timedelta(microseconds=1),
        }
    )[same]
    quantiles = pairs.groupby(["from", "to"])["micros"].quantile([0.5, 0.95])
    for row in rows:
        if row["from"] is None or row["to"] is None:
            assert row["p50_seconds"] is None and row["p95_seconds"] is None
            continue
        for part, name in [(0.5, "p50_seconds"), (0.95, "p95_seconds")]:
            expected = quantiles[(row["from"], row["to"], part)]
            assert abs(row[name] * 1e6 - expected) <= 0.51, (row, expected)

    theirs = {tuple(variant): count for variant, count in pm4py.get_variants(events).items()}
    rows = json.load(open(variants))
    ours = {tuple(row["variant"]): row["stories"] for row in rows}
    assert ours == theirs, (set(ours.items()) ^ set(theirs.items()))
    known = set(log["correlation"])
    assert all(row["example"] in known for row in rows)
    kinds = collections.Counter(log["is_dlt"])
    print(
        f"equal: {len(log)} rows ({kinds['t']} dead letters, {len(log) - log['event_id'].nunique()} second deliveries), "
        f"{steps['case'].nunique()} stories of {len(steps)} steps, {len(graph)} pairs, {len(starts)} first and "
        f"{len(ends)} last activities, {len(ours)} variants, {len(quantiles)} percentiles"
    )


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["write", stories]:
            write(int(stories))
        case ["compare", csv, flow, variants]:
            compare(csv, flow, variants)
        case _:
            sys.exit("write STORIES, or compare EXPORT.csv FLOW.json VARIANTS.json")
