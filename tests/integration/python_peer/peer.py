# SPDX-License-Identifier: MPL-2.0
"""A member of a group, from docs/PROTOCOL.md alone: joins, meets, judges, follows publications, fetches, votes, measures again,
and takes knowledge over. One thread; whoever owns it calls `step`.

What the peer thinks of a change comes from its owner: `measure (base, candidate)` is given the files of both trees as dicts of
path and bytes, and returns the deltas; `accepts (request)` says whether a VALIDATION_REQUEST is taken on.
"""
import random
import time

import nacl.signing
import nacl.utils
import zmq

import group
import wire
from group import Charter, Package, Roster, Tree
from links import Links
from wire import Refusal, Statement, ZERO

WINDOW = 1024
FRESHNESS_MS = 300000
PRESENCE_S = 1.0
SUSPECT_S, LOST_S = 4.0, 10.0
RETRY_S, RESEND_S = 2.0, 10.0
CHUNK_BYTES = 65536
PLATFORM = "python"
ACKNOWLEDGED = ("VALIDATION_RESULT", "KNOWLEDGE_TRANSFER", "TRANSFER_RESULT", "LEAVE")


class Other:
    """Another member, and what is known of it."""

    def __init__(self, id, curve):
        self.id, self.curve = id, curve
        self.address, self.up = None, False
        self.hellos, self.hello_at, self.tries = set(), 0.0, 0
        self.heard, self.ping_at, self.presence_seq = 0.0, 0.0, 0
        self.next, self.latest = 1, 0  # publications: the one expected, and how many there are
        self.pull, self.pull_at = None, 0.0
        self.windows = [{}, {}]  # of even and odd numbers: seq to (id, time_ms, body)
        self.floors = [0, 0]

    def highest(self):
        return max(max(list(window) + [floor]) for window, floor in zip(self.windows, self.floors))


class Fetch:
    """What a task waits for: a content of a member. The task gets its bytes, or None if it is not to be had."""

    def __init__(self, member, content):
        self.member, self.content = member, content
        self.bytes, self.total, self.request, self.retry_at, self.task = b"", None, None, 0.0, None


class Peer:
    def __init__(self, name, measure, accepts):
        self.name, self.measure, self.accepts = name, measure, accepts
        self.key = nacl.signing.SigningKey.generate()
        self.id = bytes(self.key.verify_key)
        self.secret = nacl.utils.random(32)
        self.public = group.link_public(self.secret)
        self.seq, self.charter, self.roster, self.links = 0, None, None, None
        self.others = {}  # by id
        self.durable = set()  # ids of durable statements heard
        self.outbox = {}  # id: (statement, to, when to send it again)
        self.fetches, self.tried = [], {}
        self.presence_at, self.has_joined = 0.0, False
        self.publications, self.contents = [], {}  # what others may pull and fetch
        # For the owner: what happened.
        self.refused = []  # (error, why) of what we refused
        self.log = []  # statements that counted, in order
        self.packages = {}  # verified, by id
        self.acknowledged = set()
        self.answers = {}  # REFUSED and PONG, by request

    # --- saying ---

    def make(self, name, fields, **head):
        self.seq += 1
        head = {"group": self.charter.id, "epoch": self.roster.epoch, "seq": self.seq, **head}
        return wire.say(self.key, name, fields=fields, **head)

    def send(self, id, name, **fields):
        statement = self.make(name, {"to": id, **fields})
        self.links.send(self.roster.rows[id]["curve"], statement.body, statement.seal)
        return statement

    def reply(self, request, name, **fields):
        statement = self.make(name, {"to": request.author, "request": request.id, **fields})
        self.links.reply(self.roster.rows[request.author]["curve"], statement.body, statement.seal)
        return statement

    def send_durably(self, id, name, **fields):
        statement = self.send(id, name, **fields)
        self.outbox[statement.id] = (statement, id, time.monotonic() + RESEND_S)
        return statement

    # --- joining ---

    def join(self, token, seconds):
        """By a token; returns REFUSED or MEMBERSHIP, the latter after taking it in."""
        invite = group.read_token(token)
        assert invite["expires_ms"] > wire.now_ms() and invite["bound_to"] in (ZERO, self.id)
        public = group.link_public(invite["seed"])
        fields = {"to": invite["issuer"], "invite": public, "curve": self.public, "name": self.name}
        self.seq += 1
        request = wire.say(self.key, "JOIN_REQUEST", invite["group"], 0, self.seq, fields)
        self.links = self.links or Links(self.secret, self.public, invite["group"], self._standing, self._receive)
        socket = self.links.open(zmq.DEALER, invite["server"], invite["addresses"][0]["rpc"], invite["seed"], public)
        socket.send_multipart((request.body, request.seal))
        until = time.monotonic() + seconds
        while True:
            assert socket.poll(max(0, until - time.monotonic()) * 1000), "no answer to JOIN_REQUEST"
            answer = Statement(*socket.recv_multipart()).read_head().verify().read()
            if answer.author == invite["issuer"] and answer["to"] == self.id and answer["request"] == request.id:
                break
        socket.close()
        if answer.kind.name == "MEMBERSHIP":
            self._enter(invite, answer)
        return answer

    def _enter(self, invite, membership):
        self.charter = Charter(membership["charter"])
        assert self.charter.id == invite["group"]
        self.roster = Roster(membership["roster"], self.charter)
        assert self.roster.is_admin(self.roster.author) and self.roster.rows[self.id]["curve"] == self.public
        self._take_members()
        self._link(self.others[invite["issuer"]], membership["addresses"][0])

    def _standing(self, _, key):
        """ZAP's status for a link key: the roster, and nobody else."""
        id = self.roster.by_curve(key) if self.roster else None
        if id is None:
            return 300
        return 200 if self.roster.is_member(id) else 400

    def _take_members(self):
        for id in self.roster.rows:
            if id == self.id:
                continue
            if self.roster.is_revoked(id):
                other = self.others.pop(id, None)
                if other:
                    self.links.disconnect(other.curve)
            elif id not in self.others:
                self.others[id] = Other(id, self.roster.rows[id]["curve"])

    # --- judging ---

    def _receive(self, key, body, seal):
        try:
            if body is None:
                raise Refusal("malformed", "frames")
            self._judge(key, Statement(body, seal))
        except Refusal as refusal:
            self.refused.append((refusal.name, str(refusal)))

    def _judge(self, key, said, pulled=False):
        said.read_head()
        group.require(said.group == self.charter.id, "group", said.kind.name)
        is_introduction = key is not None and said.kind.name == "PRESENCE"
        way = "PUB" if key is None or pulled else "RPC"
        group.require(said.kind.way == way or is_introduction, "kind", said.kind.name)
        group.require(said.author != self.id, "replayed", "our own")
        group.require(not self.roster.is_revoked(said.author), "revoked", said.kind.name)
        row = self.roster.rows.get(said.author)
        group.require(row is not None and row["since_epoch"] <= said.epoch, "stranger", said.kind.name)
        other = self.others[said.author]
        if key is not None and not pulled:
            group.require(self.roster.by_curve(key) is not None if is_introduction else key == other.curve, "impostor", said.kind.name)
        is_live = said.kind.row_class == "live"
        group.require(not is_live or abs(said.time_ms - wire.now_ms()) <= FRESHNESS_MS, "stale", said.kind.name)
        said.verify().read()
        group.require("to" not in said.fields or said["to"] == self.id, "addressee", said.kind.name)
        if is_introduction:
            self._on_introduction(said, other)
            return
        is_new = self._is_new(said, other, is_live)
        other.heard = time.monotonic()
        if "publication" in said.fields and not is_live:
            self._on_publication(said, other, pulled)
            return
        if said.kind.name in ACKNOWLEDGED:
            self.send(said.author, "ACK", statement=said.id)
        if is_new:
            self.log.append(said)
            getattr(self, "_on_" + said.kind.name.lower(), lambda *_: None)(said, other)

    def _is_new(self, said, other, is_live):
        """Counts the number; False for a durable statement that was heard before."""
        half = said.seq % 2
        window = other.windows[half]
        if not is_live and said.id in self.durable:
            return False
        if said.seq in window:
            raise Refusal("replayed" if window[said.seq][2] == said.body else "equivocation", f"{said.kind.name} {said.seq}")
        group.require(not is_live or said.seq > other.floors[half], "stale", f"{said.kind.name} {said.seq}")
        if said.seq > other.floors[half]:
            window[said.seq] = (said.id, said.time_ms, said.body)
            if len(window) > WINDOW:
                other.floors[half] = min(window)
                del window[other.floors[half]]
        if not is_live:
            self.durable.add(said.id)
        return True

    # --- meeting ---

    def _link(self, other, address):
        other.address, other.tries, other.hello_at = address, 0, 0.0
        self.links.connect(other.curve, address)

    def _told(self, other, addresses):
        if addresses and other.address not in addresses:
            self._link(other, addresses[0])

    def _about_us(self, other):
        return {"roster": self.roster.packed, "addresses": [self.links.address], "validation_types": 1, "platform": PLATFORM,
                "seq_seen": other.highest(), "publication": len(self.publications)}

    def _meet(self, said, other):
        self._told(other, said["addresses"])
        self.seq = max(self.seq, said["seq_seen"])
        if said["roster"]:
            self._take_roster(said["roster"])
        self._note_latest(other, said["publication"])

    def _on_hello(self, said, other):
        self._meet(said, other)
        self.reply(said, "WELCOME", **self._about_us(other))
        if other.up:  # it started anew
            self._say_again(other)
        else:
            other.hello_at = min(other.hello_at, time.monotonic())

    def _say_again(self, other):
        for id, (statement, to, _) in self.outbox.items():
            if to == other.id:
                self.outbox[id] = (statement, to, 0.0)

    def _on_welcome(self, said, other):
        if said["request"] in other.hellos:
            self._meet(said, other)
            other.up, other.tries, other.hello_at, other.hellos = True, 0, float("inf"), set()
            self._say_again(other)

    def _on_presence(self, said, other):
        if said["state"] == 2:
            self._lose(other)
            return
        other.presence_seq = max(other.presence_seq, said.seq)
        self._told(other, said["addresses"])
        self._note_latest(other, said["publication"])

    def _on_introduction(self, said, other):
        if not other.up and said["state"] != 2 and said.seq > other.presence_seq:
            self._told(other, said["addresses"])

    def _on_ping(self, said, _):
        self.reply(said, "PONG")

    def _on_pong(self, said, _):
        self.answers[said["request"]] = said

    def _lose(self, other):
        other.up, other.pull, other.hello_at = False, None, time.monotonic() + 0.5
        for fetch in [fetch for fetch in self.fetches if fetch.member == other.id]:
            self._end_fetch(fetch, None)

    def _take_roster(self, packed):
        roster = Roster(packed, self.charter)
        if self.roster.followed_by(roster, self.charter):
            self.roster = roster
            self._take_members()

    # --- publications ---

    def _note_latest(self, other, latest):
        other.latest = max(other.latest, latest)

    def _on_publication(self, said, other, pulled):
        """Counts if it is the one expected. One that came ahead of its turn counts when it comes again, by PULLED."""
        number = said["publication"]
        self._note_latest(other, number)
        if number < other.next or (number > other.next and not pulled):
            return
        other.next = number + 1
        self.log.append(said)
        if said.kind.name == "ROSTER":
            self._take_roster(said.packed)
        elif said.kind.name == "KNOWLEDGE":
            self.try_package(said.author, said["package"], ZERO)

    def publish(self, name, **fields):
        statement = self.make(name, {"publication": len(self.publications) + 1, **fields})
        self.publications.append(statement.packed)
        self.links.publish(statement)

    def _on_pull(self, said, _):
        first = max(said["from"], 1)
        statements = [{"bytes": packed} for packed in self.publications[first - 1:first + 63]]
        self.reply(said, "PULLED", last=len(self.publications), statements=statements)

    def _on_pulled(self, said, other):
        if other.pull != said["request"]:
            return
        before, other.pull, other.latest = other.next, None, said["last"]
        for blob in said["statements"]:
            one = wire.split(blob["bytes"])
            group.require(one.author == said.author, "impostor", "pulled")
            self._judge(other.curve, one, pulled=True)
        other.pull_at = 0.0 if other.next > before else time.monotonic() + 0.5

    # --- fetching ---

    def start(self, task):
        """Runs a generator that yields Fetch objects."""
        self._go_on(task, None)

    def _go_on(self, task, value):
        try:
            fetch = task.send(value)
        except StopIteration:
            return
        fetch.task = task
        self.fetches.append(fetch)
        self._ask(fetch)

    def _ask(self, fetch):
        fetch.retry_at = time.monotonic() + RETRY_S
        fetch.request = self.send(fetch.member, "FETCH", content=fetch.content, offset=len(fetch.bytes)).id

    def _end_fetch(self, fetch, data):
        self.fetches.remove(fetch)
        self._go_on(fetch.task, data)

    def _on_chunk(self, said, _):
        fetch = next((one for one in self.fetches if one.request == said["request"]), None)
        if fetch is None:
            return
        expected = min(CHUNK_BYTES, said["total"] - len(fetch.bytes))
        assert said["content"] == fetch.content and said["offset"] == len(fetch.bytes) and len(said["bytes"]) == expected
        assert fetch.total in (None, said["total"])
        fetch.total = said["total"]
        fetch.bytes += said["bytes"]
        if len(fetch.bytes) < fetch.total:
            self._ask(fetch)
        else:
            assert wire.digest(fetch.bytes) == fetch.content, "a content that is not what its hash says"
            self._end_fetch(fetch, fetch.bytes)

    def keep(self, data):
        """Makes a content that others can fetch; returns its id."""
        self.contents[wire.digest(data)] = data
        return wire.digest(data)

    def _on_fetch(self, said, _):
        data, offset = self.contents.get(said["content"]), said["offset"]
        if data is None or offset > len(data):
            self._refuse(said, "not_found" if data is None else "input")
        else:
            self.reply(said, "CHUNK", content=said["content"], offset=offset, total=len(data),
                       bytes=data[offset:offset + CHUNK_BYTES])

    def _refuse(self, said, error):
        code = next(code for code, name in wire.ERRORS.items() if name == error)
        self.reply(said, "REFUSED", code=code, text=error)

    def _on_refused(self, said, _):
        self.answers[said["request"]] = said
        fetch = next((one for one in self.fetches if one.request == said["request"]), None)
        if fetch and wire.ERRORS[said["code"]] != "busy":
            self._end_fetch(fetch, None)

    def fetch_tree(self, member, id):
        """For `yield from`: the files of a tree, by path."""
        data = yield Fetch(member, id)
        if data is None:
            return None
        tree, files = Tree(data), {}
        assert tree.evaluator in (self.charter.evaluator, ZERO)
        for file in tree.files:
            files[file.path] = yield Fetch(member, file.content)
            assert files[file.path] is not None and len(files[file.path]) == file.size, file.path
        return files

    # --- feedback and validation ---

    def _on_feedback_request(self, said, _):
        about = {name: said[name] for name in ("candidate", "base", "evaluator")}
        group.require(about["evaluator"] == self.charter.evaluator, "input", "another evaluator")
        self.reply(said, "FEEDBACK", **about, recommendation=0, reasons=[{"text": "no objection from another language"}])

    def _on_validation_request(self, said, _):
        if not self.accepts(said):
            self.reply(said, "VALIDATION_DECLINED", reason="busy")
            return
        self.reply(said, "VALIDATION_ACCEPTED")
        self.start(self._validate(said))

    def _validate(self, said):
        started = time.monotonic()
        candidate = yield from self.fetch_tree(said.author, said["candidate"])
        base = yield from self.fetch_tree(said.author, said["base"])
        assert candidate is not None and base is not None
        changes = self.measure(base, candidate)
        about = {name: said[name] for name in ("candidate", "base", "evaluator", "validation_type")}
        confirmed = self._is_acceptable(changes)
        self.send_durably(said.author, "VALIDATION_RESULT", request=said.id, **about, confirmed=int(confirmed),
                          reason="confirmed" if confirmed else "not_better", changes=changes, repeats=1, platform=PLATFORM,
                          duration_ms=int(1000 * (time.monotonic() - started)))

    def _is_acceptable(self, changes):
        least = self.charter.policy["min_improvement"]
        return any(one["conclusion"] == 1 for one in changes) and sum(one["improvement"] for one in changes) >= least

    # --- knowledge ---

    def _on_knowledge_transfer(self, said, _):
        self.try_package(said.author, said["package"], said["transfer"])

    def try_package(self, author, package, transfer):
        if package in self.tried:
            if transfer != ZERO:
                self.tried[package]["transfer"] = transfer
                self._say_outcome(author, package)
            return
        self.tried[package] = {"transfer": transfer, "outcome": None}
        self.start(self._try(author, package))

    def _try(self, author, id):
        data = yield Fetch(author, id)
        outcome = {"adopted": 0, "reason": "unavailable", "changes": []}
        if data is not None:
            try:
                package = Package(data, self.charter.id)
                assert package.id == id
                self.packages[id] = package
                candidate = yield from self.fetch_tree(author, package.candidate.id)
                base = yield from self.fetch_tree(author, package.base.id)
                changes = self.measure(base, candidate)
                adopts = self._is_acceptable(changes)
                outcome = {"adopted": int(adopts), "reason": "adopted" if adopts else "not_better", "changes": changes}
            except Refusal as refusal:
                self.refused.append((refusal.name, f"package: {refusal}"))
                outcome["reason"] = "unverified"
        self.tried[id]["outcome"] = outcome
        self._say_outcome(author, id)

    def _say_outcome(self, author, id):
        tried = self.tried[id]
        if tried["outcome"] is not None:
            self.send_durably(author, "TRANSFER_RESULT", transfer=tried["transfer"], package=id, **tried["outcome"])

    def _on_ack(self, said, _):
        self.acknowledged.add(said["statement"])
        self.outbox.pop(said["statement"], None)

    # --- time ---

    def step(self, timeout_ms=50):
        self.links.step(timeout_ms)
        now = time.monotonic()
        if now >= self.presence_at:
            self.say_presence(1 if self.has_joined else 0)
            self.has_joined, self.presence_at = True, now + PRESENCE_S
        for other in list(self.others.values()):
            self._tick(other, now)
        for fetch in list(self.fetches):
            if now >= fetch.retry_at:
                self._ask(fetch)
        for id, (statement, to, at) in list(self.outbox.items()):
            if now >= at and to in self.others and self.others[to].up:
                self.links.send(self.others[to].curve, statement.body, statement.seal)
                self.outbox[id] = (statement, to, now + RESEND_S)

    def say_presence(self, state):
        self.links.publish(self.make("PRESENCE", {"state": state, "curve": self.public, "addresses": [self.links.address],
                                                  "validation_types": 1, "platform": PLATFORM,
                                                  "publication": len(self.publications)}))

    def _tick(self, other, now):
        if other.up and now >= other.heard + LOST_S:
            self._lose(other)
        if other.up and now >= other.heard + SUSPECT_S and now >= other.ping_at:
            self.send(other.id, "PING")
            other.ping_at = now + PRESENCE_S
        if other.address and not other.up and now >= other.hello_at:
            if other.tries >= 3:
                self.links.connect(other.curve, other.address)
            other.hellos.add(self.send(other.id, "HELLO", request=ZERO, **self._about_us(other)).id)
            other.tries += 1
            span = min(30.0, 0.5 * 2 ** other.tries)
            other.hello_at = now + span / 2 + random.random() * span / 2
        if other.up and other.latest >= other.next and now >= other.pull_at:
            other.pull = self.send(other.id, "PULL", **{"from": other.next}).id
            other.pull_at = now + RETRY_S

    def close(self):
        if self.links:
            self.links.close()
