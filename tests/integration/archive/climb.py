# SPDX-License-Identifier: MPL-2.0
"""An agent whose evaluator is exact: what a candidate measures follows from its file alone."""
from mesh import wait_for, write_agent

MANIFEST = """\
name: climb
description: "near to three points at once"
evolve: [climb.txt]
evaluator:
  command: [./evaluate]
  timeout: 60s
  memory: 128MiB
objectives:
  - {name: height, goal: maximize, weight: 0.7}
  - {name: cost, goal: minimize, weight: 0.3}
"""
EVALUATE = r"""#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
awk '$2 == "=" { sum += $3; square += ($3 - 500) ^ 2 }
    END { printf "{\"height\": %.3f, \"cost\": %.3f}\n", 1000 + sum, 1000000 + square }' climb.txt
"""
# Takes half of the steps from the best that isn't the parent; every third time, and where there is nobody, it changes one of its own.
CROSS = r"""#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
import json
import random
import re
import sys

asked = json.load (sys.stdin)
chance = random.Random (asked["seed"])
STEP = re.compile (r"(step\d+ = )(\d+)")


def steps (text):
    return [int (value) for _, value in STEP.findall (text)]


with open ("climb.txt") as file:
    text = file.read ()
values = steps (text)
others = [one for one in asked["inspirations"]["top"] if one["id"] != asked["parent"]["id"] and "files" in one]
said = {"description": "changed"}
if others and asked["number"] % 3 != 2:
    values[2:] = steps (others[0]["files"]["climb.txt"])[2:]
    said = {"description": "crossed", "second_parent": others[0]["id"]}
if values == steps (text):
    values[chance.randrange (len (values))] = chance.randrange (1000)
fresh = iter (values)
with open ("climb.txt", "w") as file:
    file.write (STEP.sub (lambda found: found.group (1) + str (next (fresh)), text))
print (json.dumps (said))
"""
START = "".join ("step%d = 100 # evolve: 0..1000\n# -\n# -\n" % i for i in range (4))


def founded (mesh, name, seed, slots, proposals, **config):
    """A node alone in its group, that does not run yet."""
    agent = write_agent (mesh.path ("climb"), MANIFEST, {"climb.txt": START, "evaluate": EVALUATE, "cross": CROSS})
    node = mesh.node (name, "--seed", str (seed), agent=agent)
    node.config (slots=slots, proposals_max=proposals, **config)
    node.cli ("group", "create", "climbers")
    return node


def is_through (node):
    """Whether it has made all its proposals and nothing of them is under way."""
    status = node.status ()
    return status and status["finished"] and not status["under_way"] and status["slots_busy"] == 0


def lone (mesh, name, seed, slots, proposals, **config):
    """A node alone in its group, that has made all its proposals and is through with each."""
    node = founded (mesh, name, seed, slots, proposals, **config)
    node.start ()
    wait_for ("%s is through with its proposals" % name, lambda: is_through (node), 180)
    return node
