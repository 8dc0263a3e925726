# SPDX-License-Identifier: MPL-2.0
"""Kill -9 at each step of a run: what is resumed comes to the very archive of a run that nobody disturbed, and no evaluation that had
ended is made again.

A step is a result in the journal: a proposal, a measurement, a snapshot, a switch of the release. The node is killed as soon as the
next one is on its disk. With one slot, one seed and an exact evaluator a run gives one list of results and one archive digest.
"""
import os
import sys
import time

sys.path.insert (0, os.path.join (os.path.dirname (os.path.abspath (__file__)), "..", "lib"))
from climb import founded, is_through, lone
from mesh import SECONDS, expect, main, unpack

PROPOSALS = 8
PROPOSED, EVALUATED, SNAPSHOT_TAKEN, APPLIED, RESTORED = 6, 7, 10, 11, 12  # node/event.h


def results (node):
    """What jobs came to, in order, but for the clocks and what a run took."""
    with node.database () as store:
        entries = [unpack (event) for event, in store.execute ("SELECT event FROM journal ORDER BY number")]
    told = []
    for kind, _, _, *fields in entries:
        if kind == PROPOSED:
            told.append (("proposed", *fields[1:4]))
        elif kind == EVALUATED:
            told.append (("evaluated", fields[1], str (fields[2])))
        elif kind in (SNAPSHOT_TAKEN, APPLIED, RESTORED):
            told.append (("switched", kind, fields[1]))
    return told


def one_step (node, count):
    """Runs the node until it has one result more, and kills it there; or until it is through with all. Returns how many there are."""
    node.start (ready=None)
    until, look = time.monotonic () + SECONDS, time.monotonic () + 1
    while len (results (node)) == count:
        now = time.monotonic ()
        if now > look and is_through (node):
            return count
        look = now + 1 if now > look else look
        expect (now < until, "%s makes no step beyond %s" % (node.name, results (node)[-1:]))
    node.kill ()
    return len (results (node))


def killed_at_each_step_it_comes_to_the_same_archive (mesh):
    calm = lone (mesh, "calm", 7, 1, PROPOSALS)
    expect (calm.status ()["applied"] > 0, "nothing was applied, which would be too easy: %s" % calm.status ())
    wanted = results (calm)
    node = founded (mesh, "killed", 7, 1, PROPOSALS)
    count, kills = 0, 0
    while node.process is None:
        after = one_step (node, count)
        kills += after > count
        count = after
    print ("    killed %d times on the way to %d results" % (kills, count))
    expect (kills > len (wanted) / 2, "few of the %d steps were met: %d" % (len (wanted), kills))
    expect (results (node) == wanted, "the results are others:\n%s\n%s" % (results (node), wanted))
    expect (node.status ()["archive_digest"] == calm.status ()["archive_digest"], "the archive is another one")
    expect (node.json ("replay")["same"], "the journal gives other effects")


main (killed_at_each_step_it_comes_to_the_same_archive)
