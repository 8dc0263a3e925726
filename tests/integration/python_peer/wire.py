# SPDX-License-Identifier: MPL-2.0
"""The bytes of the protocol, from docs/PROTOCOL.md alone: even the tables of messages and errors are read out of that text.

A message is a dict of its fields. Digests, keys and bytes are bytes; lists are lists of dicts.
"""
import hashlib
import math
import os
import re
import time

import msgpack
import nacl.exceptions
import nacl.signing

PROTOCOL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../docs/PROTOCOL.md")
ZERO = bytes(32)
SEAL_BYTES = 96
DEPTH_MAX = 8


class Refusal(Exception):
    """A statement, or a part of one, that doesn't hold: `name` is that of an error in the text."""

    def __init__(self, name, why=""):
        super().__init__(f"{name}: {why}")
        self.name = name


# --- the catalogue ---

class Field:
    def __init__(self, text):
        found = re.fullmatch(r"`(\w+)` (list of )?(\w+)(?: ≤ (\d+))?", text)
        assert found, text
        self.name, self.type = found[1], found[3]
        self.is_list = found[2] is not None
        self.bound = int(found[4]) if found[4] else None


class Kind:
    def __init__(self, number, name, row_class, way, fields):
        self.number, self.name, self.row_class, self.way, self.fields = number, name, row_class, way, fields


def _rows(text, mark):
    part = text.split(f"<!-- {mark}:begin -->")[1].split(f"<!-- {mark}:end -->")[0]
    for line in part.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        if line.startswith("|") and not set(line) <= set("|-"):
            yield cells


def _read_catalogue():
    with open(PROTOCOL, encoding="utf-8") as file:
        text = file.read()
    kinds, records, errors = {}, {}, {}
    for cells in _rows(text, "messages"):
        fields = [Field(part) for part in cells[-1].split(", ")] if "`" in cells[-1] else None
        if fields and len(cells) == 5:
            kind = Kind(int(cells[0]), cells[1], cells[2], cells[3], fields)
            kinds[kind.number] = kinds[kind.name] = kind
        elif fields and len(cells) == 2:
            records[cells[0]] = fields
    for cells in _rows(text, "errors"):
        if cells[0].isdigit():
            errors[int(cells[0])] = cells[1]
    assert kinds and records and errors
    return kinds, records, errors


KINDS, RECORDS, ERRORS = _read_catalogue()


# --- values ---

def _write_value(field, value):
    if field.is_list:
        return [write_fields(RECORDS[field.type], item) for item in value]
    if field.type == "real":
        return float(value)
    if field.type == "number":
        return None if value is None else float(value)
    return value


def write_fields(fields, values):
    assert set(values) == {field.name for field in fields}, set(values) ^ {field.name for field in fields}
    return [_write_value(field, values[field.name]) for field in fields]


def _check_text(value):
    for c in value:
        if (ord(c) < 32 or 0x7f <= ord(c) <= 0x9f) and c not in "\n\t":
            raise Refusal("malformed", "a control character")
    return len(value.encode())


def _read_value(field, value):
    wanted = {"uint": int, "real": float, "number": float, "digest": bytes, "key": bytes, "text": str, "bytes": bytes}
    if field.is_list:
        if not isinstance(value, list):
            raise Refusal("malformed", f"{field.name}: no list")
        if len(value) > field.bound:
            raise Refusal("bound", field.name)
        return [read_fields(RECORDS[field.type], item) for item in value]
    if field.type == "number" and value is None:
        return None
    if type(value) is not wanted[field.type]:
        raise Refusal("malformed", f"{field.name}: found {type(value).__name__}, expected {field.type}")
    if field.type in ("digest", "key"):
        if len(value) != 32:
            raise Refusal("malformed", f"{field.name}: {len(value)} bytes")
        return value
    if isinstance(value, float) and not math.isfinite(value):
        raise Refusal("malformed", f"{field.name}: not finite")
    if isinstance(value, int) and value < 0:
        raise Refusal("malformed", f"{field.name}: negative")
    size = _check_text(value) if isinstance(value, str) else len(value) if isinstance(value, bytes) else value
    if field.bound is not None and size > field.bound:
        raise Refusal("bound", field.name)
    return value


def read_fields(fields, row):
    if not isinstance(row, list) or len(row) != len(fields):
        raise Refusal("malformed", "another number of fields")
    return {field.name: _read_value(field, value) for field, value in zip(fields, row)}


def _depth(value):
    return 1 + max(map(_depth, value), default=0) if isinstance(value, list) else 0


def unpack(data):
    """msgpack, strictly: what was read must be what would be written."""
    try:
        value = msgpack.unpackb(data, raw=False, strict_map_key=False)
        if pack(value) != data or _depth(value) > DEPTH_MAX:
            raise Refusal("malformed", "not in the shortest form")
    except Refusal:
        raise
    except Exception as problem:  # msgpack raises many kinds, all meaning the same here
        raise Refusal("malformed", str(problem)) from None
    return value


def pack(value):
    return msgpack.packb(value, use_bin_type=True)


def unpack_record(name, data):
    return read_fields(RECORDS[name], unpack(data))


# --- statements ---

def digest(*parts):
    return hashlib.blake2b(b"".join(parts), digest_size=32).digest()


def now_ms():
    return time.time_ns() // 1000000


def signed_bytes(body):
    return b"evomesh/1 %d %d " % (body[1], len(body)) + body


class Statement:
    """A body and its seal; read (and then `fields` is there) only after the signature was found good."""

    def __init__(self, body, seal):
        self.body, self.seal = body, seal
        self.author = seal[64:]
        self.id = digest(body, seal)
        self.packed = body + seal
        self.fields = None

    def read_head(self):
        if len(self.body) < 2 or self.body[0] != 0x96 or not 1 <= self.body[1] <= 127:
            raise Refusal("malformed", "not a body")
        self.kind = KINDS.get(self.body[1])
        if self.kind is None:
            raise Refusal("kind", str(self.body[1]))
        row = unpack(self.body)
        if not isinstance(row, list) or len(row) != 6 or not all(type(row[i]) is int for i in (0, 2, 3, 4)) or \
           type(row[1]) is not bytes or len(row[1]) != 32:
            raise Refusal("malformed", "head")
        self.group, self.epoch, self.seq, self.time_ms, self.row = row[1:]
        return self

    def verify(self):
        try:
            nacl.signing.VerifyKey(self.author).verify(signed_bytes(self.body), self.seal[:64])
        except (nacl.exceptions.BadSignatureError, ValueError):
            raise Refusal("signature") from None
        return self

    def read(self):
        self.fields = read_fields(self.kind.fields, self.row)
        return self

    def __getitem__(self, name):
        return self.fields[name]


def say(key, name, group, epoch, seq, fields, time_ms=None):
    """A new statement, signed with `key` (a nacl.signing.SigningKey)."""
    kind = KINDS[name]
    body = pack([kind.number, group, epoch, seq, now_ms() if time_ms is None else time_ms, write_fields(kind.fields, fields)])
    seal = key.sign(signed_bytes(body)).signature + bytes(key.verify_key)
    return Statement(body, seal).read_head()


def split(packed):
    """The statement in a packed one."""
    if len(packed) <= SEAL_BYTES:
        raise Refusal("malformed", "too short")
    return Statement(packed[:-SEAL_BYTES], packed[-SEAL_BYTES:])


def open_packed(packed, *names):
    """A packed statement of one of those kinds, verified and read."""
    statement = split(packed).read_head().verify().read()
    if statement.kind.name not in names:
        raise Refusal("kind", f"found {statement.kind.name}")
    return statement
