# SPDX-License-Identifier: MPL-2.0
"""Commands that make something are killed at whatever step; a second try makes it."""
import os
import shutil
import signal
import subprocess
import sys

sys.path.insert (0, os.path.join (os.path.dirname (os.path.abspath (__file__)), "..", "lib"))
import lab
from mesh import expect, main


def killed_ever_later (mesh, words, again=lambda: None):
    """Runs a command, killed a little later each time, until it comes to its end. Its exit code, its output, and how often."""
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
        delay_s += 0.0015
        again ()


def init_is_killed (mesh):
    agent, directory = lab.make_agent (mesh), mesh.path ("node")
    words = [mesh.evomesh, "init", "--dir", directory, "--name", "node", "--agent", agent]

    def as_it_says ():
        """Keys are never replaced: what was cut off is to be removed."""
        told = mesh.run (*words, code=None) if os.path.exists (directory) and not os.path.exists (directory + "/node.yaml") else None
        if told and told.code != 0:
            expect (told.code == 1 and "was cut off here" in told.err, str (told))
            shutil.rmtree (directory)
    code, out, killed = killed_ever_later (mesh, words, as_it_says)
    expect (code == 0 or "already" in out, "after %d kills: %d %s" % (killed, code, out))
    mesh.run (mesh.evomesh, "group", "create", "made", "--dir", directory)


def group_create_is_killed (mesh):
    node = mesh.node ("founder", agent=lab.make_agent (mesh))
    code, out, killed = killed_ever_later (mesh, [mesh.evomesh, "group", "create", "made", "--dir", node.dir],
                                           lambda: node.cli ("config"))
    expect (code == 0 or "already" in out, "after %d kills: %d %s" % (killed, code, out))
    expect (killed > 3, "it was killed %d times only" % killed)
    node.start ()
    mesh.wait_linked ([node])


main (init_is_killed, group_create_is_killed)
