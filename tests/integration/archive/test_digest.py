# SPDX-License-Identifier: MPL-2.0
"""One digest over all candidates and verdicts: with one slot the same in each run with the same seed, whoever the node is; with
several slots the journal replays to what the node itself says. And it is what docs/ARCHITECTURE.md says it is."""
import os
import struct
import sys

sys.path.insert (0, os.path.join (os.path.dirname (os.path.abspath (__file__)), "..", "lib"))
from climb import lone
from mesh import base32, blake2b, expect, main, unpack

PROPOSALS = 30


def replayed (node):
    replay = node.json ("replay")
    expect (replay["same"], "the journal of %s gives other effects" % node.name)
    return replay["archive_digest"]


def rows (node):
    """What each candidate's row says, but for the text, the improvement's id and the time: these are the run's own."""
    with node.database () as store:
        packed = [unpack (bytes) for bytes, in store.execute ("SELECT bytes FROM candidate ORDER BY number")]
    return [row[:5] for row in packed]


def msgpack (value):
    """The encodings that an entry needs."""
    if isinstance (value, list):
        return bytes ([0x90 + len (value)]) + b"".join (map (msgpack, value))
    if isinstance (value, bytes):
        return b"\xc4" + bytes ([len (value)]) + value
    if isinstance (value, float):
        return b"\xcb" + struct.pack (">d", value)
    return bytes ([value])


def digest (rows):
    chain = bytes (32)
    for id, parents, valid, metrics, reason in rows:
        entry = [id, [parent for parent, in parents], valid, [value for value, in metrics], reason]
        chain = blake2b (chain + msgpack (entry))
    return base32 (chain)


def with_one_slot_a_seed_gives_the_same_archive_each_time (mesh):
    one, two = lone (mesh, "one", 7, 1, PROPOSALS), lone (mesh, "two", 7, 1, PROPOSALS)
    expect (one.id != two.id, "they are two nodes")
    expect (one.status ()["applied"] > 0, "nothing was applied, which would be too easy: %s" % one.status ())
    expect (len (rows (one)) > PROPOSALS / 2, "few candidates: %d" % len (rows (one)))
    expect (rows (one) == rows (two), "other candidates:\n%s\n%s" % (rows (one), rows (two)))
    expect (one.status ()["archive_digest"] == two.status ()["archive_digest"] == replayed (one) == replayed (two),
            "the digests differ")
    expect (replayed (one) == digest (rows (one)), "the digest isn't the chain over the rows")
    other = lone (mesh, "other", 8, 1, PROPOSALS)
    expect (replayed (other) != replayed (one), "another seed gives the same archive")


def with_several_slots_the_journal_replays_to_the_node_s_digest (mesh):
    node = lone (mesh, "wide", 7, 3, PROPOSALS)
    live = node.status ()["archive_digest"]
    node.stop ()
    expect (replayed (node) == live, "the replay comes to another archive")
    node.start ()
    expect (node.status ()["archive_digest"] == live, "after a restart the node says another digest")


main (with_one_slot_a_seed_gives_the_same_archive_each_time, with_several_slots_the_journal_replays_to_the_node_s_digest)
