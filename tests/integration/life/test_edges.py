# SPDX-License-Identifier: MPL-2.0
"""Real processes take every edge of an improvement's life, and tell every event of it.

Stories of a node alone and of groups drive the lab through its ways. Then the journals of all nodes are
replayed, which gives every move; one edge of the table in evolution/improvement.c, one event or one reason that nobody saw
fails the test.
"""
import os
import re
import signal
import sys

sys.path.insert (0, os.path.join (os.path.dirname (os.path.abspath (__file__)), "..", "lib"))
import lab
from lab import ends, hold, let_go, live_is, propose, quiet, values, write
from mesh import PROJECT, Watcher, expect, main, unpack, wait_for

# A pause between two turns of one loop: tests/unit/node/test_node_meanwhile.c.
ELSEWHERE = [("snapshot", "validated")]
# Beside those of the table.
EVENTS = """feedback_received knowledge_received knowledge_adopted knowledge_rejected improvement_applied
performance_threshold_exceeded peer_joined peer_left peer_lost breaker_opened breaker_half_open breaker_closed
evolution_paused evolution_resumed""".split ()
REASONS = """invalid_exit invalid_crash invalid_timeout invalid_memory invalid_processes invalid_output invalid_result infeasible
worse not_better too_small duplicate consensus operator expired not_confirmed no_validators apply_failed
restart_failed regression""".split ()  # stale_base, of trees that can't be merged at all: unit tests

taken = {}  # edge -> where
told = {}  # event -> where
given = {}  # reason -> where


def table ():
    """The edges and events of the lifecycle, from its one source."""
    with open (os.path.join (PROJECT, "evolution", "improvement.c")) as file:
        rows = re.findall (r'\{STATE_(\w+), MOVE_\w+, STATE_(\w+), TYPE_(?:NONE|(\w+))\}', file.read ())
    expect (len (rows) > 20, "improvement.c has no table of edges")
    return [(source.lower (), target.lower ()) for source, target, _ in rows], {event.lower () for *_, event in rows if event}


def collect (mesh, watchers=()):
    """What the nodes of a story did: moves from their journals, events from their stores and from who watched."""
    for node in mesh.nodes.values ():
        replay, state = node.moves (), {}
        expect (replay["same"], "the journal of %s gives other effects: %s" % (node.name, replay))
        for move in replay["moves"]:
            before = state.get (move["improvement"], "none")
            if before != move["state"]:
                taken.setdefault ((before, move["state"]), "%s, entry %d" % (node.name, move["entry"]))
            if move["reason"]:
                given.setdefault (move["reason"], "%s, entry %d" % (node.name, move["entry"]))
            state[move["improvement"]] = move["state"]
        with node.database () as store:
            for (row,) in store.execute ("SELECT bytes FROM event"):
                told.setdefault (unpack (row)[2], node.name)
    for watcher in watchers:
        expect (watcher.events (), "`watch` on %s saw nothing" % watcher.node.name)


# --- alone ---

SERVICE = """#!/bin/sh
# Restarts badly while it is told to: once, or always; or makes what is live worse.
cd "$(dirname "$0")" || exit 9
[ -e fail-always ] && exit 7
[ -e fail-once ] && { rm fail-once; exit 8; }
if [ -e spoil ]; then cp spoil "$1/regress"; fi
exit 0
"""


def service (mesh):
    os.makedirs (mesh.path ("service"))
    path = mesh.path ("service", "restart")
    write (path, SERVICE)
    os.chmod (path, 0o755)
    return path


def invalid (node):
    """A candidate for each way to be invalid, and for each way not to be good enough."""
    ways = {"exit": "invalid_exit", "crash": "invalid_crash", "hang": "invalid_timeout", "memory": "invalid_memory",
            "fork": "invalid_processes", "gigabyte": "invalid_output", "silent": "invalid_output",
            "nan": "invalid_result"}
    for mode, reason in ways.items ():
        ends (node, propose (node, mode=mode), "rejected", reason)
    ends (node, propose (node, cost=9), "rejected", "infeasible")
    ends (node, propose (node, a=0.1), "rejected", "worse")
    ends (node, propose (node, comment="the same in other words"), "rejected", "not_better")
    ends (node, propose (node, a=0.2501), "rejected", "too_small")
    ends (node, propose (node, cost=4, a=0.3), "rejected")  # past its alert, not past its limit


def duplicate (node):
    hold (node, "^a = 0.31$")
    first = propose (node, a=0.31)
    node.cli ("propose", lab.proposal (node, a=0.31), code=1)
    let_go (node)
    ends (node, first, "shared")


def broken_releases (node):
    """The release can't be laid out, as its place is taken: twice, which opens the breaker; its one trial closes it."""
    for number in (0.32, 0.33):
        hold (node, "^a = %s$" % number)
        id = propose (node, a=number)
        place = os.path.join (node.dir, "releases", node.improvement (id)["candidate"])
        write (place, "in the way")
        let_go (node)
        ends (node, id, "rejected", "apply_failed")
        os.unlink (place)
    status = node.status ()
    expect (status["breaker"] != "closed", "the breaker stayed closed after two faults")
    expect (status["fault"]["text"].startswith ("writing a release: "), status["fault"])
    expect ("ago: writing a release: " in node.cli ("status").out, "status doesn't say what failed")
    ends (node, propose (node, a=0.34), "shared")
    wait_for ("the breaker is closed again", lambda: node.status ()["breaker"] == "closed")
    expect (node.status ()["fault"] is None, "a fault is told of that something has mended")


def tried_again (node, id):
    """`current` can't be switched, as something is in the way: the rollback fails, and is asked for again once that is gone."""
    live = node.current ()
    place = os.path.join (node.dir, ".current-next")
    os.mkdir (place)
    node.cli ("rollback", id, "--yes")
    ends (node, id, "rollback_failed", "operator")
    expect (node.current () == live, "the rollback failed, and another release is live")
    os.rmdir (place)
    node.cli ("resume")
    node.cli ("rollback", id, "--yes")
    ends (node, id, "rolled_back", "operator")
    expect (node.current () != live, "what was rolled back is live still")


def bad_restarts (node, flags):
    before = node.current ()
    write (flags + "/fail-once", "")
    ends (node, propose (node, a=0.35), "rolled_back", "restart_failed")
    expect (node.current () == before, "after the rollback another release is live")
    write (flags + "/spoil", "^a = 0.36$\n")
    ends (node, propose (node, a=0.36), "rolled_back", "regression")
    expect (node.current () == before, "after the regression another release is live")
    os.unlink (flags + "/spoil")
    write (flags + "/fail-always", "")
    ends (node, propose (node, a=0.37), "rollback_failed", "restart_failed")
    expect (node.status ()["stopped"], "a rollback that failed did not stop evolution")
    node.cli ("propose", lab.proposal (node, a=0.38), code=1)
    os.unlink (flags + "/fail-always")
    node.cli ("resume")


def alone (mesh):
    node = mesh.node ("solo", "--seed", "1", agent=lab.make_agent (mesh, timeout="6s"))
    restart = service (mesh)
    node.config (proposers="[]", slots=2, service__restart='"%s %s"' % (restart, node.private),
                 safety_systems__failure_threshold=2, safety_systems__recovery_timeout_seconds=1)
    node.cli ("group", "create", "lonely")
    node.start ()
    wait_for ("the baseline is measured", lambda: node.status ().get ("objectives", [{}])[0].get ("now"))
    expect ("this node proposes nothing of its own" in node.cli ("status").out, "status doesn't say why nothing is proposed")
    invalid (node)
    duplicate (node)
    broken_releases (node)
    bad_restarts (node, os.path.dirname (restart))
    node.cli ("pause")
    node.cli ("resume")
    wait_for ("the breaker lets proposals through", lambda: node.status ()["breaker"] != "open")
    last = propose (node, a=0.4)
    ends (node, last, "shared")
    tried_again (node, last)
    mesh.stop ()
    collect (mesh)


# --- three ---

def adopted (group):
    """The plain way: proposed here, measured there, adopted everywhere."""
    alpha, beta, gamma = group
    ends (alpha, propose (alpha, a=0.5), "shared")
    live_is ((beta, gamma), a=0.5)
    quiet (group)


def refused (group):
    """What the group says no to, what it does not confirm, and what it leaves to the operator."""
    alpha, beta, gamma = group
    ends (alpha, propose (alpha, "--type", "architecture_change", a=0.51), "rejected", "consensus")
    ends (alpha, propose (alpha, own=1), "rejected", "not_confirmed")
    gamma.signal (signal.SIGSTOP)
    asked = propose (alpha, a=0.52)
    ends (alpha, asked, "held")
    gamma.signal (signal.SIGCONT)
    alpha.cli ("approve", asked)
    ends (alpha, asked, "shared")
    quiet (group)
    for command, reason in (("reject", "operator"), (None, "expired")):
        gamma.signal (signal.SIGSTOP)
        asked = propose (alpha, a=0.53 if command else 0.54)
        ends (alpha, asked, "held")
        gamma.signal (signal.SIGCONT)
        if command:
            alpha.cli (command, asked)
        ends (alpha, asked, "rejected", reason)
    quiet (group)


def approved_late (group):
    """The operator approves when something else is live already: it is merged onto that, and tested again."""
    alpha, beta, gamma = group
    gamma.signal (signal.SIGSTOP)
    asked = propose (alpha, a=0.55)
    ends (alpha, asked, "held")
    gamma.signal (signal.SIGCONT)
    ends (beta, propose (beta, b=0.45), "shared")
    live_is (group, b=0.45)
    answer = alpha.cli ("approve", asked).out
    expect ("tested again first" in answer, "approve doesn't say that another release is live: %s" % answer)
    ends (alpha, asked, "shared")
    live_is (group, a=0.55, b=0.45)
    quiet (group)


def overtaken (group):
    """While gamma still measures alpha's change, beta's is adopted: alpha's is merged; or, where it is of the same line, measured
    against beta's: the better one stands."""
    alpha, beta, gamma = group
    for number, mine, theirs in ((0.6, {"a": 0.6}, {"b": 0.5}), (0.8, {"a": 0.8}, {"a": 0.7}), (0.9, {"a": 0.9}, {"a": 1.0})):
        hold (gamma, "^a = %s$" % number)
        slow = propose (alpha, **mine)
        ends (alpha, slow, "validating")
        fast = propose (beta, **theirs)
        ends (beta, fast, "shared")
        live_is (group, **theirs)
        let_go (gamma)
        if "b" in theirs:
            ends (alpha, slow, "shared")
            live_is (group, a=0.6, b=0.5)
        elif mine["a"] > theirs["a"]:
            ends (alpha, slow, "shared")
            live_is (group, **mine)
        else:
            ends (alpha, slow, "rejected", "worse")
        quiet (group)


def rolled_back (group):
    """By the operator, where it was adopted; and by itself, where it makes what is live worse."""
    alpha, beta, gamma = group
    kept = next (one["id"] for one in reversed (beta.log ("kept")))
    beta.cli ("rollback", kept, "--yes")
    ends (beta, kept, "rolled_back", "operator")
    hold (alpha, "^b = 0.65$")
    id = propose (alpha, b=0.65)
    before = gamma.current ()
    write (gamma.mesh.path ("service", "spoil"), "^b = 0.65$\n")
    let_go (alpha)
    ends (alpha, id, "shared")
    wait_for ("gamma goes back to what it had", lambda: [one for one in gamma.log ("rolled_back")
                                                        if one["reason"] == "regression"])
    expect (gamma.current () == before, "after the regression gamma has another release")
    quiet (group)
    os.unlink (gamma.mesh.path ("service", "spoil"))
    os.unlink (os.path.join (gamma.private, "regress"))


def moot (group):
    """While gamma measures alpha's change, alpha goes back to what has it already."""
    alpha, _, gamma = group
    before = values (alpha)["b"]
    mixed = propose (alpha, a=1.5, b=0.4)
    ends (alpha, mixed, "shared")
    quiet (group)
    hold (gamma, "^a = 1.5$")
    half = propose (alpha, b=before)
    ends (alpha, half, "validating")
    alpha.cli ("rollback", mixed, "--yes")
    ends (alpha, mixed, "rolled_back", "operator")
    live_is ((alpha,), a="1.0", b=before)
    let_go (gamma)
    ends (alpha, half, "rejected", "duplicate")
    quiet (group)


def gone (group):
    """Who dies is missed; who comes back is heard; who can't measure doesn't; who leaves is out."""
    alpha, beta, gamma = group
    gamma.kill ()
    wait_for ("alpha misses gamma", lambda: alpha.status ()["peers_up"] == 1)
    gamma.config (collaborative_validation__network_enabled="false")
    gamma.start ()
    beta.stop ()
    beta.config (collaborative_validation__network_enabled="false")
    beta.start ()
    wait_for ("alpha has both again", lambda: alpha.status ()["peers_up"] == 2)
    ends (alpha, propose (alpha, b=0.9), "rejected", "no_validators")
    alpha.cli ("group", "revoke", gamma.id, "--yes")
    beta.cli ("group", "leave", "--yes")
    wait_for ("alpha is alone", lambda: alpha.status ()["members"] == 1)


def together (mesh):
    restart = service (mesh)
    group = mesh.group (("alpha", "beta", "gamma"), lab.make_agent (mesh), "--quorum", "0.6", "--feedback-deadline", "4s",
                        "--held-expiry", "20s", config={"proposers": "[]", "slots": 3})
    alpha, beta, gamma = group
    write (os.path.join (alpha.private, "bias"), "1\n")
    gamma.stop ()
    gamma.config (service__restart='"%s %s"' % (restart, gamma.private))
    gamma.start ()
    mesh.wait_linked (group)
    watchers = [Watcher (node) for node in group]
    adopted (group)
    refused (group)
    approved_late (group)
    overtaken (group)
    rolled_back (group)
    moot (group)
    gone (group)
    wait_for ("a watcher on alpha heard of beta's events", lambda: beta.id in
              [event["agent_id"] for event in watchers[0].events ()])
    mesh.stop ()
    collect (mesh, watchers)


def grown (mesh):
    """The group grows while its one validator measures: its word is of the larger group, in which it is not enough. So nothing is
    applied whose certificate nobody would accept, and the next proposal asks all."""
    alpha, beta = mesh.group (("alpha", "beta"), lab.make_agent (mesh), config={"proposers": "[]", "slots": 2})
    hold (beta, "^a = 0.5$")
    id = propose (alpha, a=0.5)
    ends (alpha, id, "validating")
    gamma = mesh.node ("gamma")
    gamma.config (proposers="[]")
    mesh.join (gamma, alpha)
    wait_for ("beta knows that they are three", lambda: beta.status ()["members"] == 3)
    let_go (beta)
    ends (alpha, id, "rejected", "no_validators")
    gamma.start ()
    mesh.wait_linked ((alpha, beta, gamma))
    ends (alpha, propose (alpha, a=0.6), "shared")
    live_is ((beta, gamma), a=0.6)
    alpha.cli ("group", "revoke", gamma.id, "--yes")
    quiet ((alpha, beta))
    expect (not any (node.status ()["rejected"].get ("unverified") for node in (alpha, beta)),
            "a package was shared that its receiver can't verify")
    mesh.stop ()
    collect (mesh)


# --- what was seen ---

def every_edge (mesh):
    edges, events = table ()
    missing = []
    rows = [("%s → %s" % edge, taken.get (edge)) for edge in edges if edge not in ELSEWHERE]
    rows += [(event, told.get (event)) for event in sorted (events | set (EVENTS))]
    rows += [(reason, given.get (reason)) for reason in REASONS]
    for name, where in rows:
        print ("    %-34s %s" % (name, where or "NEVER"))
        if where is None:
            missing.append (name)
    expect (not missing, "never seen: " + ", ".join (missing))
    expect (set (taken) <= set (edges), "moves that the table doesn't have: %s" % (set (taken) - set (edges)))


main (alone, together, grown, every_edge)
