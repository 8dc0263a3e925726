# SPDX-License-Identifier: MPL-2.0
"""README's "Two machines", word for word, on two network namespaces that a pair of virtual cards joins.

The first machine's node comes from "Your own program". The second joins at a terminal, where somebody reads what it would run and
says no, then yes; a third node joins by a script's --yes. Then what one of them finds must be live on the others.
"""
import os
import shutil
import subprocess
import sys

sys.path.insert (0, os.path.join (os.path.dirname (os.path.abspath (__file__)), "..", "lib"))
from mesh import Node, Terminal, block_with, expect, main, wait_for, words_of

ADDRESSES = {"one": "10.0.0.1", "two": "10.0.0.2"}


def ip (*words, check=True):
    done = subprocess.run (["ip", *words], capture_output=True, text=True)
    expect (done.returncode == 0 or not check,
            "two machines can't be tested here: `ip %s`: %s; it needs root and network namespaces" %
            (" ".join (words), done.stderr.strip ()))


class Machines:
    """Two namespaces, each with one end of a cable."""

    def __init__ (self):
        self.spaces = {name: "evomesh-%d-%s" % (os.getpid (), name) for name in ADDRESSES}

    def __enter__ (self):
        cards = ["em%d%s" % (os.getpid () % 100000, name) for name in self.spaces]
        for space in self.spaces.values ():
            ip ("netns", "add", space)
        ip ("link", "add", cards[0], "type", "veth", "peer", "name", cards[1])
        for card, (name, space) in zip (cards, self.spaces.items ()):
            ip ("link", "set", card, "netns", space)
            ip ("-n", space, "address", "add", ADDRESSES[name] + "/24", "dev", card)
            ip ("-n", space, "link", "set", card, "up")
            ip ("-n", space, "link", "set", "lo", "up")
        return self

    def __exit__ (self, *_):
        for space in self.spaces.values ():
            ip ("netns", "delete", space, check=False)

    def on (self, name):
        return ["ip", "netns", "exec", self.spaces[name]]


def two_machines (mesh):
    with Machines () as machines:
        try:
            follow (mesh, machines)
            mesh.stop ()
        finally:
            mesh.close ()


def joins (mesh, machines, home, init, join, founder):
    """At a terminal: no leaves nothing here, but its keys are gone in the group, which says so; a new node's yes is a member."""
    def tree ():
        return sorted (os.path.join (path, name) for path, _, names in os.walk (os.path.join (home, "n2")) for name in names
                       if not name.startswith ("evomesh.db"))

    def at_terminal ():
        token = founder.cli ("group", "invite").out.strip ()
        return Terminal (mesh, [*machines.on ("two"), *[token if word == "TOKEN" else word for word in join]], home)
    question = r"(?s)evaluator id .*\./evaluate.*--private DIR.*no takes its keys out again.*\[y/N\]"
    before = tree ()
    terminal = at_terminal ()
    terminal.wait (question)
    terminal.type ("n\n")
    code = terminal.end ()
    expect (code == 1 and "nothing was changed" in terminal.seen and tree () == before, "no: %d %s" % (code, terminal.seen))
    terminal = at_terminal ()
    code = terminal.end ()
    expect (code == 1 and "evomesh init" in terminal.seen, "again with the same keys: %d %s" % (code, terminal.seen))
    shutil.rmtree (os.path.join (home, "n2"))
    mesh.run (*machines.on ("two"), *init, cwd=home)
    terminal = at_terminal ()
    terminal.wait (question)
    terminal.type ("y\n")
    code = terminal.end ()
    expect (code == 0 and "Joined group my-group" in terminal.seen, "yes: %d %s" % (code, terminal.seen))


def follow (mesh, machines):
    own = block_with ("README.md", "evomesh agent new")
    lines = block_with ("README.md", "--advertise tcp://10.0.0.1")
    expect (len (own) == 5 and len (lines) == 5, "README promises five lines each")
    homes = {name: mesh.path (name) for name in ADDRESSES}
    for home in homes.values ():
        os.mkdir (home)
    for line in own[:4]: # the fifth is `run`, which the first line here says with its addresses
        mesh.run (*machines.on ("one"), *words_of (line), cwd=homes["one"], timeout=120)
    first = Node (mesh, "n1", os.path.join (homes["one"], "n1"))
    first.prefix = machines.on ("one")
    mesh.nodes["n1"] = first
    first.start (words=words_of (lines[0]), cwd=homes["one"])
    token = mesh.run (*machines.on ("one"), *words_of (lines[1]), cwd=homes["one"]).out.strip ()
    expect (token.startswith ("evomesh1"), "invite printed %r" % token)
    mesh.run (*machines.on ("two"), *words_of (lines[2]), cwd=homes["two"])
    joins (mesh, machines, homes["two"], words_of (lines[2]), words_of (lines[3]), first)
    second = Node (mesh, "n2", os.path.join (homes["two"], "n2"))
    second.prefix = machines.on ("two")
    mesh.nodes["n2"] = second
    second.start (words=words_of (lines[4]), cwd=homes["two"])
    wait_for ("the two machines see each other",
              lambda: first.status ()["peers_up"] == 1 and second.status ()["peers_up"] == 1)
    third = Node (mesh, "n3", os.path.join (homes["two"], "n3"))
    third.prefix = machines.on ("two")
    mesh.nodes["n3"] = third
    mesh.run (*machines.on ("two"), "evomesh", "init", "--dir", "n3", "--name", "third", cwd=homes["two"])
    mesh.run (*machines.on ("two"), "evomesh", "group", "join", token, "--yes", "--dir", "n3", cwd=homes["two"])
    third.config (proposers="[]")  # it would soon come to what the others find by itself: two numbers are tuned in seconds
    third.start ("--listen", "tcp://10.0.0.2:7501")
    group = (first, second, third)
    expect ([node.status ()["name"] for node in group] == ["one", "two", "third"], "README's nodes can be told apart")
    wait_for ("all three see each other", lambda: all (node.status ().get ("peers_up") == 2 for node in group))
    wait_for ("what another found is adopted by the third", lambda: third.status ().get ("packages_adopted", 0) > 0, 90)
    print ("    three nodes on two machines adopted %s packages" % [node.status ()["packages_adopted"] for node in group])


main (two_machines)
