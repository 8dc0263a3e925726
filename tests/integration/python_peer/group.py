# SPDX-License-Identifier: MPL-2.0
"""Groups, tokens, trees, and the proof in a package, from docs/PROTOCOL.md alone. Nothing here needs a network."""
import base64
import re

import nacl.bindings

import wire
from wire import Refusal, ZERO

TOKEN_PREFIX = "evomesh1"
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}")


def require(holds, name, why):
    if not holds:
        raise Refusal(name, why)


# --- tokens ---

def link_public(secret):
    return nacl.bindings.crypto_scalarmult_base(secret)


def read_token(text):
    text = text.strip()
    require(text.startswith(TOKEN_PREFIX), "input", "no token")
    encoded = text[len(TOKEN_PREFIX):].upper()
    data = base64.b32decode(encoded + "=" * (-len(encoded) % 8))
    record, checksum = data[:-4], data[-4:]
    require(wire.digest(record)[:4] == checksum, "input", "checksum")
    return wire.unpack_record("invite", record)


# --- charter and rosters ---

SHARES = ("min_improvement", "approve_threshold", "review_threshold", "quorum", "consensus_threshold")


class Charter:
    def __init__(self, packed):
        statement = wire.open_packed(packed, "CHARTER")
        self.packed = packed
        self.id = wire.digest(statement.body)
        self.founder, self.evaluator, self.start = (statement[name] for name in ("founder", "evaluator", "start"))
        require(statement.author == self.founder, "denied", "the founder did not sign the charter")
        require((statement.group, statement.epoch, statement.seq) == (ZERO, 0, 0), "input", "the charter's head")
        require(NAME.fullmatch(statement["name"]) and NAME.fullmatch(statement["agent"]), "input", "names")
        self.policy = wire.unpack_record("policy", statement["policy"])
        self._check_policy()

    def _check_policy(self):
        policy = self.policy
        day = 86400000
        require(all(0 <= policy[name] <= 1 for name in SHARES), "input", "a share")
        require(policy["review_threshold"] <= policy["approve_threshold"], "input", "thresholds")
        for name, least, most in (("feedback_deadline_ms", 1, day), ("max_validators", 1, 256), ("held_expiry_ms", 1, 366 * day),
                                  ("min_confirmations", 0, policy["max_validators"]), ("change_bytes_max", 0, 67108864)):
            require(least <= policy[name] <= most, "input", name)


class Roster:
    def __init__(self, packed, charter):
        statement = wire.open_packed(packed, "ROSTER")
        require(statement.group == charter.id, "group", "a roster of another group")
        self.packed, self.id, self.author = packed, statement.id, statement.author
        self.epoch, self.time_ms, self.previous = statement.epoch, statement.time_ms, statement["previous"]
        require(self.epoch > 0 and (self.epoch == 1) == (self.previous == ZERO), "malformed", "epoch")
        self.rows = {}
        before, curves = ZERO, set()
        for row in statement["members"]:
            require(before < row["id"] and row["curve"] != ZERO, "malformed", "order or keys of the members")
            require(row["curve"] not in curves and NAME.fullmatch(row["name"]), "malformed", "link key or name")
            require(1 <= row["since_epoch"] <= self.epoch, "malformed", "since_epoch")
            require(row["revoked_epoch"] == 0 or row["since_epoch"] < row["revoked_epoch"] <= self.epoch, "malformed", "revoked")
            before = row["id"]
            curves.add(row["curve"])
            self.rows[row["id"]] = row

    def was_member(self, id, epoch):
        row = self.rows.get(id)
        return row is not None and row["since_epoch"] <= epoch and (row["revoked_epoch"] == 0 or row["revoked_epoch"] > epoch)

    def is_revoked(self, id):
        return id in self.rows and self.rows[id]["revoked_epoch"] != 0

    def is_member(self, id):
        return id in self.rows and not self.is_revoked(id)

    def is_admin(self, id):
        return id in self.rows and self.rows[id]["role"] == 1 and not self.is_revoked(id)

    def by_curve(self, curve):
        return next((id for id, row in self.rows.items() if row["curve"] == curve), None)

    def members(self):
        return [id for id in self.rows if self.is_member(id)]

    def followed_by(self, after, charter):
        """May `after` take this one's place?"""
        if after.epoch <= self.epoch:
            return False
        if after.epoch != self.epoch + 1:
            return after.author == charter.founder
        if after.previous != self.id or not self.is_admin(after.author):
            return False
        for id, row in after.rows.items():
            old = self.rows.get(id)
            if old is None:
                if row["since_epoch"] != after.epoch:
                    return False
            elif row["since_epoch"] != old["since_epoch"]:
                return False
            elif row["revoked_epoch"] != old["revoked_epoch"] and (old["revoked_epoch"], row["revoked_epoch"]) != (0, after.epoch):
                return False
        return set(self.rows) <= set(after.rows) and any(after.is_admin(id) for id in after.rows)


# --- trees ---

class File:
    def __init__(self, row):
        require(isinstance(row, list) and len(row) == 4, "malformed", "a file")
        self.path, self.executable, self.content, self.size = row
        require(type(self.path) is str and self.executable in (0, 1) and type(self.executable) is int, "malformed", "a file")
        require(type(self.content) is bytes and len(self.content) == 32 and type(self.size) is int, "malformed", "a file")
        require(0 <= self.size <= 4194304 and len(self.path.encode()) <= 200, "malformed", "a file's size or path")
        for part in self.path.split("/"):
            low = part.lower()
            require(part not in ("", ".", "..") and low != ".git" and not low.startswith(".evomesh"), "malformed", "a path")
            require(not any(ord(c) < 32 or 0x7f <= ord(c) <= 0x9f for c in part), "malformed", "a path")


class Tree:
    def __init__(self, data):
        value = wire.unpack(data)
        require(isinstance(value, list) and len(value) == 2 and isinstance(value[1], list), "malformed", "a tree")
        require(type(value[0]) is bytes and len(value[0]) == 32 and len(value[1]) <= 256, "malformed", "a tree")
        self.id, self.evaluator = wire.digest(data), value[0]
        self.files = [File(row) for row in value[1]]
        paths = [file.path for file in self.files]
        encoded = [path.encode() for path in paths]
        require(all(a < b for a, b in zip(encoded, encoded[1:])), "malformed", "order of paths")
        require(not any(b.startswith(a + "/") for a in paths for b in paths), "malformed", "file and directory")


def write_tree(evaluator, files):
    """The bytes of a tree: `files` are bytes by path, none of them executable."""
    rows = [[path, 0, wire.digest(files[path]), len(files[path])] for path in sorted(files, key=str.encode)]
    return wire.pack([evaluator, rows])


# --- packages ---

def min_confirmations(policy, members):
    return policy["min_confirmations"] or min(3, members - 1)


def consensus(policy, asked, recommendations):
    replies = len(recommendations)
    if replies == 0:
        return "reject"
    if replies / asked < policy["quorum"]:
        return "review"
    score = recommendations.count(0) / replies
    return "approve" if score >= policy["approve_threshold"] else "review" if score >= policy["review_threshold"] else "reject"


class Package:
    """A package that holds: the numbers are the steps of the text. Raises Refusal otherwise."""

    def __init__(self, packed, trusted):
        statement = wire.open_packed(packed, "PACKAGE")  # 1
        self.statement, self.id, self.author, self.epoch = statement, statement.id, statement.author, statement.epoch
        require(statement["source_agent"] == self.author, "impostor", "source_agent")
        self.charter = Charter(statement["charter"])  # 2
        require(self.charter.id == statement.group == trusted, "group", "another group")
        require(self.charter.evaluator == statement["evaluator"], "unverified", "evaluator")
        self.base, self.candidate = Tree(statement["base"]), Tree(statement["candidate"])  # 3
        require(self.base.evaluator == self.candidate.evaluator == self.charter.evaluator, "unverified", "trees")
        self.rosters = [Roster(blob["bytes"], self.charter) for blob in statement["rosters"]]  # 4
        require(self.rosters and all(r.author == self.charter.founder for r in self.rosters), "unverified", "rosters")
        require(self.was_member(self.author, self.epoch), "stranger", "the author")  # 6
        self.feedback, self.results = {}, {}
        for blob in statement["evidence"]:  # 7
            self._take_evidence(wire.open_packed(blob["bytes"], "FEEDBACK", "VALIDATION_RESULT"))
        self._count_members()
        self._check_policy()

    def roster_of(self, epoch):  # 5
        later = [roster for roster in self.rosters if roster.epoch >= epoch]
        return min(later, key=lambda roster: roster.epoch) if later else None

    def was_member(self, id, epoch):
        roster = self.roster_of(epoch)
        return roster is not None and roster.was_member(id, epoch)

    def _take_evidence(self, said):
        asked = {row["id"] for row in self.statement["asked"]}
        require(said.group == self.charter.id, "group", "evidence")
        require(self.was_member(said.author, said.epoch) and said.author in asked and said.author != self.author,
                "stranger", "evidence")
        about = (said["to"], said["candidate"], said["base"], said["evaluator"])
        require(about == (self.author, self.candidate.id, self.base.id, self.charter.evaluator), "unverified", "about something else")
        votes = self.feedback if said.kind.name == "FEEDBACK" else self.results
        require(said.author not in votes, "unverified", "twice")
        require(votes is self.feedback or said["validation_type"] & 1, "unverified", "not measured")
        votes[said.author] = said

    def _count_members(self):  # 8
        said = list(self.feedback.values()) + list(self.results.values())
        epoch = max((one.epoch for one in said), default=self.epoch)
        roster = self.roster_of(epoch)
        self.members = sum(roster.was_member(id, epoch) for id in roster.rows)

    def _check_policy(self):
        policy = self.charter.policy
        if self.members == 1 and not self.statement["evidence"] and policy["allow_alone"]:
            return
        recommendations = [one["recommendation"] for one in self.feedback.values()]
        outcome = consensus(policy, len(self.statement["asked"]), recommendations)  # 9
        require(outcome != "reject", "unverified", "consensus")
        confirmed = sum(one["confirmed"] for one in self.results.values())  # 10
        if not self.results:
            require(policy["allow_unvalidated"], "unverified", "not validated")
            return
        require(confirmed >= min_confirmations(policy, self.members), "unverified", f"{confirmed} confirmations")
        require(confirmed / len(self.results) >= policy["consensus_threshold"], "unverified", "share of confirmations")
