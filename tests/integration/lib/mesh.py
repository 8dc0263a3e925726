# SPDX-License-Identifier: MPL-2.0
"""Whole nodes for tests: real processes, each known by its pid, in a scratch directory that goes away.

A test is a script `test_x.py EVOMESH [more]` that calls `main (story, …)`. What it waits for is a condition with a deadline; what
fails is told with the ends of the nodes' logs.
"""
import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
import traceback

PROJECT = os.path.dirname (os.path.dirname (os.path.dirname (os.path.dirname (os.path.abspath (__file__)))))


class Failed (Exception):
    """An expectation that doesn't hold."""


def expect (holds, what):
    if not holds:
        raise Failed (what)


SECONDS = 90  # that a wait may take: none that passes comes near it, but on a machine that is far too busy


def wait_for (what, condition, seconds=SECONDS, every=0.05):
    """Returns the first value of condition () that counts as true; fails after so many seconds. It looks in intervals."""
    until = time.monotonic () + seconds
    while True:
        value = condition ()
        if value:
            return value
        if time.monotonic () > until:
            raise Failed ("after %g s still not: %s" % (seconds, what))
        time.sleep (every)


# --- processes ---

class Result:
    def __init__ (self, words, code, out, err):
        self.words, self.code, self.out, self.err = words, code, out, err

    @property
    def text (self):
        return self.out + self.err

    def json (self):
        return json.loads (self.out)

    def __str__ (self):
        return "`%s` ended with %d:\n%s%s" % (" ".join (self.words), self.code, self.out, self.err)


def alive (pid):
    """True while a process of that id runs (a zombie doesn't)."""
    try:
        with open ("/proc/%d/stat" % pid) as file:
            return file.read ().rpartition (")")[2].split ()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def descendants (pid):
    """The ids of all processes below one, at this moment."""
    children = {}
    for name in os.listdir ("/proc"):
        if name.isdigit ():
            with contextlib.suppress (OSError):
                with open ("/proc/%s/stat" % name) as file:
                    parent = int (file.read ().rpartition (")")[2].split ()[1])
                children.setdefault (parent, []).append (int (name))
    found, queue = [], [pid]
    while queue:
        for child in children.get (queue.pop (), []):
            found.append (child)
            queue.append (child)
    return found


class Node:
    """A data directory, and the process that runs on it (if one does)."""

    def __init__ (self, mesh, name, directory):
        self.mesh, self.name, self.dir = mesh, name, directory
        self.log_path = directory + ".log"
        self.private = directory + ".private"
        self.process = None
        self.prefix = []  # words before every command, e.g. `ip netns exec …`
        self._key = None

    # commands
    def cli (self, *words, code=0, timeout=180, input=None, **more):
        """Runs `evomesh words… --dir DIR`; fails if it ends otherwise than with `code` (None: any)."""
        return self.mesh.run (*self.prefix, self.mesh.evomesh, *words, "--dir", self.dir, code=code, timeout=timeout,
                              input=input, **more)

    def json (self, *words, **more):
        return self.cli (*words, "--json", **more).json ()

    def status (self):
        """The status, or {} while the node can't be asked."""
        result = self.cli ("status", "--json", code=None)
        return result.json () if result.code == 0 else {}

    def log (self, state=None, limit=1000):
        words = ["--state", state] if state else []
        return self.json ("log", "--limit", str (limit), *words)

    def improvement (self, id):
        return next ((one for one in self.log () if one["id"] == id), None)

    def moves (self):
        """Each move of each improvement since the node's beginning, from its journal; and whether the journal replays."""
        return self.json ("replay", "--moves", code=None, timeout=300)

    @property
    def id (self):
        if self._key is None:
            self._key = next (one["id"] for one in self.json ("group", "members")["members"] if one["name"] == self.name)
        return self._key

    # life
    def config (self, **values):
        """Sets values of node.yaml; a key is written as section__key. What stood below the key goes."""
        path = os.path.join (self.dir, "node.yaml")
        with open (path) as file:
            lines = file.read ().splitlines ()
        for name, value in values.items ():
            section, _, key = name.rpartition ("__")
            at = next ((i for i, line in enumerate (lines) if line.startswith (section + ":")), None) if section else -1
            expect (at is not None, "node.yaml has no %s" % section)
            start = ("  " if section else "") + key + ":"
            at = next ((i for i in range (at + 1, len (lines)) if lines[i].startswith (start)), None)
            expect (at is not None, "node.yaml has no %s" % name)
            end = at + 1
            while not section and end < len (lines) and lines[end].startswith (("  ", "- ")):
                end += 1
            lines[at:end] = ["%s %s" % (start, value)]
        with open (path, "w") as file:
            file.write ("\n".join (lines) + "\n")

    def start (self, *options, ready=SECONDS, words=None, cwd=None):
        """Runs it until it is ready (`ready` None: at once). `words` stand in place of `evomesh run --dir DIR options…`."""
        expect (self.process is None, self.name + " runs already")
        out = self.dir + ".ready"
        words = words or [self.mesh.evomesh, "run", "--dir", self.dir, *options]
        with open (out, "w") as ready_file, open (self.log_path, "a") as log:
            self.process = subprocess.Popen ([*self.prefix, *words], stdin=subprocess.DEVNULL, stdout=ready_file,
                                             stderr=log, env=self.mesh.env, cwd=cwd)

        def is_ready ():
            expect (self.process.poll () is None, "%s ended at its start with %s" % (self.name, self.process.poll ()))
            return os.path.getsize (out) > 0
        if ready is not None:
            wait_for (self.name + " is ready", is_ready, ready, every=0.01)

    @property
    def pid (self):
        """Of the node itself, not of what stands before it."""
        pids = [self.process.pid, *descendants (self.process.pid)]
        for pid in pids:
            with contextlib.suppress (OSError):
                if os.path.realpath ("/proc/%d/exe" % pid) == os.path.realpath (self.mesh.evomesh):
                    return pid
        raise Failed (self.name + " has no process")

    def signal (self, number):
        os.kill (self.pid, number)

    def stop (self, seconds=SECONDS):
        """Ends it cleanly, which it must take well: exit 0, and nothing is left of it."""
        if self.process is None:
            return
        pids = descendants (self.process.pid)
        self.process.send_signal (signal.SIGCONT)
        self.process.send_signal (signal.SIGTERM)
        code = self.process.wait (seconds)
        self.process = None
        expect (code == 0, "%s ended with %s after SIGTERM" % (self.name, code))
        self.mesh.gone (self, pids)

    def kill (self):
        """As a power cut does. Returns what ran below it at that moment."""
        if self.process is None:
            return []
        pids = descendants (self.process.pid)
        self.process.kill ()
        self.process.wait (SECONDS)
        self.process = None
        return pids

    # what lies on disk
    def database (self):
        return sqlite3.connect ("file:%s/evomesh.db?mode=ro" % self.dir, uri=True, timeout=SECONDS)

    def current (self):
        """The release that `current` names; fails if it isn't a whole one."""
        path = os.path.join (self.dir, "current")
        target = os.readlink (path)
        expect (re.fullmatch (r"releases/[a-z2-7]{52}", target), "current of %s points at %s" % (self.name, target))
        expect (os.path.isdir (path), "current of %s points at nothing: %s" % (self.name, target))
        return target[9:]

    def read (self, name):
        with open (os.path.join (self.dir, "current", name)) as file:
            return file.read ()

    def tail (self, lines=25):
        if not os.path.exists (self.log_path):
            return ""
        with open (self.log_path, errors="replace") as file:
            return "".join (file.readlines ()[-lines:])


class Mesh:
    """The nodes of a test, in one scratch directory."""

    def __init__ (self, evomesh):
        self.evomesh = os.path.abspath (evomesh)
        self.scratch = tempfile.mkdtemp (prefix="evomesh-")
        self.nodes = {}
        self.others = []  # processes that tests started beside nodes
        self.env = {key: value for key, value in os.environ.items ()
                    if not key.startswith ("EVOMESH_") and key not in ("XDG_DATA_HOME", "HOME")}
        self.env["HOME"] = self.path ("home")
        self.env["PATH"] = os.path.dirname (self.evomesh) + ":" + self.env["PATH"]
        os.mkdir (self.path ("home"))

    def path (self, *parts):
        return os.path.join (self.scratch, *parts)

    def run (self, *words, code=0, timeout=180, input=None, cwd=None, **more):
        done = subprocess.run (words, capture_output=True, text=True, errors="replace", timeout=timeout, env=self.env,
                               cwd=cwd, **({"input": input} if input is not None else {"stdin": subprocess.DEVNULL}),
                               **more)
        result = Result (words, done.returncode, done.stdout, done.stderr)
        expect (code is None or done.returncode == code, "expected exit %s: %s" % (code, result))
        return result

    def node (self, name, *options, agent=None, directory=None):
        """A new node's directory."""
        node = Node (self, name, directory or self.path (name))
        self.nodes[name] = node
        os.makedirs (node.private, exist_ok=True)
        words = ["--agent", agent] if agent else []
        node.cli ("init", "--name", name, "--private", node.private, *words, *options)
        return node

    def join (self, node, founder, *options):
        token = founder.json ("group", "invite", "--local")["token"]
        node.cli ("group", "join", token, "--yes", *options)

    def group (self, names, agent, *policy, config=None, start=True):
        """Nodes of these names in one group, running and linked. The first founds it."""
        nodes = [self.node (names[0], "--seed", "1", agent=agent)]
        nodes[0].config (**(config or {}))
        nodes[0].cli ("group", "create", "testers", *policy)
        nodes[0].start ()
        for number, name in enumerate (names[1:]):
            node = self.node (name, "--seed", str (number + 2))
            node.config (**(config or {}))
            self.join (node, nodes[0])
            nodes.append (node)
            node.start ()
        self.wait_linked (nodes)
        return nodes

    def wait_linked (self, nodes, seconds=SECONDS):
        for node in nodes:
            wait_for ("%s has all its peers and its baseline" % node.name, lambda: self._linked (node, len (nodes)),
                      seconds)

    @staticmethod
    def _linked (node, count):
        status = node.status ()
        return status and status["peers_up"] >= count - 1 and status["objectives"][0]["now"] is not None

    def stop (self):
        for node in self.nodes.values ():
            node.stop ()

    @staticmethod
    def gone (node, pids):
        wait_for ("nothing is left of %s: %s" % (node.name, pids), lambda: not any (map (alive, pids)), every=0.01)

    def close (self):
        for node in self.nodes.values ():
            with contextlib.suppress (Exception):
                node.kill ()
        for process in self.others:
            with contextlib.suppress (Exception):
                process.kill ()
                process.wait (10)

    def sanitizer_reports (self):
        """What a sanitizer or an assertion said in any node's log."""
        found = []
        for node in self.nodes.values ():
            if os.path.exists (node.log_path):
                with open (node.log_path, errors="replace") as file:
                    text = file.read ()
                for mark in ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:", "Assertion"):
                    at = text.find (mark)
                    if at >= 0:
                        found.append ("%s: %s" % (node.name, text[max (0, at - 200):at + 3000]))
        return found


# --- events as they happen ---

class Watcher:
    """`evomesh watch --json` on a node: each event that it tells, its own and its peers'."""

    def __init__ (self, node):
        self.node, self.path = node, node.dir + ".events"
        with open (self.path, "a") as out:
            self.process = subprocess.Popen ([*node.prefix, node.mesh.evomesh, "watch", "--json", "--dir", node.dir],
                                             stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL,
                                             env=node.mesh.env)
        node.mesh.others.append (self.process)

    def events (self):
        with open (self.path, errors="replace") as file:
            return [json.loads (line) for line in file if line.endswith ("\n")]


# --- statements and records, as docs/PROTOCOL.md writes them ---

def unpack (data):
    """One value of the encodings that the protocol uses."""
    value, end = _unpack (data, 0)
    expect (end == len (data), "bytes behind a value's end")
    return value


def _unpack (data, at):
    byte, at = data[at], at + 1
    if byte < 0x80:
        return byte, at
    if 0x90 <= byte < 0xa0:
        return _unpack_list (data, at, byte & 15)
    if 0xa0 <= byte < 0xc0:
        return data[at:at + (byte & 31)].decode (), at + (byte & 31)
    if byte == 0xc0:
        return None, at
    if byte == 0xcb:
        return struct.unpack_from (">d", data, at)[0], at + 8
    if byte in (0xcc, 0xcd, 0xce, 0xcf):
        size = 1 << (byte - 0xcc)
        return int.from_bytes (data[at:at + size], "big"), at + size
    widths = {0xc4: 1, 0xc5: 2, 0xc6: 4, 0xd9: 1, 0xda: 2, 0xdb: 4, 0xdc: 2, 0xdd: 4}
    expect (byte in widths, "an encoding that the protocol doesn't have: %02x" % byte)
    size = int.from_bytes (data[at:at + widths[byte]], "big")
    at += widths[byte]
    if byte in (0xdc, 0xdd):
        return _unpack_list (data, at, size)
    part = data[at:at + size]
    return (part if byte < 0xd0 else part.decode ()), at + size


def _unpack_list (data, at, count):
    items = []
    for _ in range (count):
        item, at = _unpack (data, at)
        items.append (item)
    return items, at


def blake2b (data):
    return hashlib.blake2b (data, digest_size=32).digest ()


def base32 (data):
    import base64
    return base64.b32encode (data).decode ().rstrip ("=").lower ()


# --- terminals ---

class Terminal:
    """A program at a pseudo-terminal: what a person would see, and type. `size`: rows and columns; without it has none."""

    def __init__ (self, mesh, words, cwd=None, size=None):
        import fcntl
        import pty
        import termios
        self.seen = ""
        self.master, slave = pty.openpty ()
        if size:
            fcntl.ioctl (slave, termios.TIOCSWINSZ, struct.pack ("HHHH", *size, 0, 0))
        self.process = subprocess.Popen (words, stdin=slave, stdout=slave, stderr=slave, env=mesh.env, cwd=cwd,
                                         start_new_session=True,
                                         preexec_fn=lambda: fcntl.ioctl (0, termios.TIOCSCTTY, 0)) # Ctrl-C is a signal there
        os.close (slave)
        os.set_blocking (self.master, False)
        mesh.others.append (self.process)

    def _read (self):
        with contextlib.suppress (OSError): # nothing yet, or the other end is closed
            self.seen += os.read (self.master, 65536).decode (errors="replace")
        return self.seen

    def wait (self, pattern, seconds=SECONDS):
        try:
            return wait_for ("the terminal shows /%s/" % pattern, lambda: re.search (pattern, self._read ()), seconds)
        except Failed as problem:
            raise Failed ("%s; it shows %r" % (problem, self.seen[-4000:])) from None

    def wait_seen (self, pattern):
        """Of what was shown before it ended."""
        expect (re.search (pattern, self.seen), "the terminal never showed /%s/:\n%s" % (pattern, self.seen))

    def type (self, text):
        os.write (self.master, text.encode ())

    def end (self, seconds=SECONDS):
        """Its exit code."""
        wait_for ("the program at the terminal ends", lambda: self._read () is not None and
                  self.process.poll () is not None, seconds)
        self._read ()
        os.close (self.master)
        return self.process.returncode


# --- documentation ---

def code_blocks (name, language="sh"):
    """The code blocks of a text in the project, each a list of its lines."""
    with open (os.path.join (PROJECT, name)) as file:
        return [block.splitlines () for block in re.findall (r"(?ms)^```%s\n(.*?)^```$" % language, file.read ())]


def block_with (name, text):
    """The one block that holds a text."""
    found = [block for block in code_blocks (name) if any (text in line for line in block)]
    expect (len (found) == 1, "%s has %d blocks with `%s`" % (name, len (found), text))
    return found[0]


def words_of (line, **values):
    """The words of a documented command, without its comment, with TOKEN and the like replaced."""
    import shlex
    return [values.get (word, word) for word in shlex.split (line, comments=True)]


# --- agents ---

def write_agent (directory, manifest, files):
    """An agent: its manifest and files; a file with `#!` is executable."""
    os.makedirs (directory, exist_ok=True)
    for name, text in {"agent.yaml": manifest, **files}.items ():
        path = os.path.join (directory, name)
        with open (path, "w") as file:
            file.write (text)
        if text.startswith ("#!"):
            os.chmod (path, 0o755)
    return directory


# --- the script ---

def main (*stories):
    """Runs the stories, one mesh each, and ends the script: 1 if any failed. Arguments: EVOMESH, then story names (all)."""
    wanted = [word for word in sys.argv[2:] if not word.startswith ("--")]
    failures = 0
    for story in stories:
        if wanted and story.__name__ not in wanted:
            continue
        mesh, started = Mesh (sys.argv[1]), time.monotonic ()
        print ("=== %s" % story.__name__, flush=True)
        try:
            story (mesh)
            mesh.stop ()
            reports = mesh.sanitizer_reports ()
            expect (not reports, "\n".join (reports))
            print ("    holds, %.1f s" % (time.monotonic () - started), flush=True)
        except Exception as problem:
            failures += 1
            mesh.close ()
            print ("FAILED %s: %s" % (story.__name__, problem))
            if not isinstance (problem, Failed):
                traceback.print_exc (file=sys.stdout)
            for node in mesh.nodes.values ():
                print ("--- %s, the end of its log:\n%s" % (node.name, node.tail ()))
            for report in mesh.sanitizer_reports ():
                print (report)
        finally:
            mesh.close ()
            if failures and "EVOMESH_KEEP" in os.environ:
                print ("kept: " + mesh.scratch)
            else:
                shutil.rmtree (mesh.scratch, ignore_errors=True)
    sys.exit (1 if failures else 0)
