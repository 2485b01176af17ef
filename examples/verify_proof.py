#!/usr/bin/env python3
"""Checks a proof of `audit evidence prove`, or that two checkpoints are of one log.

    verify_proof.py PROOF --vkey KEY
    verify_proof.py --consistency OLD NEW --proof FILE --vkey KEY

It shares no code with audit: it was written from docs/evidence.md alone, for those who would rather
read a few hundred lines than trust a program. It needs Python 3.9 or newer and the package
`cryptography`, and asks neither a database nor a network. KEY is the verifier's key, or a file that holds it.

Exit codes: 0 proven, 1 refused (one line on stderr says why), 2 wrong usage.
"""

import argparse
import base64
import binascii
import hashlib
import json
import re
import sys
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

INT4 = range(-(2**31), 2**31)
INT8 = range(-(2**63), 2**63)
EPOCH = datetime(1970, 1, 1)
# The microseconds since 1970 of the years 1 to 9999, which are written as text.
YEARS_AS_TEXT = range(-62_135_596_800_000_000, 253_402_300_800_000_000)
MOST_NOTE_BYTES = 1_000_000
MOST_SIGNATURES = 100


class Refused(Exception):
    """What was given proves nothing; the message says why."""


# --- Canonical form: integers, fields, tuples -----------------------------------------------------


def int4(number):
    return number.to_bytes(4, "big", signed=True)


def int8(number):
    return number.to_bytes(8, "big", signed=True)


def field(content):
    """A field of these bytes; the null field of None."""
    return int4(-1) if content is None else int4(len(content)) + content


def tuple_of(fields):
    return len(fields).to_bytes(2, "big", signed=True) + b"".join(field(content) for content in fields)


# --- Trees: RFC 6962 and RFC 9162 -----------------------------------------------------------------


def leaf_hash(leaf):
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def inclusion_root(index, size, leaf, path):
    """The root that a path leads to from the hash of a leaf; None where the path doesn't fit
    (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return None
    place, last, root = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return None
        if place & 1 or place == last:
            root = node_hash(sibling, root)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        place, last = place >> 1, last >> 1
    return root if last == 0 else None


def is_consistent(old_size, old_root, new_size, new_root, path):
    """Whether the tree of the new root is that of the old one with more leaves behind it
    (RFC 9162, 2.1.4.2)."""
    if old_size == new_size:
        return old_root == new_root and not path
    if not 0 < old_size < new_size:
        return False
    if old_size & (old_size - 1) == 0:
        path = [old_root, *path]
    if not path:
        return False
    place, last = old_size - 1, new_size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and old == old_root and new == new_root


# --- JSON, strictly -------------------------------------------------------------------------------


class Number(str):
    """A number as it is written."""


def read_json(name, data):
    def members(pairs):
        read = {}
        for member, value in pairs:
            if member in read:
                raise Refused(f"{name}: the member {member!r} is repeated")
            read[member] = value
        return read

    def refuse(constant):
        raise Refused(f"{name}: {constant} is no JSON")

    try:
        return json.loads(
            data.decode("utf-8"),
            object_pairs_hook=members,
            parse_int=Number,
            parse_float=Number,
            parse_constant=refuse,
        )
    except UnicodeDecodeError as error:
        raise Refused(f"{name} is not UTF-8: {error}") from None
    except json.JSONDecodeError as error:
        raise Refused(f"{name} is not JSON: {error}") from None
    except RecursionError:
        raise Refused(f"{name} is nested too deeply") from None


def members_of(where, value, names):
    """The members of an object that has these, and no others."""
    if not isinstance(value, dict):
        raise Refused(f"{where} is no object")
    for name in names:
        if name not in value:
            raise Refused(f"{where}: the member {name!r} is missing")
    for name in value:
        if name not in names:
            raise Refused(f"{where}: the member {name!r} is unknown")
    return value


def integer(where, value, within):
    if not isinstance(value, Number) or not re.fullmatch(r"0|-?[1-9][0-9]*", value):
        raise Refused(f"{where} is no integer")
    # 2^63 has 19 digits.
    if len(value) > 20 or int(value) not in within:
        raise Refused(f"{where}: {value[:24]} is out of range")
    return int(value)


def text(where, value):
    """UTF-8 of a text."""
    if not isinstance(value, str) or isinstance(value, Number):
        raise Refused(f"{where} is no text")
    try:
        return value.encode("utf-8")
    except UnicodeEncodeError:
        raise Refused(f"{where} holds half of a surrogate pair") from None


def canonical_base64(where, characters):
    """Decodes base64 with padding, where no other text has the same meaning."""
    try:
        decoded = base64.b64decode(characters, validate=True)
    except (binascii.Error, ValueError):
        raise Refused(f"{where} is no base64") from None
    if base64.b64encode(decoded) != characters:
        raise Refused(f"{where} is not in the canonical form of base64")
    return decoded


def a_hash(where, value):
    decoded = canonical_base64(where, text(where, value))
    if len(decoded) != 32:
        raise Refused(f"{where} has {len(decoded)} bytes, a hash has 32")
    return decoded


def a_path(where, value):
    if not isinstance(value, list):
        raise Refused(f"{where} is no array")
    return [a_hash(f"{where}[{number}]", entry) for number, entry in enumerate(value)]


# --- Columns: the bytes of a field for what stands in JSON ----------------------------------------


def bigint(where, value):
    return int8(integer(where, value, INT8))


def an_int(where, value):
    return int4(integer(where, value, INT4))


def boolean(where, value):
    if not isinstance(value, bool):
        raise Refused(f"{where} is neither true nor false")
    return bytes([value])


def uuid(where, value):
    written = text(where, value)
    groups = rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    if not re.fullmatch(groups, written):
        raise Refused(f"{where} is no UUID in lower case with hyphens")
    return bytes.fromhex(written.decode().replace("-", ""))


def bytea(where, value):
    return canonical_base64(where, text(where, value))


def time(where, value):
    if isinstance(value, Number):
        microseconds = integer(where, value, INT8)
        if microseconds in YEARS_AS_TEXT:
            raise Refused(f"{where}: a time of the years 1 to 9999 is written as text")
        return int8(microseconds)
    written = text(where, value).decode()
    if written in ("-infinity", "infinity"):
        return bytes([written == "infinity"])
    parts = re.fullmatch(
        r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})\.([0-9]{6})Z", written
    )
    try:
        moment = datetime(*map(int, parts.groups()))
    except (AttributeError, ValueError):
        raise Refused(f"{where} is no time such as 2026-11-22T10:00:00.123456Z") from None
    return int8((moment - EPOCH) // timedelta(microseconds=1))


def or_null(column):
    return lambda where, value: None if value is None else column(where, value)


EVENT_LOGS = {
    "id": bigint,
    "event_id": uuid,
    "event_type": text,
    "aggregate_id": or_null(uuid),
    "source_service": or_null(text),
    "is_dlt": or_null(boolean),
    "payload": text,
    "created_at": time,
    "partition_id": or_null(an_int),
    "kafka_offset": or_null(bigint),
    "correlation_id": or_null(uuid),
    "attributes": or_null(text),
}
DEAD_LETTERS = {
    "event_log_id": bigint,
    "key": or_null(bytea),
    "value": or_null(bytea),
    "headers": text,
    "origin_topic": or_null(text),
    "origin_source": or_null(text),
    "origin_partition": or_null(an_int),
    "origin_offset": or_null(bigint),
    "origin_timestamp": or_null(time),
    "consumer_group": or_null(text),
    "exception_class": or_null(text),
    "exception_message": or_null(text),
    "stack_trace": or_null(text),
    "attempts": or_null(an_int),
    "replay_id": or_null(uuid),
    "replay_attempt": or_null(an_int),
}
BATCH = {
    "batch_no": bigint,
    "first_id": bigint,
    "last_id": bigint,
    "row_count": an_int,
    "recorded_at": time,
    "ingester": text,
    "row_root": a_hash,
    "record_root": or_null(a_hash),
    "min_created_at": or_null(time),
    "max_created_at": or_null(time),
    "counted": boolean,
}
RANGE = {
    "partition_id": an_int,
    "cluster_id": text,
    "topic": text,
    "topic_id": or_null(uuid),
    "partition": an_int,
    "incarnation": an_int,
    "first_offset": bigint,
    "next_offset": bigint,
    "row_count": an_int,
    "kind": text,
}
ADOPTED = {"adopted_at": time, "adopted_by": text}


def encoded(where, columns, members):
    return tuple_of([column(f"{where}.{name}", members[name]) for name, column in columns.items()])


def encode_row(row):
    members_of("row", row, [*EVENT_LOGS, "dead_letter"])
    letter = row["dead_letter"]
    if letter is None:
        return encoded("row", EVENT_LOGS, row) + tuple_of([])
    members_of("row.dead_letter", letter, DEAD_LETTERS)
    return encoded("row", EVENT_LOGS, row) + encoded("row.dead_letter", DEAD_LETTERS, letter)


def encode_batch(batch):
    members_of("batch", batch, [*BATCH, "ranges", "adopted"])
    adopted, ranges = batch["adopted"], batch["ranges"]
    if not isinstance(ranges, list):
        raise Refused("batch.ranges is no array")
    leaf = bytes([2 if adopted is None else 3]) + encoded("batch", BATCH, batch) + int4(len(ranges))
    for number, each in enumerate(ranges):
        where = f"batch.ranges[{number}]"
        leaf += encoded(where, RANGE, members_of(where, each, RANGE))
        if each["kind"] not in ("stored", "lost"):
            raise Refused(f"{where}.kind is neither stored nor lost")
    if adopted is not None:
        leaf += encoded("batch.adopted", ADOPTED, members_of("batch.adopted", adopted, ADOPTED))
    return leaf


# --- Keys and checkpoints -------------------------------------------------------------------------


class Key:
    """A verifier's key: name+id+base64, as in Go's note package."""

    FORM = re.compile(r"([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)")

    def __init__(self, given):
        if not given.startswith("PRIVATE+KEY") and not self.FORM.fullmatch(given):
            given = read_file("--vkey", given).decode("utf-8", "replace").strip()
        if given.startswith("PRIVATE+KEY"):
            raise Refused("--vkey holds the key that signs; give the verifier's key")
        form = self.FORM.fullmatch(given)
        if not form:
            raise Refused("--vkey is no verifier's key: name+id+base64")
        self.name, key_id, characters = form.groups()
        if not is_origin(self.name):
            raise Refused(f"--vkey: {self.name} is no origin of an audit")
        key = canonical_base64("--vkey", characters.encode())
        if len(key) != 33 or key[0] != 1:
            raise Refused("--vkey is no Ed25519 key")
        self.id = hashlib.sha256(self.name.encode() + b"\n" + key).digest()[:4]
        if self.id.hex() != key_id:
            raise Refused("--vkey is damaged: its id does not fit the rest")
        self.public = Ed25519PublicKey.from_public_bytes(key[1:])

    def is_valid(self, signature, signed):
        try:
            self.public.verify(signature, signed)
        except InvalidSignature:
            return False
        return True


def is_origin(name):
    form = r"audit/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(/([1-9][0-9]{0,9}))?"
    parts = re.fullmatch(form, name)
    return bool(parts) and int(parts[3] or 1) in INT4


class Checkpoint:
    """A checkpoint that the key has signed."""

    def __init__(self, name, note, key):
        if len(note) > MOST_NOTE_BYTES:
            raise Refused(f"{name} has more than {MOST_NOTE_BYTES} bytes")
        try:
            characters = note.decode("utf-8")
        except UnicodeDecodeError:
            raise Refused(f"{name} is not UTF-8") from None
        if any(character < " " and character != "\n" for character in characters):
            raise Refused(f"{name} holds control characters")
        signed, blank_line, signatures = characters.rpartition("\n\n")
        if not blank_line:
            raise Refused(f"{name} is no signed note: no empty line stands before signatures")
        self.check_signature(name, (signed + "\n").encode(), signatures, key)
        lines = signed.split("\n")
        if len(lines) != 3:
            raise Refused(f"{name} has {len(lines)} lines, a checkpoint has 3")
        self.origin, size, root = lines
        if self.origin != key.name:
            raise Refused(f"{name}: the origin is {self.origin}, not the key's name {key.name}")
        self.size = integer(f"the size in {name}", Number(size), range(1, 2**63))
        self.root = a_hash(f"the root in {name}", root)

    @staticmethod
    def check_signature(name, signed, signatures, key):
        *lines, rest = signatures.split("\n")
        if rest or not lines or len(lines) > MOST_SIGNATURES:
            raise Refused(f"{name}: something else than up to {MOST_SIGNATURES} signatures at its end")
        found = False
        for line in lines:
            parts = re.fullmatch("— ([^ ]+) ([A-Za-z0-9+/]+=*)", line)
            if not parts or "+" in parts[1] or any(map(str.isspace, parts[1])):
                raise Refused(f"{name}: something else than signatures at its end")
            signature = canonical_base64(f"{name}: a signature", parts[2].encode())
            if len(signature) < 5:
                raise Refused(f"{name}: a signature is too short")
            if parts[1] == key.name and signature[:4] == key.id:
                if not key.is_valid(signature[4:], signed):
                    raise Refused(f"{name}: the signature of {key.name} is wrong")
                found = True
        if not found:
            raise Refused(f"{name} is not signed with the key {key.name}+{key.id.hex()}")


# --- Proofs ---------------------------------------------------------------------------------------

PROOF = ["format", "row", "row_path", "batch", "leaf_index", "batch_path", "checkpoint"]
CONSISTENCY = ["format", "old_size", "new_size", "path"]


def check_format(proof, name):
    if proof["format"] != name:
        raise Refused(f"the format is not {name}")


def check_proof(proof, key):
    """What an inclusion proof proves, in words."""
    members_of("the proof", proof, PROOF)
    check_format(proof, "audit-proof/1")
    row, batch = proof["row"], proof["batch"]
    row_leaf, batch_leaf = encode_row(row), encode_batch(batch)
    row_path, batch_path = a_path("row_path", proof["row_path"]), a_path("batch_path", proof["batch_path"])
    leaf_index = integer("leaf_index", proof["leaf_index"], range(2**63))
    checkpoint = Checkpoint("checkpoint", text("checkpoint", proof["checkpoint"]), key)

    row_id, first_id, last_id = int(row["id"]), int(batch["first_id"]), int(batch["last_id"])
    row_count = int(batch["row_count"])
    if last_id - first_id + 1 != row_count:
        raise Refused("batch: row_count is not the number of ids from first_id to last_id")
    if not first_id <= row_id <= last_id:
        raise Refused(f"row {row_id} is not of the batch, whose rows are {first_id} to {last_id}")
    letter = row["dead_letter"]
    if letter is not None and int(letter["event_log_id"]) != row_id:
        raise Refused(f"the dead letter is of row {letter['event_log_id']}, not of {row_id}")
    place = stored_range(row, batch)
    if leaf_index >= checkpoint.size:
        raise Refused(f"leaf {leaf_index} is not in a log of {checkpoint.size} leaves")
    row_root = a_hash("batch.row_root", batch["row_root"])
    if inclusion_root(row_id - first_id, row_count, leaf_hash(row_leaf), row_path) != row_root:
        raise Refused("the row and row_path do not lead to the batch's row_root")
    root = inclusion_root(leaf_index, checkpoint.size, leaf_hash(batch_leaf), batch_path)
    if root != checkpoint.root:
        raise Refused("the batch and batch_path do not lead to the checkpoint's root")
    adopted = batch["adopted"]
    since = f", adopted at {adopted['adopted_at']}" if adopted else ""
    return (
        f"proven: event {row['event_id']} ({row['event_type']!r}) is row {row_id} of batch "
        f"{batch['batch_no']}, recorded at {batch['recorded_at']}{since}, from {place['topic']!r} "
        f"partition {place['partition']} offset {row['kafka_offset']}; "
        f"checkpoint of {checkpoint.size} leaves of {checkpoint.origin}"
    )


def stored_range(row, batch):
    """The range that the row's offset lies in."""
    if row["partition_id"] is None or row["kafka_offset"] is None:
        raise Refused("the row comes from no record of Kafka")
    offset = int(row["kafka_offset"])
    for each in batch["ranges"]:
        if int(each["partition_id"]) == int(row["partition_id"]) and each["kind"] == "stored":
            if int(each["first_offset"]) <= offset < int(each["next_offset"]):
                return each
    raise Refused(f"the offset {offset} lies in no stored range of the batch")


def check_consistency(proof, old, new):
    """What a consistency proof proves, in words."""
    members_of("the proof", proof, CONSISTENCY)
    check_format(proof, "audit-consistency/1")
    old_size = integer("old_size", proof["old_size"], range(2**63))
    new_size = integer("new_size", proof["new_size"], range(2**63))
    path = a_path("path", proof["path"])
    if (old_size, new_size) != (old.size, new.size):
        raise Refused(
            f"the proof is about {old_size} and {new_size} leaves, "
            f"the checkpoints about {old.size} and {new.size}"
        )
    if old_size > new_size:
        raise Refused("the old checkpoint is of more leaves than the new one")
    if not is_consistent(old_size, old.root, new_size, new.root, path):
        raise Refused("the log of the new checkpoint does not go on from that of the old one")
    return f"proven: {old.origin} with {new_size} leaves begins with its {old_size} leaves of before"


# --- The command line -----------------------------------------------------------------------------


def read_file(what, path):
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no name of a file"
        raise Refused(f"{what}: can't read {path!r}: {reason}") from None


def main():
    parser = argparse.ArgumentParser(description="Check a proof of audit, with nothing of audit.")
    parser.add_argument("inclusion", nargs="?", metavar="PROOF", help="an inclusion proof")
    parser.add_argument("--vkey", required=True, metavar="KEY", help="the verifier's key, or its file")
    parser.add_argument("--consistency", nargs=2, metavar=("OLD", "NEW"), help="two checkpoints")
    parser.add_argument("--proof", metavar="FILE", help="the consistency proof")
    given = parser.parse_args()
    if (given.inclusion is None) == (given.consistency is None):
        parser.error("name a PROOF, or --consistency OLD NEW")
    if (given.consistency is None) != (given.proof is None):
        parser.error("--consistency and --proof go together")
    try:
        key = Key(given.vkey)
        if given.inclusion is not None:
            proof = read_json("the proof", read_file("the proof", given.inclusion))
            proven = check_proof(proof, key)
        else:
            old, new = (Checkpoint(path, read_file(path, path), key) for path in given.consistency)
            proof = read_json("the proof", read_file("--proof", given.proof))
            proven = check_consistency(proof, old, new)
    except Refused as refusal:
        # Nothing that was read may speak to the terminal, or begin a line of its own.
        print(f"refused: {printable(str(refusal))}", file=sys.stderr)
        return 1
    print(printable(proven))
    return 0


def printable(line):
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in line)


if __name__ == "__main__":
    sys.exit(main())
