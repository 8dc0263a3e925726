# SPDX-License-Identifier: MPL-2.0
"""Kill -9 of any of three nodes at a hundred random moments, while they evolve, loses nothing that was acknowledged.

After each restart the victim's store must hold every statement that it acknowledged to a peer (the peers' journals say which), and
every proposal that it told its operator. `current` names a whole release at every moment, and no process of its sandboxes lives
on. At the end all three go on, and each journal replays to its recorded effects.

The moments come from a seed, which is printed; `--seed=N` takes another.
"""
import os
import random
import sys
import threading
import time

sys.path.insert (0, os.path.join (os.path.dirname (os.path.abspath (__file__)), "..", "lib"))
from mesh import base32, blake2b, expect, main, unpack, wait_for, write_agent

KILLS = 100
SEED = next ((int (word[7:]) for word in sys.argv if word.startswith ("--seed=")), 20261)
RECEIVED, ACK, SEAL = 2, 39, 96  # docs/PROTOCOL.md, node/event.h

MANIFEST = """\
name: climb
description: "as high as its eight numbers, and one that is only good here"
evolve: [climb.txt]
evaluator:
  command: [./evaluate]
  timeout: 60s
  memory: 128MiB
objectives:
  - {name: height, goal: maximize}
"""
EVALUATE = r"""#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
read -r bias </private/bias
awk -v bias="$bias" '$2 == "=" { sum += $1 == "own" ? $3 * bias : $3 }
    END { printf "{\"height\": %.3f}\n", 1000 + sum }' climb.txt
"""
START = "".join ("step%d = 0 # evolve: 0..1000\n# -\n# -\n" % i for i in range (8)) + "own = 0 # evolve: 0..1000\n"


class Ledger:
    """What a node's journal holds: statements that it heard, and acknowledgements that it got, by author."""

    def __init__ (self, node):
        self.node, self.number, self.heard, self.acknowledged = node, 0, set (), {}

    def read (self):
        with self.node.database () as store:
            rows = store.execute ("SELECT number, event FROM journal WHERE number > ? ORDER BY number",
                                  (self.number,)).fetchall ()
        for number, entry in rows:
            expect (number == self.number + 1, "the journal of %s has no entry %d" % (self.node.name, self.number + 1))
            self.number = number
            kind, _, _, *fields = unpack (entry)
            if kind != RECEIVED:
                continue
            _, body, seal = fields
            self.heard.add (blake2b (body + seal))
            if body[1] == ACK:
                author = base32 (seal[64:SEAL])
                self.acknowledged.setdefault (author, set ()).add (unpack (body)[5][1])


class Watch (threading.Thread):
    """Looks at `current` of all nodes, again and again."""

    def __init__ (self, nodes):
        super ().__init__ (daemon=True)
        self.nodes, self.looks, self.problem, self.over = nodes, 0, None, threading.Event ()

    def run (self):
        while not self.over.wait (0.005):
            for node in self.nodes:
                self.looks += 1
                try:
                    node.current ()
                except Exception as problem:
                    self.problem = self.problem or "%s after %d looks: %s" % (node.name, self.looks, problem)


def acknowledged_is_there (victim, ledgers):
    """All that the victim acknowledged to its peers stands in its own journal. Returns how many."""
    victim_id, count = victim.id, 0
    for name in sorted (ledgers, key=lambda name: name == victim.name): # the victim's own last: it hears more meanwhile
        ledgers[name].read ()
    heard = ledgers[victim.name].heard
    for name, ledger in ledgers.items ():
        missing = ledger.acknowledged.get (victim_id, set ()) - heard
        expect (not missing, "%s acknowledged %s to %s and has lost it" % (victim.name, sorted (map (base32, missing)), name))
        count += len (ledger.acknowledged.get (victim_id, ()))
    return count


def idea (mesh, chance):
    directory = mesh.path ("idea")
    os.makedirs (directory, exist_ok=True)
    with open (os.path.join (directory, "climb.txt"), "w") as file:
        file.write (START.replace ("own = 0", "own = %d" % chance.randrange (1, 1000)))
    return directory


def goes_on (node):
    """It takes further proposals to their end."""
    before = node.status ()["proposed"]
    wait_for ("%s proposes" % node.name, lambda: node.status ().get ("proposed", 0) > before)


def hundred_kills (mesh):
    print ("    seed %d" % SEED)
    chance = random.Random (SEED)
    agent = write_agent (mesh.path ("climb"), MANIFEST, {"climb.txt": START, "evaluate": EVALUATE})
    for number, name in enumerate (("alpha", "beta", "gamma")):
        os.makedirs (mesh.path (name + ".private"))
        with open (mesh.path (name + ".private", "bias"), "w") as file:
            file.write ("%d\n" % (1 if number == 0 else -1))
    group = mesh.group (("alpha", "beta", "gamma"), agent, config={"slots": 1})
    ids = {node.name: node.id for node in group}
    expect (len (set (ids.values ())) == 3, "the nodes are not three")
    ledgers = {node.name: Ledger (node) for node in group}
    watch = Watch (group)
    watch.start ()
    started, checked, told = time.monotonic (), 0, 0
    for kill in range (KILLS):
        victim = chance.choice (group)
        promised = None
        time.sleep (chance.uniform (0, 0.5))  # the random moment itself
        if kill % 5 == 0:
            answer = victim.cli ("propose", idea (mesh, chance), "--json", code=None)
            promised = answer.json ()["value"] if answer.code == 0 else None
        below = victim.kill ()
        if os.geteuid () == 0: # the sandboxes of a node run by root lie in namespaces that die with it
            mesh.gone (victim, below)
        victim.start ()
        checked = max (checked, acknowledged_is_there (victim, ledgers))
        if promised:
            told += 1
            expect (victim.improvement (promised), "%s lost %s, which it promised" % (victim.name, promised))
        if kill % 25 == 24:
            for node in group:
                goes_on (node)
        expect (watch.problem is None, watch.problem)
    print ("    %d kills in %.0f s" % (KILLS, time.monotonic () - started))
    mesh.wait_linked (group)
    for node in group:
        goes_on (node)
        node.cli ("pause")
    watch.over.set ()
    watch.join ()
    expect (watch.problem is None, watch.problem)
    total = sum (acknowledged_is_there (node, ledgers) for node in group)
    mesh.stop ()
    shared = 0
    for node in group:
        replay = node.moves ()
        expect (replay["same"], "%s: %s" % (node.name, replay))
        states = [move["state"] for move in replay["moves"]]
        shared += states.count ("shared")
        print ("    %s: %d journal entries replayed, %d shared, %d adopted, %d rejected" %
               (node.name, replay["entries"], states.count ("shared"), states.count ("kept"), states.count ("rejected")))
    print ("    %d acknowledged statements and %d promised proposals are there; %d looks at `current`" %
           (total, told, watch.looks))
    expect (total >= 20 and told >= 5 and shared >= 3 and checked > 0, "they hardly evolved: the test shows nothing")


main (hundred_kills)
