# SPDX-License-Identifier: MPL-2.0
"""A node that keeps little: hundreds of candidates go through it, it is killed on the way, and what it has on its disk stays within
what node.yaml says. What can be gone back to, or nothing dominates, is all there, and the journal still proves itself."""
import os
import sys

sys.path.insert (0, os.path.join (os.path.dirname (os.path.abspath (__file__)), "..", "lib"))
from climb import EVALUATE, MANIFEST, START
from mesh import base32, expect, main, unpack, wait_for, write_agent

KEPT, EVENTS, RELEASES, ROUND, ROUNDS = 40, 150, 2, 75, 5
ELITE = 64  # of the one island: what is ranked stays
SLACK = 8
LATELY = 128 + 10  # contents that were put last stay until the next time; and the agent's own


def rows (node, table):
    with node.database () as store:
        return [unpack (bytes) for bytes, in store.execute ("SELECT bytes FROM %s ORDER BY number" % table)]


def counts (node):
    with node.database () as store:
        return {table: store.execute ("SELECT count (*) FROM " + table).fetchone ()[0]
                for table in ("journal", "checkpoint", "content", "event", "improvement", "candidate")}


def refs (node):
    listed = node.mesh.run ("git", "-C", os.path.join (node.dir, "archive.git"), "for-each-ref",
                            "--format=%(refname:lstrip=2)", "refs/evomesh/candidates").out
    return set (line.rpartition ("/")[2] for line in listed.split ())


def go_on (node, proposals):
    """Another start, which goes on to so many proposals."""
    node.config (proposals_max=proposals)
    node.start ()

    def is_through ():
        status = node.status ()
        return status and status["finished"] and not status["under_way"] and status["slots_busy"] == 0
    wait_for ("%s is through with %d proposals" % (node.name, proposals), is_through, 240)


def dominates (one, other):
    """The height is to be large, the cost small."""
    return one != other and one[0] >= other[0] and one[1] <= other[1]


def front (candidates):
    """Ids of those that nothing dominates; of equals the first."""
    seen, ids = set (), []
    valid = [(id, tuple (value for value, in metrics)) for id, _, ok, metrics, *_ in candidates if ok]
    for id, metrics in valid:
        if metrics not in seen and not any (dominates (other, metrics) for _, other in valid):
            ids.append (id)
        seen.add (metrics)
    return ids


def check_files (node, ids, what):
    """Each of these trees, and each file in it, is in the store."""
    with node.database () as store:
        contents = dict (store.execute ("SELECT id, bytes FROM content"))
    for id in ids:
        expect (id in contents, "%s %s lost its list of files" % (what, base32 (id)))
        for path, _, content, _ in unpack (contents[id])[1]:
            expect (content in contents, "%s %s lost %s" % (what, base32 (id), path))


def check (node):
    candidates = rows (node, "candidate")
    kept = [row[0] for row in candidates if not row[8]]
    check_files (node, kept, "a kept candidate")
    check_files (node, front (candidates), "one on the front,")
    releases = {id for row in rows (node, "snapshot") for id in (row[2], row[3])}
    check_files (node, releases, "release")
    replay = node.json ("replay")
    expect (replay["same"], "the journal doesn't replay: %s" % replay)
    return candidates, kept, replay


def a_node_that_keeps_little_stays_small_and_loses_nothing_that_matters (mesh):
    agent = write_agent (mesh.path ("climb"), MANIFEST, {"climb.txt": START, "evaluate": EVALUATE})
    node = mesh.node ("thrifty", "--seed", "7", agent=agent)
    node.config (slots=2, retention="{candidates: %d, journal: 1, events: %d, releases: %d}" % (KEPT, EVENTS, RELEASES))
    node.cli ("group", "create", "climbers")
    for round in range (1, ROUNDS + 1):
        go_on (node, ROUND * round)
        if round == 3:
            node.kill ()
            go_on (node, ROUND * round)
        digest = node.status ()["archive_digest"]
        node.stop ()
        candidates, kept, replay = check (node)
        expect (replay["archive_digest"] == digest, "the replay leads to another archive")
        found = counts (node)
        print ("    after %d proposals: %d candidates, %d with their files, %s" % (
            ROUND * round, len (candidates), len (kept), found), flush=True)
        bound = max (KEPT, ELITE + len (front (candidates)) + len (rows (node, "snapshot"))) + SLACK
        expect (len (kept) <= bound, "%d candidates have their files, %d at most should" % (len (kept), bound))
        if round > 2:
            expect (replay["from"] > 0, "the whole journal is there")
            expect (found["checkpoint"] == 2, "%d checkpoints" % found["checkpoint"])
        used = len (kept) + len (rows (node, "package")) + len (rows (node, "snapshot"))
        expect (found["content"] <= 2 * used + LATELY, "%d contents for %d trees" % (found["content"], used))
        laid_out = os.listdir (os.path.join (node.dir, "releases"))
        expect (len (laid_out) <= RELEASES + 1, "%d releases are laid out" % len (laid_out))
        expect (found["event"] <= EVENTS, "%d events after a stop" % found["event"])

    # what is gone says so
    dropped = [row for row in candidates if row[8]]
    expect (len (dropped) > ROUND, "few were dropped: %d" % len (dropped))
    known = {row[0]: row for row in rows (node, "improvement")}
    with node.database () as store:
        here = {id for id, in store.execute ("SELECT id FROM content")}
    gone = next (row for row in reversed (dropped) if row[6] in known and row[0] not in here)
    id, candidate = base32 (gone[6]), base32 (gone[0])
    told = "dropped by retention"
    expect (told in node.cli ("show", id).out, "show doesn't say that files were dropped")
    expect (node.json ("show", id)["files_dropped"], "show --json doesn't")
    expect ("files of %s were %s" % (candidate[:8], told) in node.cli ("diff", id, code=1).text, "diff doesn't")
    expect ("files dropped" in node.cli ("log", "--limit", "1000").out, "log doesn't")
    graph = {one["id"]: one["files_dropped"] for one in node.json ("log", "--graph", "--limit", "10000")}
    expect (all (graph[base32 (row[0])] == bool (row[8]) for row in candidates), "the graph says otherwise")

    # archive.git holds what is kept, and at most as much again; where it is being made anew, each start comes further with it
    node.config (proposers="[]")
    wanted = {base32 (row)[:8] for row in kept}

    def is_whole ():
        node.start ()
        node.status ()
        node.stop ()
        return wanted <= refs (node)
    wait_for ("archive.git holds all candidates that are kept", is_whole, 60)
    names = refs (node)
    expect (len (names) <= 2 * len (kept) + ELITE, "archive.git has %d refs for %d" % (len (names), len (kept)))

    # an early release can be gone back to
    first = rows (node, "snapshot")[0]
    node.start ()
    before = base32 (first[2])
    node.cli ("rollback", base32 (first[0])[:12], "--yes")
    wait_for ("the first release is live again", lambda: node.current () == before, 60)
    node.stop ()
    check (node)


main (a_node_that_keeps_little_stays_small_and_loses_nothing_that_matters)
