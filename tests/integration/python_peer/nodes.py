# SPDX-License-Identifier: MPL-2.0
"""Real nodes beside one peer: processes known by their pid, in a scratch directory that goes away."""
import json
import os
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time

SECONDS = 90  # that a wait may take: none that passes comes near it


class Node:
    def __init__(self, mesh, name, agent=None):
        self.mesh, self.name = mesh, name
        self.directory = os.path.join(mesh.scratch, name)
        self.process = None
        self.cli("init", "--name", name, "--seed", "7", *(("--agent", agent) if agent else ()))
        path = os.path.join(self.directory, "node.yaml")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        text, count = re.subn(r"^proposers:.*\n(  .*\n)+", "proposers: []\n", text, flags=re.M)
        assert count == 1, "node.yaml has no proposers"
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def run(self, *words):
        command = [self.mesh.program, *words, "--dir", self.directory]
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=180)

    def cli(self, *words):
        done = self.run(*words)
        assert done.returncode == 0, f"{' '.join(words)}: {done.stdout}{done.stderr}"
        return done.stdout

    def status(self):
        return json.loads(self.cli("status", "--json"))

    def start(self):
        with open(self.directory + ".log", "a", encoding="utf-8") as log:
            self.process = subprocess.Popen([self.mesh.program, "run", "--dir", self.directory], stdin=subprocess.DEVNULL,
                                            stdout=subprocess.PIPE, stderr=log)
        ready, _, _ = select.select([self.process.stdout], [], [], SECONDS)
        assert ready and self.process.stdout.readline(), f"{self.name} did not start"

    def stop(self, signal_number=signal.SIGTERM):
        self.process.send_signal(signal_number)
        code = self.process.wait(SECONDS)
        self.process.stdout.close()
        self.process = None
        return code


class Mesh:
    def __init__(self, program):
        self.program = os.path.abspath(program)
        self.scratch = tempfile.mkdtemp(prefix="evomesh-peer-")
        os.environ["HOME"] = self.scratch
        for name in ("EVOMESH_DIR", "XDG_DATA_HOME", "EVOMESH_PASSPHRASE_FILE"):
            os.environ.pop(name, None)
        self.nodes, self.peer, self.looked_at, self.seen = [], None, {}, {}

    def node(self, name, agent=None):
        self.nodes.append(Node(self, name, agent))
        return self.nodes[-1]

    def status(self, node):
        """Asked for anew five times a second, while the peer goes on."""
        now = time.monotonic()
        if now >= self.looked_at.get(node, 0) + 0.2:
            self.looked_at[node], self.seen[node] = now, node.status()
        return self.seen[node]

    def until(self, what, holds, seconds=SECONDS):
        """Lets the peer live until the condition holds; returns what it returned."""
        end = time.monotonic() + seconds
        while True:
            value = holds()
            if value:
                return value
            assert time.monotonic() < end, f"within {seconds} s: {what}"
            if self.peer and self.peer.links:
                self.peer.step(20)
            else:
                select.select([], [], [], 0.02)

    def close(self, failed):
        if self.peer:
            self.peer.close()
        for node in self.nodes:
            if node.process:
                node.process.kill()
                node.process.wait()
            if failed and os.path.exists(node.directory + ".log"):
                with open(node.directory + ".log", encoding="utf-8") as log:
                    print(f"--- {node.name}:", *log.readlines()[-40:], sep="\n", end="")
        shutil.rmtree(self.scratch)
