# SPDX-License-Identifier: MPL-2.0
"""Hostile programs in whole nodes: each is rejected with what it did, here and as a peer's candidate; the node goes on, and
nothing of it runs on.

The lab's evaluator runs the candidate's whims in its own process, so that a hostile candidate is a hostile evaluator too.
"""
import os
import sys
import time

sys.path.insert (0, os.path.join (os.path.dirname (os.path.abspath (__file__)), "..", "lib"))
import lab
from lab import ends, live_is, propose, quiet, values, write
from mesh import SECONDS, descendants, expect, main, unpack, wait_for, write_agent

LIMIT = "6s"  # of a run: what hangs is waited for so long, what is honest comes nowhere near it

WAYS = (("crash", "invalid_crash"), ("hang", "invalid_timeout"), ("hang-deaf", "invalid_timeout"), ("exit", "invalid_exit"),
        ("garbage", ("invalid_result", "invalid_output")), ("silent", ("invalid_result", "invalid_output")),
        ("nan", "invalid_result"), ("infinite", "invalid_result"), ("missing", "invalid_result"), ("twice", "invalid_result"),
        ("refuse", "invalid_result"), ("gigabyte", "invalid_output"), ("memory", "invalid_memory"),
        ("fork", "invalid_processes"))


def memory_kib (pid):
    with open ("/proc/%d/status" % pid) as file:
        return next (int (line.split ()[1]) for line in file if line.startswith ("VmRSS"))


def rejected (node, id, reasons, seconds=SECONDS):
    one = wait_for ("%s: %s is rejected" % (node.name, id[:8]),
                    lambda: (found := node.improvement (id)) and found["state"] == "rejected" and found, seconds)
    expect (one["reason"] in reasons, "%s: expected %s, found %s (%s)" % (node.name, reasons, one["reason"], one["detail"]))
    return one


def nothing_runs (node):
    """No process of a candidate is left; the node itself keeps a helper or two."""
    def whims ():
        return [pid for pid in descendants (node.process.pid) if _name (pid) in
                ("bwrap", "jail", "sh", "awk", "mawk", "sleep", "head", "tail", "tr", "evaluate", "wc")]
    wait_for ("nothing of the candidate is left below %s: %s" % (node.name, whims ()), lambda: not whims (), 30, every=0.01)


def _name (pid):
    try:
        with open ("/proc/%d/comm" % pid) as file:
            return file.read ().strip ()
    except OSError:
        return ""


def each_whim (mesh):
    node = mesh.node ("solo", "--seed", "1", agent=lab.make_agent (mesh, timeout=LIMIT))
    node.config (proposers="[]", slots=1)
    node.cli ("group", "create", "lonely")
    node.start ()
    wait_for ("the baseline is measured", lambda: node.status ().get ("objectives", [{}])[0].get ("now"))
    before, live = memory_kib (node.pid), node.current ()
    for mode, reasons in WAYS:
        started = time.monotonic ()
        one = rejected (node, propose (node, mode=mode), (reasons,) if isinstance (reasons, str) else reasons)
        print ("    %-10s %-18s %.2f s  %s" % (mode, one["reason"], time.monotonic () - started, one["detail"][:60]))
        nothing_runs (node)
        expect (node.current () == live, mode + " changed what is live")
    grown = memory_kib (node.pid) - before
    expect (grown < 64 * 1024, "the node grew by %d KiB" % grown)
    # Whoever leaves processes behind scores what is true, and they are gone.
    ends (node, propose (node, mode="orphans", a=0.3), "shared")
    nothing_runs (node)
    expect (node.status ()["breaker"] == "closed", "a hostile candidate opened the breaker")
    ends (node, propose (node, mode="normal", a=0.35), "shared")
    # Figures at the end of what a number holds: they are told, and what comes of them beyond it is told as none.
    ends (node, propose (node, mode="vast"), "shared")
    expect (node.status ()["hypervolume"]["value"] is None, "a hypervolume beyond all numbers: %s" % node.status ()["hypervolume"])
    mesh.stop ()


# A trap that only springs elsewhere: at home it is well, on the validators it does its worst.
TRAP = r"""#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
if [ -e /private/trap ]; then
    case $(sed -n 's/^mode = //p' lab.txt) in
    trap-fork) bomb () { bomb & bomb & wait; }; bomb ;;
    trap-hang) trap '' TERM; while :; do sleep 60; done ;;
    trap-gigabyte) head -c 1G /dev/zero | tr '\0' x; exit ;;
    esac
fi
awk '{ v[$1] = $3 } END { printf "{\"score\": %s, \"cost\": 1}\n", 1 + v["a"] }' lab.txt
"""


def sent_to_peers (mesh):
    agent = write_agent (mesh.path ("lab"), lab.MANIFEST % LIMIT, {"lab.txt": lab.lab_text (), "evaluate": TRAP})
    group = mesh.group (("alpha", "beta", "gamma"), agent, config={"proposers": "[]"})
    alpha, beta, gamma = group
    for node in (beta, gamma):
        write (os.path.join (node.private, "trap"), "")
    for mode in ("trap-fork", "trap-hang", "trap-gigabyte"):
        ends (alpha, propose (alpha, mode=mode, a=0.5), "rejected", "not_confirmed")
        for node in group:
            nothing_runs (node)
    ends (alpha, propose (alpha, a=0.5), "shared")
    live_is ((beta, gamma), a=0.5)
    quiet (group)


PROPOSER = r"""#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Each time another way to misbehave; most often it is honest.
cat >/dev/null
case $(($(od -An -N1 -tu1 /dev/urandom) % 12)) in
0) kill -SEGV $$ ;;
1) trap '' TERM; while :; do sleep 60; done ;;
2) bomb () { bomb & bomb & wait; }; bomb ;;
3) head -c 1G /dev/zero | tr '\0' x ;;
4) rm -f lab.txt; ln -s /etc/passwd lab.txt ;;
*) sed -i "s/^a = .*/a = 0.$(od -An -N2 -tu2 /dev/urandom | tr -d ' ')/" lab.txt ;;
esac
"""


class turns (tuple):
    """How often the node's proposer gave nothing, and a candidate; at least so many of each."""
    PROPOSED = 6  # node/event.h

    def __new__ (cls, node):
        with node.database () as store:
            entries = [unpack (entry) for (entry,) in store.execute ("SELECT event FROM journal")]
        results = [entry[4] for entry in entries if entry[0] == cls.PROPOSED]
        return super ().__new__ (cls, (len (results) - results.count (0), results.count (0)))

    def __ge__ (self, other):
        return all (mine >= wanted for mine, wanted in zip (self, other))


def proposers_too (mesh):
    """A proposer is a program like any other: whatever it does, the node proposes again, and takes only what may change."""
    agent = lab.make_agent (mesh)
    write (os.path.join (agent, "misbehave"), PROPOSER)
    os.chmod (os.path.join (agent, "misbehave"), 0o755)
    node = mesh.node ("solo", "--seed", "3", agent=agent)
    node.config (proposers='[{name: rogue, command: ["./misbehave"], timeout: 3s}]')
    node.cli ("group", "create", "lonely")
    node.start ()
    wait_for ("a rogue proposer failed often, and its honest turns are measured", lambda: turns (node) >= (5, 6), 2 * SECONDS)
    wait_for ("one of them is applied", lambda: values (node)["a"] != "0.25")
    expect (node.status ()["breaker"] == "closed", "a rogue proposer opened the breaker")
    node.cli ("pause")
    quiet ([node])
    nothing_runs (node)
    with node.database () as store:
        stolen = store.execute ("SELECT count (*) FROM content WHERE instr (bytes, ?) > 0", (b"root:",)).fetchone ()
    expect (stolen == (0,), "a proposer's link brought a file of this machine into the store")


main (each_whim, sent_to_peers, proposers_too)
