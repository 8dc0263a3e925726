# SPDX-License-Identifier: MPL-2.0
"""An agent in OpenEvolve's layout, to which only agent.yaml was added: a node improves it, within its block and past its stage."""
import os
import shutil
import sys

sys.path.insert (0, os.path.join (os.path.dirname (os.path.abspath (__file__)), "..", "lib"))
from lab import ends, write
from mesh import PROJECT, expect, main, wait_for

AGENT = os.path.join (PROJECT, "deploy", "agents", "function-minimization")
PROGRAM = "initial_program.py"


def outside (text):
    """What may not change: all but the lines between the markers."""
    kept, inside = [], False
    for line in text.splitlines ():
        inside = inside and "EVOLVE-BLOCK-END" not in line
        if not inside:
            kept.append (line)
        inside = inside or "EVOLVE-BLOCK-START" in line
    return kept


def start ():
    with open (os.path.join (AGENT, PROGRAM)) as file:
        return file.read ()


def score (node):
    """The live release's; 0 while it is not measured."""
    objectives = node.status ().get ("objectives")
    return objectives and objectives[0]["now"] or 0


def a_node_improves_it (mesh):
    node, = mesh.group (["alone"], AGENT)
    objective = node.status ()["objectives"][0]
    expect (objective["name"] == "combined_score" and objective["start"] < 0.6, str (objective))
    wait_for ("the score is above 0.7", lambda: score (node) > 0.7, 120)
    live = node.read (PROGRAM)
    expect (live != start () and outside (live) == outside (start ()), "more than the block has changed:\n" + live)


def idea (mesh, node, replaced, by):
    """Proposes the start with a piece replaced; the improvement's id."""
    directory = mesh.path ("idea-%d" % len (os.listdir (mesh.scratch)))
    os.mkdir (directory)
    expect (replaced in start (), PROGRAM + " has no " + replaced)
    write (os.path.join (directory, PROGRAM), start ().replace (replaced, by, 1))
    return node.json ("propose", directory)["value"]


def told (node, id):
    return node.cli ("show", id).out


def a_candidate_is_refused_by_its_block_or_its_stage (mesh):
    node, = mesh.group (["alone"], AGENT, config={"proposers": "[]"})
    harness = idea (mesh, node, "return search (", "return list (function.shift) or search (")
    ends (node, harness, "rejected", "protected")
    expect (PROGRAM + ": line " in told (node, harness), told (node, harness))
    marker = idea (mesh, node, "# EVOLVE-BLOCK-END\n", "")
    ends (node, marker, "rejected", "protected")
    poor = idea (mesh, node, "    return best\n", "    return [high] * dimensions\n")
    ends (node, poor, "rejected", "stage")
    expect ("stage stage1: combined_score is 0." in told (node, poor), told (node, poor))
    broken = idea (mesh, node, "    return best\n", "    return best[1:]\n")
    ends (node, broken, "rejected", "invalid_result")
    expect ("stage stage1: " in told (node, broken) and "not within the bounds" in told (node, broken), told (node, broken))
    expect (node.status ()["rejected"] == {"protected": 2, "stage": 1, "invalid_result": 1}, str (node.status ()["rejected"]))
    good = idea (mesh, node, "    best = [", "    near, width, shrink = 0.8, 0.2, 0.98\n    best = [")
    ends (node, good, "shared")


def the_places_are_out_of_a_candidate_s_reach (mesh):
    node = mesh.node ("alone", agent=AGENT)
    write (os.path.join (node.private, "seed"), "a text of its own")
    node.cli ("group", "create", "testers")
    node.config (proposers="[]")
    node.start ()
    wait_for ("it is measured", lambda: score (node) > 0, 60)
    asks = idea (mesh, node, "    best = [", "    return list (function.shift)\n    best = [")
    ends (node, asks, "rejected", "invalid_result")
    expect ("has no attribute 'shift'" in told (node, asks), told (node, asks))
    snoop = '''    import gc
    found = [thing for thing in gc.get_objects () if isinstance (getattr (thing, "__dict__", None), dict) and "shift" in vars (thing)]
    found += [cell.cell_contents.shift for cell in function.__closure__ if hasattr (cell.cell_contents, "shift")]
    for path in ("/private/seed", "/agent/evaluator.py"):
        try:
            found.append (open (path).read ())
        except OSError:
            pass
    if found:
        raise ValueError ("found it")
    best = ['''
    vain = idea (mesh, node, "    best = [", snoop)
    ends (node, vain, "rejected", "not_better")


def a_group_improves_it_together (mesh):
    alpha = mesh.node ("alpha", "--seed", "1", agent=AGENT)
    alpha.cli ("group", "create", "testers")
    alpha.start ()
    beta = mesh.node ("beta", "--seed", "2")
    beta.config (proposers="[]")
    joined = beta.cli ("group", "join", alpha.json ("group", "invite", "--local")["token"], "--yes")
    expect ("evaluator.py initial_program.py --stage stage1" in joined.err, "join shows no stage: %s" % joined)
    expect ("stage1" in beta.cli ("config").out, "config shows no stage")
    beta.start ()
    wait_for ("beta has adopted what alpha found", lambda: score (beta) > 0.6, 120)
    expect (outside (beta.read (PROGRAM)) == outside (start ()), beta.read (PROGRAM))


def a_start_that_misses_its_own_stage_is_told (mesh):
    directory = mesh.path ("ambitious")
    shutil.copytree (AGENT, directory)
    with open (os.path.join (AGENT, "agent.yaml")) as file:
        manifest = file.read ()
    write (os.path.join (directory, "agent.yaml"), manifest.replace ("{combined_score: 0.5}", "{combined_score: 0.999}"))
    result = mesh.run (mesh.evomesh, "agent", "check", directory, code=1)
    expect ("stage stage1: combined_score is 0.93" in result.err and "expected at least 0.999" in result.err, str (result))


def markers_out_of_order_are_told_at_once (mesh):
    directory = mesh.path ("disordered")
    shutil.copytree (AGENT, directory)
    write (os.path.join (directory, PROGRAM), start ().replace ("# EVOLVE-BLOCK-END\n", "", 1))
    for words in (["agent", "check", directory], ["init", "--dir", mesh.path ("n"), "--agent", directory]):
        result = mesh.run (mesh.evomesh, *words, code=1)
        expect (PROGRAM + ": line " in result.err and "expected EVOLVE-BLOCK-END" in result.err, str (result))


main (a_node_improves_it, the_places_are_out_of_a_candidate_s_reach, a_candidate_is_refused_by_its_block_or_its_stage, a_group_improves_it_together,
      a_start_that_misses_its_own_stage_is_told, markers_out_of_order_are_told_at_once)
