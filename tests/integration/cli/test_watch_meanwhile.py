# SPDX-License-Identifier: MPL-2.0
"""`evomesh watch` while the node that it watches ends and comes back: it says so, and goes on."""
import os
import signal
import subprocess
import sys

sys.path.insert (0, os.path.join (os.path.dirname (os.path.abspath (__file__)), "..", "lib"))
import lab
from mesh import expect, main, wait_for


def content (path):
    with open (path) as file:
        return file.read ()


def a_watch_goes_on_with_a_node_that_was_started_anew (mesh):
    node = mesh.node ("restless", agent=lab.make_agent (mesh))
    node.config (proposers="[]")
    node.cli ("group", "create", "watched")
    node.start ()
    out, err = mesh.path ("out"), mesh.path ("err")
    with open (out, "w") as out_file, open (err, "w") as err_file:
        watch = subprocess.Popen ([mesh.evomesh, "watch", "--json", "--dir", node.dir], env=mesh.env, stdout=out_file,
                                  stderr=err_file, stdin=subprocess.DEVNULL)
    mesh.others.append (watch)
    first = lab.propose (node, a="0.5")
    wait_for ("the watch sees the first", lambda: first in content (out))
    lab.quiet ([node])
    watch.send_signal (signal.SIGSTOP) # so that it doesn't see the gap
    node.stop ()
    node.start ()
    watch.send_signal (signal.SIGCONT)
    wait_for ("the watch notices", lambda: "`evomesh log`" in content (err))
    second = lab.propose (node, a="0.75")
    wait_for ("the watch sees the second", lambda: second in content (out))
    node.stop ()
    expect (watch.wait (60) == 1 and "the node has ended" in content (err), "it ends with its node: %s" % content (err))


main (a_watch_goes_on_with_a_node_that_was_started_anew)
