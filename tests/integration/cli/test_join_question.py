# SPDX-License-Identifier: MPL-2.0
"""Who is asked whether to join, and neither says yes nor no, did not join: the group doesn't count on a node that never runs."""
import os
import re
import signal
import sys

sys.path.insert (0, os.path.join (os.path.dirname (os.path.abspath (__file__)), "..", "lib"))
import lab
from mesh import Terminal, expect, main, wait_for


def standing (founder, name):
    return next ((member for member in founder.json ("group", "members")["members"] if member["name"] == name), None)


def tree (directory):
    """Each file's bytes, but for the lock, which holds a pid, and the store, which keeps the numbers of what was said."""
    files = {}
    for path, _, names in os.walk (directory):
        for name in names:
            if name != "lock" and not name.startswith ("evomesh.db"):
                with open (os.path.join (path, name), "rb") as file:
                    files[os.path.join (path, name)] = file.read ()
    return files


def asked (mesh, founder, name, answer):
    """A new node is asked at a terminal; `answer` is what is done to that. Then it is out again, and its directory as before."""
    node = mesh.node (name)
    before = tree (node.dir)
    token = founder.json ("group", "invite", "--local")["token"]
    terminal = Terminal (mesh, [mesh.evomesh, "group", "join", token, "--dir", node.dir])
    terminal.wait (r"(?s)let in already: no takes its keys out again.*\[y/N\]")
    shown = re.search (r"its files are\s+(\S+)", terminal.seen).group (1)
    with open (os.path.join (shown, "evaluate")) as file:
        expect (file.read () == lab.EVALUATE, "the evaluator can be read before the answer")
    expect (re.search (r"(?m)^  name +lab\r?$", terminal.seen), "no colon without a description: %s" % terminal.seen)
    member = standing (founder, name)
    expect (member and member["revoked_epoch"] == 0, "it was let in before it is asked: %s" % member)
    answer (terminal)
    code = terminal.end ()
    expect (code == 1 and "nothing was changed" in terminal.seen, "%s: %d %s" % (name, code, terminal.seen))
    expect (tree (node.dir) == before, "a no leaves the directory as it was: %s" % sorted (tree (node.dir)))
    wait_for ("the group lets %s go" % name, lambda: standing (founder, name)["revoked_epoch"] > 0)


def no_answer_is_a_no (mesh):
    agent = lab.make_agent (mesh)
    manifest = os.path.join (agent, "agent.yaml")
    lab.write (manifest, lab.MANIFEST.replace ('description: "does what lab.txt says"\n', "") % "60s")
    founder = mesh.node ("founder", agent=agent)
    founder.config (proposers="[]")
    founder.cli ("group", "create", "asking")
    founder.start ()
    asked (mesh, founder, "interrupted", lambda terminal: terminal.process.send_signal (signal.SIGINT))
    asked (mesh, founder, "ended", lambda terminal: terminal.process.send_signal (signal.SIGTERM))
    asked (mesh, founder, "silent", lambda terminal: terminal.type ("\x04")) # the end of the input
    asked (mesh, founder, "unwilling", lambda terminal: terminal.type ("n\n"))
    founder.stop ()


main (no_answer_is_a_no)
