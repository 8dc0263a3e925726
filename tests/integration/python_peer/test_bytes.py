#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""The text and the code say the same: from docs/PROTOCOL.md alone every golden message is made again to the byte, and each
bound in the text is that of protocol/limits.h.

usage: test_bytes.py SOURCE-DIR
"""
import json
import os
import re
import sys

import nacl.signing

import wire


def fields_of(kind_fields, values):
    """The golden file's fields: bytes stand there in hexadecimal."""
    out = {}
    for field in kind_fields:
        value = values[field.name]
        if field.is_list:
            value = [fields_of(wire.RECORDS[field.type], item) for item in value]
        elif field.type in ("digest", "key", "bytes"):
            value = bytes.fromhex(value)
        out[field.name] = value
    return out


def test_golden(root):
    with open(os.path.join(root, "tests/golden/messages.json"), encoding="utf-8") as file:
        golden = json.load(file)
    kinds = set()
    for one in golden:
        if "body" not in one or one.get("kind") not in wire.KINDS:
            continue
        kind, head = wire.KINDS[one["kind"]], one["head"]
        key = nacl.signing.SigningKey(bytes.fromhex(one["seed"]))
        fields = fields_of(kind.fields, one["fields"])
        said = wire.say(key, kind.name, bytes.fromhex(head["group"]), head["epoch"], head["seq"], fields, head["time_ms"])
        assert said.body.hex() == one["body"], f"{kind.name}, {one['sample']}: another body"
        assert said.seal.hex() == one["seal"] and said.id.hex() == one["id"], f"{kind.name}: another seal or id"
        assert wire.open_packed(said.packed, kind.name).fields == fields, f"{kind.name}: not read as it was written"
        kinds.add(kind.number)
    missing = {kind.name for kind in wire.KINDS.values()} - {wire.KINDS[number].name for number in kinds}
    assert not missing, f"no golden message of {missing}"
    return len(golden)


def numbers_of(text):
    """#define NAME number, in bytes or milliseconds."""
    found = {}
    text = re.sub(r"UINT64_C \((\d+)\)", r"\1", text)
    for name, value in re.findall(r"^#define\s+(\w+)\s+(\(?[0-9][0-9*< ]*\)?)", text, re.M):
        found[name] = eval(value)  # digits, stars, shifts and parentheses
    return found


def test_bounds(root):
    with open(os.path.join(root, "protocol/limits.h"), encoding="utf-8") as file:
        limits = numbers_of(file.read())
    with open(wire.PROTOCOL, encoding="utf-8") as file:
        text = file.read()
    rows = re.findall(r"^\| `([A-Z_]+)` \| (\d+) \|", text, re.M)
    assert len(rows) > 20, "the table of bounds is gone"
    for name, value in rows + re.findall(r"(?:`([A-Z_]+)`) (?:of )?(\d{3,})", text):
        assert limits.get(name) == int(value), f"{name}: the text says {value}, limits.h {limits.get(name)}"
    for value, name in re.findall(r"(\d+)(?: ms| bytes| files)? \(`([A-Z_]+)`\)", text):
        assert limits.get(name) == int(value), f"{name}: the text says {value}, limits.h {limits.get(name)}"
    return len(rows)


if __name__ == "__main__":
    print(f"{test_golden(sys.argv[1])} golden messages and {test_bounds(sys.argv[1])} bounds hold")
