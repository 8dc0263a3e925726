# SPDX-License-Identifier: MPL-2.0
"""The lineage of the candidates, as `evomesh log --graph` draws it, as the store has it and as git reads it from archive.git: the same."""
import os
import sys

sys.path.insert (0, os.path.join (os.path.dirname (os.path.abspath (__file__)), "..", "lib"))
import lab
from climb import EVALUATE, MANIFEST, START, lone
from mesh import base32, expect, main, unpack, write_agent


def of_git (node):
    """{candidate: its parents}, of all commits that git reaches."""
    format = "%H %P|%(trailers:key=Candidate,valueonly,separator=%x20)"
    lines = node.mesh.run ("git", "-C", os.path.join (node.dir, "archive.git"), "log", "--graph", "--all",
                           "--format=commit " + format).out.splitlines ()
    commits = [line.split ("commit ")[1].split ("|") for line in lines if "commit " in line]
    names = {hashes.split ()[0]: candidate.strip () for hashes, candidate in commits}
    return {candidate.strip (): {names[parent] for parent in hashes.split ()[1:]} for hashes, candidate in commits}


def of_store (node):
    """The same from the candidates' rows."""
    with node.database () as store:
        rows = [unpack (bytes) for bytes, in store.execute ("SELECT bytes FROM candidate ORDER BY number")]
    return {base32 (id): {base32 (parent) for parent, in parents} for id, parents, *_ in rows}


def of_evomesh (node):
    return {one["id"]: set (one["parents"]) for one in node.json ("log", "--graph", "--limit", "1000")}


def evomesh_and_git_tell_the_same_lineage (mesh):
    node = lone (mesh, "alone", 7, 2, 30)
    node.stop ()
    lineage = of_store (node)
    expect (len (lineage) > 15, "few candidates: %d" % len (lineage))
    childless = set (lineage) - set ().union (*lineage.values ())
    expect (len (childless) > 1, "no branches, which would be too easy")
    expect (of_git (node) == lineage, "git tells another lineage:\n%s\n%s" % (of_git (node), lineage))
    expect (of_evomesh (node) == lineage, "evomesh tells another lineage:\n%s\n%s" % (of_evomesh (node), lineage))


def what_a_proposer_crossed_has_both_parents_everywhere (mesh):
    config = {"proposers": "[{name: cross, command: [./cross]}]"}
    node, again = (lone (mesh, name, 7, 1, 30, **config) for name in ("crosses", "again"))
    digests = [one.status ()["archive_digest"] for one in (node, again)]
    expect (digests[0] == digests[1], "a seed gives two archives: %s" % digests)
    node.stop ()
    replay = node.json ("replay")
    expect (replay["same"] and replay["archive_digest"] == digests[0], replay)
    lineage, parents_of = of_store (node), {}
    for line in node.log ():
        one = node.improvement (line["id"])
        if one["description"] == "crossed" and one["reason"] != "duplicate":
            parents_of[one["candidate"]] = {one["parent"], one["second_parent"]}
            told = node.cli ("show", one["id"]).out
            expect ("made from %s and %s" % (one["parent"][:8], one["second_parent"][:8]) in told, told)
    expect (len (parents_of) > 3, "few crossings: %s" % parents_of)
    for candidate, parents in parents_of.items ():
        expect (len (parents) == 2 and lineage[candidate] == parents, (candidate, parents, lineage[candidate]))
    expect (of_git (node) == lineage == of_evomesh (node), "git or evomesh tells another lineage")
    drawn = node.cli ("log", "--graph", "--limit", "1000").out
    expect ("  of " not in drawn, "a parent isn't drawn:\n" + drawn)


def idea (node, name, value):
    directory = node.mesh.path (name)
    os.mkdir (directory)
    lab.write (os.path.join (directory, "climb.txt"), START.replace ("step0 = 100", "step0 = %d" % value))
    return node.json ("propose", directory)["value"]


def a_small_lineage_is_drawn_exactly (mesh):
    agent = write_agent (mesh.path ("climb"), MANIFEST, {"climb.txt": START, "evaluate": EVALUATE})
    node, = mesh.group (["alone"], agent, config={"proposers": "[]"})
    lab.ends (node, idea (node, "worse", 50), "rejected", "worse")
    lab.ends (node, idea (node, "better", 300), "shared")
    lab.ends (node, idea (node, "worse-again", 200), "rejected", "worse")
    start, worse, better, again = [one["id"][:8] for one in node.json ("log", "--graph")]
    drawn = node.cli ("log", "--graph").out
    newest = "* %s  worse  height 1500, cost 1.57e+06" % again
    expect (drawn == newest + "\n"
            "* %s  shared  height 1600, cost 1.52e+06\n"
            "| * %s  worse  height 1350, cost 1.6825e+06\n"
            "|/\n"
            "* %s  start  height 1400, cost 1.64e+06\n" % (better, worse, start), drawn)
    drawn = node.cli ("log", "--graph", "--limit", "1").out  # its parent isn't drawn: it is named
    expect (drawn == "%s  of %s\n" % (newest, better), drawn)
    node.cli ("log", "--graph", "--state", "rejected", code=2)


main (evomesh_and_git_tell_the_same_lineage, what_a_proposer_crossed_has_both_parents_everywhere, a_small_lineage_is_drawn_exactly)
