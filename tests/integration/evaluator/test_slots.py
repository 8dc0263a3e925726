# SPDX-License-Identifier: MPL-2.0
"""Evaluations that hang or die give their slots back: four sleepers on two slots, each ended at its limit long before it would
have ended, and the node measures on. Told by the order of what happens; how long it took is the business of the benchmark."""
import os
import sys

sys.path.insert (0, os.path.join (os.path.dirname (os.path.abspath (__file__)), "..", "lib"))
import lab
from mesh import descendants, expect, main, wait_for, write_agent

# Sleeps for a minute where the candidate says so, and would then be the best of all.
EVALUATE = """#!/bin/sh
read -r word rest <value.txt
[ "$word" = sleep ] && sleep 60
echo "{\\"score\\": ${rest:-1}}"
"""
MANIFEST = """\
name: sleepers
evolve: [value.txt]
evaluator:
  command: [./evaluate]
  timeout: %s
  memory: 64MiB
objectives:
  - {name: score}
"""


def node_of (mesh, timeout):
    agent = write_agent (mesh.path ("agent"), MANIFEST % timeout, {"value.txt": "run 1\n", "evaluate": EVALUATE})
    node, = mesh.group (["alone"], agent, config={"proposers": "[]", "slots": 2})
    return node


def idea (node, text):
    directory = node.mesh.path ("idea-%d" % len (os.listdir (node.mesh.scratch)))
    os.mkdir (directory)
    lab.write (os.path.join (directory, "value.txt"), text + "\n")
    return node.json ("propose", directory)["value"]


def sleepers (node):
    """Processes that sleep below the node."""
    found = []
    for pid in descendants (node.pid):
        try:
            with open ("/proc/%d/comm" % pid) as file:
                if file.read ().strip () == "sleep":
                    found.append (pid)
        except OSError:
            pass
    return found


def hanging_evaluations_end_at_their_limit (mesh):
    node = node_of (mesh, "1s")
    slow = [idea (node, "sleep %d" % (90 + i)) for i in range (4)]
    last = idea (node, "run 2")  # waits behind them all
    for one in slow:
        lab.ends (node, one, "rejected", "invalid_timeout")
    lab.ends (node, last, "shared")
    expect (node.status ()["slots_busy"] == 0, str (node.status ()))
    expect (not sleepers (node), "sleepers are left: %s" % sleepers (node))
    expect (node.status ()["evaluations"] < 12, "a sleeper was run again: %s" % node.status ())


def a_dying_evaluation_costs_no_slot (mesh):
    node = node_of (mesh, "10m")
    dying = [idea (node, "sleep %d" % (90 + i)) for i in range (4)]
    last = idea (node, "run 2")
    for _ in range (4):  # two at a time, as there are two slots
        victim = wait_for ("an evaluation sleeps", lambda: sleepers (node))[0]
        expect (len (sleepers (node)) <= 2, "more than two evaluations at once")
        with open ("/proc/%d/stat" % victim) as file:
            evaluator = int (file.read ().rpartition (")")[2].split ()[1])
        os.kill (evaluator, 9)
        wait_for ("it is gone", lambda: victim not in sleepers (node))
    for one in dying:
        lab.ends (node, one, "rejected", "invalid_crash")
    lab.ends (node, last, "shared")
    wait_for ("all slots are free", lambda: node.status ()["slots_busy"] == 0)


main (hanging_evaluations_end_at_their_limit, a_dying_evaluation_costs_no_slot)
