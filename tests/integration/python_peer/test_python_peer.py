#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""Two nodes and a peer in another language. The peer joins by token, meets both nodes, follows their publications, votes, declines one
validation and carries out another, verifies the package that comes of it with its own code, fetches and measures its files, and tells
the author; then it says nonsense, which the nodes refuse, count and survive; and it leaves.

usage: test_python_peer.py EVOMESH
"""
import base64
import json
import os
import re
import signal
import sys
import tempfile

import nacl.signing
import nacl.utils

import group
import wire
from nodes import Mesh
from peer import Peer
from wire import Refusal, ZERO

MANIFEST = """\
name: number
description: "A number, the higher the better"
evolve: [number.txt]
evaluator:
  command: [./evaluate]
  timeout: 60s
  memory: 256MiB
objectives:
  - {name: score, goal: maximize}
"""
EVALUATE = """\
#!/bin/sh
awk '{ printf "{\\"metrics\\": {\\"score\\": %s}}\\n", $3 }' number.txt
"""
BALLAST_BYTES = 200000  # a pinned file of several chunks
DECLINED = "the guest declines to measure this"
CONFIRMED = "the guest measures this"


def score(files):
    return float(re.match(r"number = ([0-9.]+)", files["number.txt"].decode())[1])


def measure(base, candidate):
    """The evaluator, written again: one objective, to be maximized."""
    before, after = score(base), score(candidate)
    improvement = float(f"{(after - before) / abs(before):.3g}")
    return [{"objective": "score", "goal": 0, "improvement": improvement, "dispersion": 0.0,
             "conclusion": 1 if improvement > 0 else 2 if improvement < 0 else 0}]


# --- the story ---

def make_agent(mesh):
    agent = os.path.join(mesh.scratch, "agent")
    os.mkdir(agent)
    contents = {"agent.yaml": MANIFEST.encode(), "evaluate": EVALUATE.encode(),
                "number.txt": b"number = 0.25 # evolve: 0..1\n", "ballast": os.urandom(BALLAST_BYTES)}
    for name, content in contents.items():
        with open(os.path.join(agent, name), "wb") as file:
            file.write(content)
    os.chmod(os.path.join(agent, "evaluate"), 0o755)
    return agent, contents


def found(mesh):
    agent, contents = make_agent(mesh)
    alpha = mesh.node("alpha", agent)
    alpha.cli("group", "create", "polyglots")
    alpha.start()
    beta = mesh.node("beta")
    beta.cli("group", "join", alpha.cli("group", "invite", "--local").strip(), "--yes")
    beta.start()
    mesh.until("the two nodes meet", lambda: mesh.status(alpha)["peers_up"] == mesh.status(beta)["peers_up"] == 1)
    mesh.until("alpha has measured its start", lambda: mesh.status(alpha)["objectives"][0]["now"] is not None)
    return alpha, beta, contents


def join(mesh, alpha, beta):
    declined = set()

    def accepts(request):
        return request["improvement"] not in declined

    mesh.peer = peer = Peer("guest", measure, accepts)
    peer.declined = declined
    token = alpha.cli("group", "invite", "--local").strip()
    answer = peer.join(token, 20)
    assert answer.kind.name == "MEMBERSHIP", answer["text"]
    assert len(peer.roster.members()) == 3
    mesh.until("the peer is up with both, by one address and an introduction",
               lambda: sum(other.up for other in peer.others.values()) == 2)
    mesh.until("both nodes find the peer up", lambda: mesh.status(alpha)["peers_up"] == mesh.status(beta)["peers_up"] == 2)
    # A token for one: whoever joined is told so again, nobody else gets in.
    other = Peer("intruder", measure, accepts)
    answer = other.join(token, 20)
    other.close()
    assert answer.kind.name == "REFUSED" and wire.ERRORS[answer["code"]] == "used_up", answer.fields
    return peer


def follow(mesh, peer):
    """The founder's publications from the first on, without a gap, and of the newest roster."""
    founder = peer.others[peer.charter.founder]
    mesh.until("all publications are pulled", lambda: founder.latest > 0 and founder.next > founder.latest)
    numbers = [said["publication"] for said in peer.log if said.author == founder.id and said.kind.name in ("ROSTER", "EVENT", "KNOWLEDGE")]
    assert numbers == list(range(1, founder.next)), numbers
    epochs = [said.epoch for said in peer.log if said.kind.name == "ROSTER"]
    assert epochs == [1, 2, 3], epochs


def fetch_agent(mesh, peer, contents):
    fetched = {}

    def task():
        for tree in (peer.charter.evaluator, peer.charter.start):
            fetched[tree] = yield from peer.fetch_tree(peer.charter.founder, tree)

    peer.start(task())
    mesh.until("the agent is fetched", lambda: len(fetched) == 2)
    files = {**fetched[peer.charter.evaluator], **fetched[peer.charter.start]}
    assert files == contents and set(fetched[peer.charter.start]) == {"number.txt"}


def propose(mesh, node, number, description):
    idea = tempfile.mkdtemp(dir=mesh.scratch)
    with open(os.path.join(idea, "number.txt"), "w", encoding="utf-8") as file:
        file.write(f"number = {number} # evolve: 0..1\n")
    node.cli("propose", idea, "--description", description)


def asked(peer, description):
    return next((said for said in peer.log if said.kind.name == "FEEDBACK_REQUEST" and said["description"] == description), None)


def event_of(peer, type, improvement, **metadata):
    for said in peer.log:
        if said.kind.name == "EVENT" and said["type"] == type and said["modification_id"] == improvement:
            entries = {entry["key"]: entry["value"] for entry in said["metadata"]}
            if metadata.items() <= entries.items():
                return said
    return None


def decline(mesh, peer, alpha):
    """What is declined counts for nothing: the policy needs two confirmations, and there is one."""
    propose(mesh, alpha, 0.5, DECLINED)
    request = mesh.until("feedback is asked for", lambda: asked(peer, DECLINED))
    improvement = request["improvement"]
    peer.declined.add(improvement)
    mesh.until("it is rejected, as too few measured it", lambda: event_of(peer, "improvement_rejected", improvement, reason="no_validators"))
    events = json.loads(alpha.cli("show", short(improvement), "--json"))["events"]
    votes = [{entry["key"]: entry["value"] for entry in one["metadata"]} for one in events if one["type"] == "feedback_received"]
    ours = [vote["recommendation"] for vote in votes if vote["member"] == short(peer.id)]
    assert ours == ["approve"], f"our vote is not told: {votes}"
    assert event_of(peer, "feedback_received", improvement) is None, "a vote of one was told on to all"


def short(id):
    return base64.b32encode(id).decode().lower()[:8]


def confirm(mesh, peer, alpha, beta):
    """What the peer measured again is in the certificate, which it verifies itself."""
    propose(mesh, alpha, 0.75, CONFIRMED)
    request = mesh.until("feedback is asked for", lambda: asked(peer, CONFIRMED))
    improvement = request["improvement"]
    mesh.until("it is applied", lambda: event_of(peer, "improvement_applied", improvement))
    package = mesh.until("the package is verified", lambda: next(
        (one for one in peer.packages.values() if one.statement["improvement"] == improvement), None))
    assert package.author == alpha_id(peer) and package.members == 3 and len(package.feedback) == 2
    ours = package.results[peer.id]
    assert ours["confirmed"] == 1 and ours.id in peer.acknowledged, "our result is not in it, or was not acknowledged"
    assert score({"number.txt": b"number = 0.75"}) == 0.75 and len(package.results) == 2
    transfer = mesh.until("it is handed to us", lambda: next((said for said in peer.log if said.kind.name == "KNOWLEDGE_TRANSFER"), None))
    assert transfer["package"] == package.id
    assert any(said.kind.name == "KNOWLEDGE" and said["package"] == package.id for said in peer.log)
    mesh.until("the author took our outcome", lambda: event_of(peer, "transfer_result", package.id, member=short(peer.id),
                                                               outcome="adopted", reason="adopted"))
    mesh.until("all that we said durably is acknowledged", lambda: not peer.outbox)
    mesh.until("beta, in C, adopts it too", lambda: mesh.status(beta)["packages_adopted"] == 1)
    return package


def alpha_id(peer):
    return peer.charter.founder


# --- the peer as author ---

def improve(mesh, peer, known, number):
    """An improvement of the peer's own on what `known` left: voted on and measured by the nodes. Returns the PACKAGE's fields."""
    evaluator = peer.charter.evaluator
    base = known.statement["candidate"]
    text = b"number = %s # evolve: 0..1\n" % number
    candidate = group.write_tree(evaluator, {"number.txt": text})
    changes = measure({"number.txt": b"number = 0.75"}, {"number.txt": text})
    for content in (base, candidate, text, b"number = 0.75 # evolve: 0..1\n"):
        peer.keep(content)
    about = {"improvement": nacl.utils.random(32), "candidate": wire.digest(candidate), "base": wire.digest(base),
             "evaluator": evaluator}
    for id in peer.others:
        peer.send(id, "FEEDBACK_REQUEST", **about, improvement_type=0, description="by the guest", changed_bytes=0,
                  changed_paths=[{"text": "number.txt"}], changes=changes)
    feedback = answers(mesh, peer, "FEEDBACK", about)
    assert all(one["recommendation"] == 0 for one in feedback), [one.fields for one in feedback]
    for id in peer.others:
        peer.send(id, "VALIDATION_REQUEST", **about, validation_type=1, improvement_type=0, deadline_ms=60000)
    results = answers(mesh, peer, "VALIDATION_RESULT", about)
    assert all(one["confirmed"] == 1 and one["changes"] == changes for one in results), [one.fields for one in results]
    return {"source_agent": peer.id, "improvement": about["improvement"], "improvement_type": 0, "code_pattern": "by the guest",
            "performance_impact": changes, "success_factors": [], "evaluator": evaluator, "base": base, "candidate": candidate,
            "applicability_context": [{"key": "platform", "value": "python"}], "lineage": [{"id": about["candidate"]}],
            "charter": peer.charter.packed, "rosters": [{"bytes": peer.roster.packed}],
            "asked": [{"id": id} for id in peer.others], "evidence": [{"bytes": one.packed} for one in feedback + results]}


def answers(mesh, peer, kind, about):
    """Every other member's answer about that candidate."""
    def found():
        said = [one for one in peer.log if one.kind.name == kind and one["candidate"] == about["candidate"]]
        return said if len(said) == len(peer.others) else None
    return mesh.until(f"{kind} of everybody", found)


def share(mesh, peer, fields):
    """Tells the members of a package, and returns what became of it at each: adopted and reason."""
    packed = peer.make("PACKAGE", fields).packed
    package = peer.keep(packed)
    peer.publish("KNOWLEDGE", package=package, summary="by the guest", size=len(packed))
    for id in peer.others:
        peer.send_durably(id, "KNOWLEDGE_TRANSFER", transfer=nacl.utils.random(32), package=package, size=len(packed))

    def outcomes():
        said = {one.author: (one["adopted"], one["reason"]) for one in peer.log
                if one.kind.name == "TRANSFER_RESULT" and one["package"] == package}
        return list(said.values()) if len(said) == len(peer.others) else None
    found = mesh.until("everybody's TRANSFER_RESULT", outcomes)
    mesh.until("KNOWLEDGE_TRANSFER is acknowledged", lambda: not peer.outbox)
    return found


def holds(peer, fields):
    """Does a package hold, by our own verification?"""
    try:
        return group.Package(peer.make("PACKAGE", fields).packed, peer.charter.id) is not None
    except Refusal:
        return False


def regroup(mesh, peer, alpha):
    """Somebody joins and is revoked: two epochs, and all links to alpha are made again."""
    before = peer.roster.epoch
    passer = Peer("passer", measure, None)
    answer = passer.join(alpha.cli("group", "invite", "--local").strip(), 20)
    passer.close()
    assert answer.kind.name == "MEMBERSHIP"
    # The command looks the name up in the store, which has the new roster a moment after the joiner.
    mesh.until("the passer is revoked", lambda: alpha.run("group", "revoke", "passer", "--yes").returncode == 0, 10)
    mesh.until("both rosters come", lambda: peer.roster.epoch == before + 2)
    assert peer.roster.is_revoked(passer.id) and len(peer.roster.members()) == 3


def be_author(mesh, peer, alpha, known):
    """What the peer proves, both nodes verify and adopt; what it doesn't prove, neither they nor its own verification take."""
    fields = improve(mesh, peer, known, b"0.9")
    first, second, third, fourth = fields["evidence"]
    theirs = [{"bytes": one.packed} for one in known.results.values() if one.author != peer.id]
    spoiled = {"bytes": fourth["bytes"][:-100] + bytes([fourth["bytes"][-100] ^ 1]) + fourth["bytes"][-99:]}
    forgeries = {
        "one confirmation short": {"evidence": [first, second, third]},
        "a vote twice": {"evidence": [first, second, third, fourth, fourth]},
        "a signature spoiled": {"evidence": [first, second, third, spoiled]},
        "a result about another candidate": {"evidence": [first, second, third] + theirs},
        "no feedback": {"evidence": [third, fourth]},
        "votes of members that were not asked": {"asked": fields["asked"][:1]},
        "another author": {"source_agent": peer.charter.founder},
        "another candidate": {"candidate": fields["base"]},
        "no roster": {"rosters": []},
        "another evaluator": {"evaluator": nacl.utils.random(32)}}
    for what, change in forgeries.items():
        forged = {**fields, **change}
        assert not holds(peer, forged), what
        outcomes = share(mesh, peer, forged)
        assert outcomes == [(0, "unverified")] * 2, f"{what}: {outcomes}"
    regroup(mesh, peer, alpha)
    fields["rosters"] = [{"bytes": peer.roster.packed}]  # of a later epoch than the votes
    assert holds(peer, fields)
    outcomes = share(mesh, peer, fields)
    assert outcomes == [(1, "adopted")] * 2, outcomes


# --- a node that falls ---

def restart(mesh, peer, alpha):
    """A node that is killed comes back, and neither uses a number twice nor loses its place."""
    def hellos():
        return sum(said.kind.name == "HELLO" and said.author == alpha_id(peer) for said in peer.log)

    before = hellos()
    alpha.stop(signal.SIGKILL)
    alpha.start()
    mesh.until("alpha says HELLO again", lambda: hellos() > before)
    mesh.until("alpha finds us up again", lambda: mesh.status(alpha)["peers_up"] == 2)
    ping(mesh, peer, alpha_id(peer))


# --- nonsense ---

def ping(mesh, peer, to):
    request = peer.send(to, "PING")
    return mesh.until("PONG", lambda: peer.answers.get(request.id), 10)


def post(peer, *frames):
    peer.links.send(peer.roster.rows[alpha_id(peer)]["curve"], *frames)


def nonsense_of(peer):
    """Pairs of frames and the error that alpha counts them under."""
    to = {"to": alpha_id(peer)}
    group_id, stranger = peer.charter.id, nacl.signing.SigningKey.generate()
    other = next(id for id in peer.others if id != to["to"])
    good = peer.make("PING", to)
    forged = bytes([good.seal[0] ^ 1]) + good.seal[1:]
    cut = peer.make("PING", to)
    cut = cut.body + b"\0"  # signed as it is, but with a byte too many
    cut = (cut, peer.key.sign(wire.signed_bytes(cut)).signature + peer.id)
    twin = peer.make("PING", to, seq=good.seq, time_ms=good.time_ms + 1)
    public = peer.links.public
    yield "signature", (good.body, forged)
    yield None, (good.body, good.seal)  # good after all
    yield "replayed", (good.body, good.seal)
    yield "equivocation", (twin.body, twin.seal)
    yield "malformed", cut
    yield "malformed", (b"one frame",)
    yield "malformed", (good.body, good.seal, b"a third")
    yield "malformed", (b"", good.seal)
    yield "malformed", (good.body, good.seal[:-1])
    yield "malformed", (b"\xc1" * 200, good.seal)
    for error, said in (
            ("group", peer.make("PING", to, group=nacl.utils.random(32))),
            ("stale", peer.make("PING", to, time_ms=wire.now_ms() - 301000)),
            ("stale", peer.make("PING", to, time_ms=wire.now_ms() + 310000)),
            ("addressee", peer.make("PING", {"to": other})),
            ("stranger", wire.say(stranger, "PING", group_id, peer.roster.epoch, 1, to)),
            ("stranger", peer.make("PING", to, epoch=1)),
            ("kind", peer.make("KNOWLEDGE", {"publication": 1, "package": ZERO, "summary": "", "size": 0})),
            ("denied", peer.make("JOIN_REQUEST", {**to, "invite": public, "curve": public, "name": "again"}))):
        yield error, (said.body, said.seal)


def talk_nonsense(mesh, peer, alpha):
    before = alpha.status()["refused"]
    expected = {}
    for error, frames in nonsense_of(peer):
        post(peer, *frames)
        if error:
            expected[error] = expected.get(error, 0) + 1
        ping(mesh, peer, alpha_id(peer))  # the same link, in order: it was judged, and the node goes on
    after = alpha.status()["refused"]
    counted = {error: after.get(error, 0) - before.get(error, 0) for error in expected}
    assert counted == expected, f"counted {counted}, expected {expected}"
    member = base64.b32encode(peer.id).decode().lower().rstrip("=")
    mesh.until("alpha tells the group what it proved", lambda: event_of(peer, "equivocation_proved", ZERO, member=member))
    assert alpha.status()["equivocations"] == 1
    missing = peer.send(alpha_id(peer), "FETCH", content=nacl.utils.random(32), offset=0)
    answer = mesh.until("FETCH of nothing is refused", lambda: peer.answers.get(missing.id))
    assert wire.ERRORS[answer["code"]] == "not_found"


def leave(mesh, peer, alpha, beta):
    said = peer.send_durably(alpha_id(peer), "LEAVE", reason="enough seen")
    mesh.until("both nodes see that the peer left", lambda: mesh.status(alpha)["members"] == mesh.status(beta)["members"] == 2)
    mesh.until("the two are up with each other", lambda: mesh.status(alpha)["peers_up"] == mesh.status(beta)["peers_up"] == 1)
    return said


def story(mesh):
    alpha, beta, contents = found(mesh)
    peer = join(mesh, alpha, beta)
    fetch_agent(mesh, peer, contents)
    follow(mesh, peer)
    decline(mesh, peer, alpha)
    package = confirm(mesh, peer, alpha, beta)
    be_author(mesh, peer, alpha, package)
    restart(mesh, peer, alpha)
    talk_nonsense(mesh, peer, alpha)
    assert not peer.refused, f"the nodes said what the text does not allow: {peer.refused}"
    leave(mesh, peer, alpha, beta)
    for node in (alpha, beta):
        code = node.stop()
        assert code == 0, f"{node.name} ended with {code}"


def main():
    mesh, failed = Mesh(sys.argv[1]), True
    try:
        story(mesh)
        failed = False
    finally:
        mesh.close(failed)
    print("all expectations hold")


if __name__ == "__main__":
    main()
