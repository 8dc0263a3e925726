# SPDX-License-Identifier: MPL-2.0
"""A space of six settings: tune goes through it, says that nothing is left, and goes on when a text with other settings comes."""
import os
import sys

sys.path.insert (0, os.path.join (os.path.dirname (os.path.abspath (__file__)), "..", "lib"))
from mesh import Watcher, expect, main, wait_for, write_agent

MANIFEST = """\
name: small
evolve: [small.txt]
evaluator:
  command: [./evaluate]
  timeout: 60s
  memory: 128MiB
objectives:
  - {name: height, goal: maximize}
proposers:
  - {name: tune}
"""
EVALUATE = r"""#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
awk '$2 == "=" { sum += $3 + length ($1) } END { printf "{\"height\": %d}\n", 10 + sum }' small.txt
"""
START = "size = 2 # evolve: 1..3\n# -\n# -\nmode = 4 # evolve: 4 | 2\n"
SETTINGS = 6


def idle (node):
    status = node.status ()
    return status and status["proposers"][0]["idle"] and not status["under_way"] and status["slots_busy"] == 0 and status


def a_small_space_is_gone_through_once (mesh):
    node = mesh.node ("small", "--seed", "5", agent=write_agent (mesh.path ("agent"), MANIFEST, {"small.txt": START, "evaluate": EVALUATE}))
    node.config (slots=1)
    node.cli ("group", "create", "tiny")
    node.start ()
    watcher = Watcher (node)
    status = wait_for ("tune says that nothing is left", lambda: (lambda s: s and s["candidates"] == SETTINGS and s) (idle (node)), 60)
    why = "all the 6 settings that its marks allow were tried"
    expect ([(one["name"], one["idle"]) for one in status["proposers"]] == [("tune", why)], status["proposers"])
    expect ("resting: no proposer has anything new to propose" in node.cli ("status").out, "status doesn't say that it rests")
    expect (any (why in step for step in status["next_steps"]), status["next_steps"])
    expect (status["duplicates"] <= SETTINGS, "%d duplicates" % status["duplicates"])
    expect ("size = 3" in node.read ("small.txt") and "mode = 4" in node.read ("small.txt"), "the best is live")

    wider = mesh.path ("wider")
    write_agent (wider, MANIFEST, {"small.txt": START + "longer = 1\n", "evaluate": EVALUATE})
    node.cli ("propose", wider)
    status = wait_for ("the other space is gone through, too", lambda: (lambda s: s and s["candidates"] == 2 * SETTINGS and s) (idle (node)), 120)
    expect (status["duplicates"] <= 2 * SETTINGS, "%d duplicates" % status["duplicates"])
    told = [one for one in watcher.events () if one["type"] == "proposer_exhausted"]
    expect (told and len (told) <= 1 + status["applied"] and told[0]["metadata"]["proposer"] == "tune", told)
    expect (node.json ("replay")["same"], "the journal doesn't replay")


def one_that_gives_nothing_is_named (mesh):
    agent = write_agent (mesh.path ("mute-agent"), MANIFEST, {"small.txt": START, "evaluate": EVALUATE, "nothing": "#!/bin/sh\nexit 0\n"})
    node = mesh.node ("mute", "--seed", "5", agent=agent)
    node.config (proposers="[{name: mute, command: [./nothing]}]")
    node.cli ("group", "create", "silence")
    node.start ()
    wait_for ("status names who gives nothing new", lambda: "mute gave nothing new" in node.cli ("status").out)
    expect ("the last time: the proposer changed nothing" in node.cli ("status").out, "status doesn't say why it gives nothing new")
    mute, = node.status ()["proposers"]
    expect (mute["name"] == "mute" and mute["fruitless"] >= 4 and mute["idle"] is None and not mute["exhausted"], mute)


main (a_small_space_is_gone_through_once, one_that_gives_nothing_is_named)
