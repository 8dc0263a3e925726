# SPDX-License-Identifier: MPL-2.0
"""Packages on their way into files and out of them, while something else happens: the command is killed, the file is there, or changes,
and the node that is to try it ends."""
import os
import shutil
import signal
import subprocess
import sys
import threading

sys.path.insert (0, os.path.join (os.path.dirname (os.path.abspath (__file__)), "..", "lib"))
import lab
from mesh import expect, main, wait_for


def exported (mesh):
    """A node that made a package, which its one peer confirmed; and the package's id."""
    node, _ = mesh.group (["maker", "witness"], lab.make_agent (mesh), config={"proposers": "[]"})
    id = lab.propose (node, a="0.5")
    wait_for ("it is shared", lambda: lab.state (node, id) == "shared")
    return node, next (one["id"] for one in node.json ("package", "list"))


def newcomer (mesh, maker):
    """Another member, with the live release of the start: the others end before they could tell."""
    node = mesh.node ("newcomer")
    node.config (proposers="[]")
    mesh.join (node, maker)
    mesh.stop ()
    return node


def adopts (node):
    """It has the package live, and nothing under way; what it would tell its maker waits for that one."""
    lab.live_is ([node], a="0.5")
    wait_for ("nothing is under way", lambda: node.status () and not node.status ()["under_way"])


def read (path):
    with open (path, "rb") as file:
        return file.read ()


def killed_ever_later (mesh, words, look):
    """Runs a command, killed a little later each time, until it comes to its end; `look` after each. Its output, and how often."""
    delay_s, killed = 0.0, 0
    while True:
        process = subprocess.Popen (words, env=mesh.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                    stderr=subprocess.STDOUT, text=True)
        try:
            out, _ = process.communicate (timeout=delay_s)
        except subprocess.TimeoutExpired:
            process.send_signal (signal.SIGKILL)
            out, _ = process.communicate ()
        if process.returncode >= 0:
            return process.returncode, out, killed
        killed += 1
        delay_s += 0.002
        look ()


def export_replaces_nothing_that_is_there (mesh):
    maker, package = exported (mesh)
    target = mesh.path ("best")
    lab.write (target + ".new", "somebody's own\n")
    maker.cli ("package", "export", package, target)
    expect (read (target + ".new") == b"somebody's own\n", "a file beside the package was overwritten")
    refused = maker.cli ("package", "export", package, target, code=1)
    expect ("is there already" in refused.err, str (refused))
    expect (not [name for name in os.listdir (mesh.scratch) if name.startswith ("best") and name not in ("best", "best.new")],
            "something was left beside it: %s" % os.listdir (mesh.scratch))
    for round in range (8):
        target = mesh.path ("race-%d" % round)
        words = [mesh.evomesh, "package", "export", package, target, "--dir", maker.dir]
        both = [subprocess.Popen (words, env=mesh.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range (2)]
        codes = sorted (process.wait (60) for process in both)
        expect (codes == [0, 1], "two at once, and each thinks that it wrote the file: %s" % codes)
        maker.cli ("package", "verify", target)


def export_is_killed_at_whatever_step (mesh):
    maker, package = exported (mesh)
    target = mesh.path ("best")

    def whole_or_not_there ():
        if os.path.exists (target):
            maker.cli ("package", "verify", target)
            os.unlink (target)
    code, out, killed = killed_ever_later (mesh, [mesh.evomesh, "package", "export", package, target, "--dir", maker.dir],
                                           whole_or_not_there)
    expect (code == 0 and killed > 3, "after %d kills: %d %s" % (killed, code, out))
    maker.cli ("package", "verify", target)


def import_is_killed_at_whatever_step (mesh):
    maker, package = exported (mesh)
    target = mesh.path ("best")
    maker.cli ("package", "export", package, target)
    node = newcomer (mesh, maker)
    refused = node.cli ("package", "import", target, code=1)
    expect ("no node runs" in refused.err, "it is not running: %s" % refused)
    node.start ()
    lab.quiet ([node])
    code, out, killed = killed_ever_later (mesh, [mesh.evomesh, "package", "import", target, "--dir", node.dir], lambda: None)
    expect (killed > 3 and (code == 0 or "tried here before" in out), "after %d kills: %d %s" % (killed, code, out))
    adopts (node)
    tries = [one for one in node.log () if one["state"] not in ("rejected",)]
    expect (len (tries) == 1, "it was tried once: %s" % tries)
    expect (len (node.json ("package", "list")) == 1, "it is known once")


def the_node_is_killed_while_it_is_imported (mesh):
    maker, package = exported (mesh)
    target = mesh.path ("best")
    maker.cli ("package", "export", package, target)
    node = newcomer (mesh, maker)
    for round in range (6):
        node.start ()
        process = subprocess.Popen ([mesh.evomesh, "package", "import", target, "--dir", node.dir], env=mesh.env,
                                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with open (os.devnull):
            try:
                process.wait (0.01 * round)
            except subprocess.TimeoutExpired:
                pass
        node.kill ()
        process.kill ()
        process.wait (60)
    node.start ()
    again = node.cli ("package", "import", target, code=None)
    expect (again.code == 0 or "tried here before" in again.err, str (again))
    adopts (node)
    expect (node.moves ()["same"], "the journal replays")


def a_file_that_changes_while_it_is_read_is_whole_or_refused (mesh):
    maker, package = exported (mesh)
    target, over = mesh.path ("best"), threading.Event ()
    maker.cli ("package", "export", package, target)
    bytes = read (target)
    node = newcomer (mesh, maker)
    node.start ()
    lab.quiet ([node])
    changing = mesh.path ("changing")
    shutil.copy (target, changing)

    def change ():
        while not over.is_set ():
            with open (changing, "r+b") as file:
                file.truncate (len (bytes) // 2)
                file.seek (0)
                file.write (bytes[:100] + b"\0" * 400)
                file.flush ()
                file.seek (0)
                file.write (bytes)
    changer = threading.Thread (target=change)
    changer.start ()
    try:
        for _ in range (30):
            result = node.cli ("package", "import", changing, code=None)
            expect (result.code == 0 or any (word in result.err for word in ("damaged", "not verified", "tried here before",
                                                                             "no package file")), str (result))
    finally:
        over.set ()
        changer.join ()
    node.cli ("package", "import", target, code=None)
    adopts (node)


main (export_replaces_nothing_that_is_there, export_is_killed_at_whatever_step, import_is_killed_at_whatever_step,
      the_node_is_killed_while_it_is_imported, a_file_that_changes_while_it_is_read_is_whole_or_refused)
