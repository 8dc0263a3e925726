# SPDX-License-Identifier: MPL-2.0
"""How well packings generalise. `binpack.py EVOMESH [--seeds N] [--seconds S]`; binpack.sh builds and calls it.

For each seed one node runs for so many seconds on two cores, then five nodes of one group, each with private instances of its own,
for as long on the same two cores. Then the release that each node ended with packs the 100 instances of a fresh seed, which no node had,
and the instances that the nodes had, 100 each. A run's figures are means over its nodes:

    fresh    excess on the fresh instances, %
    gap      fresh minus the excess on all instances that the run's nodes had
    own      fresh minus the excess on the node's own instances, after taking off the same difference of best fit, the start: what
             was learnt by heart of what the node itself measured, without the luck of having been dealt easy instances
"""
import argparse
import functools
import hashlib
import os
import resource
import statistics
import sys
import time

sys.path.insert (0, os.path.join (os.path.dirname (os.path.abspath (__file__)), "..", "integration", "lib"))
from mesh import PROJECT, Mesh

AGENT = os.path.join (PROJECT, "deploy", "agents", "binpack")
PROPOSERS = '[{name: search, command: [./search, "150"], share: 0.5, timeout: 60s}, {name: tune, share: 0.5}]'
CORES = 2
FRESH_AIM = 3.1
GAP_AIM = 0.3
GROUPS = {1: "one node", 5: "five nodes"}


# --- packing with what came out, by the agent's own evaluator ---

def seed_of (domain, *numbers):
    return hashlib.sha256 (" ".join ([domain, *map (str, numbers)]).encode ()).hexdigest ()[:32]


class Packer:
    """Packs with a priority.c; remembers what it knows."""

    def __init__ (self, mesh):
        self.mesh = mesh
        self.evaluator = mesh.path ("evaluator")
        self.driver = os.path.join (AGENT, "driver.c")
        mesh.run ("cc", "-O2", "-o", self.evaluator, os.path.join (AGENT, "evaluator.c"))
        with open (os.path.join (AGENT, "priority.c")) as file:
            self.start = file.read ()

    @functools.lru_cache (None)
    def compiled (self, text):
        directory = self.mesh.path ("packer-" + hashlib.sha256 (text.encode ()).hexdigest ())
        os.mkdir (directory)
        with open (os.path.join (directory, "priority.c"), "w") as file:
            file.write (text)
        # Where driver.c includes priority.c, its own directory is looked at first: hence a copy beside the release.
        self.mesh.run ("cp", self.driver, directory)
        self.mesh.run ("cc", "-O2", "-o", os.path.join (directory, "candidate"), os.path.join (directory, "driver.c"), "-lm")
        return os.path.join (directory, "candidate")

    @functools.lru_cache (None)
    def excess_of (self, text, seed):
        path = self.mesh.path ("seed")
        with open (path, "w") as file:
            file.write (seed + "\n")
        return self.mesh.run (self.evaluator, path, self.compiled (text)).json ()["metrics"]["excess_bins"]

    def excess (self, text, seeds):
        return statistics.mean (self.excess_of (text, seed) for seed in seeds)


# --- a run ---

def make (mesh, number, seed, count):
    node = mesh.node ("node-%d-%d-%d" % (seed, count, number), "--seed", str (seed * 100 + number), "--slots",
                      str (CORES if count == 1 else 1), **({"agent": AGENT} if number == 1 else {}))
    node.config (proposers=PROPOSERS)
    with open (os.path.join (node.private, "seed"), "w") as file:
        file.write (seed_of ("instances", seed, number) + "\n")
    return node


def evolve (mesh, seed, count, seconds):
    """Runs `count` nodes; time counts from the first one's start. Returns the release of each, their status, and the processor
    seconds of it all."""
    used = resource.getrusage (resource.RUSAGE_CHILDREN)
    first = make (mesh, 1, seed, count)
    first.cli ("group", "create", "packers")
    first.start ()
    until = time.monotonic () + seconds
    nodes = [first]
    for number in range (2, count + 1):
        node = make (mesh, number, seed, count)
        mesh.join (node, first)
        node.start ()
        nodes.append (node)
    time.sleep (max (0, until - time.monotonic ()))
    statuses = [node.status () for node in nodes]
    for node in nodes:
        node.stop ()
    total = resource.getrusage (resource.RUSAGE_CHILDREN)
    return [node.read ("priority.c") for node in nodes], statuses, (total.ru_utime + total.ru_stime - used.ru_utime
                                                                   - used.ru_stime)


def figures (packer, releases, seed):
    fresh = [seed_of ("fresh", seed)]
    had = [seed_of ("instances", seed, number + 1) for number in range (len (releases))]

    def gap (release, seeds):
        return packer.excess (release, fresh) - packer.excess (release, seeds)
    return {"fresh": statistics.mean (packer.excess (one, fresh) for one in releases),
            "start": packer.excess (packer.start, fresh),
            "gap": statistics.mean (gap (one, had) for one in releases),
            "own": statistics.mean (gap (one, [mine]) - gap (packer.start, [mine]) for one, mine in zip (releases, had))}


def run (mesh, packer, seed, count, seconds):
    releases, statuses, cpu = evolve (mesh, seed, count, seconds)
    found = figures (packer, releases, seed)
    print ("  seed %2d, %-10s  best fit %.2f   fresh %.2f   gap %+.2f   own %+.2f   (%d proposed, %d applied, %d adopted; %.0f s of"
           " processor, load %.1f)" % (seed, GROUPS[count], found["start"], found["fresh"], found["gap"], found["own"],
                                       *(sum (one.get (key, 0) for one in statuses)
                                         for key in ("proposed", "applied", "packages_adopted")), cpu, os.getloadavg ()[0]),
           flush=True)
    return found


# --- the table ---

missed = 0  # aims


def against (value, aim):
    global missed
    missed += value > aim
    return "%+.2f %s" % (value, "reached" if value <= aim else "MISSED")


def summary (results):
    print ("\n%-12s %-8s %16s %16s %12s" % ("", "", "fresh, %", "gap, points", "own, points"))
    print ("%-12s %-8s %16s %16s" % ("aim", "", "<= %.1f" % FRESH_AIM, "<= %.1f" % GAP_AIM))
    for count, name in GROUPS.items ():
        fresh, gap, own = ([one[key] for one in results[count]] for key in ("fresh", "gap", "own"))
        for label, pick in (("median", statistics.median), ("worst", max)):
            print ("%-12s %-8s %16s %16s %12s" % (name, label, against (pick (fresh), FRESH_AIM), against (pick (gap), GAP_AIM),
                                                  "%+.2f" % pick (own)))
    one, five = (statistics.median (item["own"] for item in results[count]) for count in GROUPS)
    print ("\nWith validation by peers the median of what is learnt by heart (own) is %.2f points %s than with one node alone; it is"
           "\nsmaller in %d of %d seeds." % (abs (one - five), "smaller" if five < one else "larger",
                                            sum (b["own"] < a["own"] for a, b in zip (*results.values ())), len (results[1])))


def main ():
    parser = argparse.ArgumentParser (prog="binpack.sh")
    parser.add_argument ("evomesh")
    parser.add_argument ("--seeds", type=int, default=10, metavar="N", help="seeds 1 to N (10)")
    parser.add_argument ("--seconds", type=int, default=120, metavar="S", help="of each run (120)")
    options = parser.parse_args ()
    if options.seeds < 1 or options.seconds < 1:
        parser.error ("expected at least 1 seed and 1 second")
    os.sched_setaffinity (0, sorted (os.sched_getaffinity (0))[:CORES])
    print ("binpack: %d s on %d cores; excess over the bound on 100 fresh instances, and the gap to what the nodes had"
           % (options.seconds, len (os.sched_getaffinity (0))), flush=True)
    results = {count: [] for count in GROUPS}
    for seed in range (1, options.seeds + 1):
        for count in GROUPS:
            mesh = Mesh (options.evomesh)
            try:
                results[count].append (run (mesh, Packer (mesh), seed, count, options.seconds))
            finally:
                mesh.close ()
                mesh.run ("rm", "-rf", mesh.scratch, code=None)
    summary (results)
    sys.exit (missed > 0)


if __name__ == "__main__":
    main ()
