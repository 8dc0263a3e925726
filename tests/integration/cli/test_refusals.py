# SPDX-License-Identifier: MPL-2.0
"""What is refused is refused plainly, with exit 1, and changes nothing: neither a file nor a row of the database."""
import os
import re
import shutil
import socket
import sys
import time

sys.path.insert (0, os.path.join (os.path.dirname (os.path.abspath (__file__)), "..", "lib"))
import lab
from lab import ends, propose, quiet
from mesh import expect, main, wait_for


def rows (node):
    """What the store holds, row by row; but a running node's journal is its own, and numbers that a statement took stay used."""
    tables = "improvement event candidate snapshot package content setting".split ()
    with node.database () as store:
        found = {table: sorted (store.execute ("SELECT * FROM " + table).fetchall ()) for table in tables}
    found["setting"] = [row for row in found["setting"] if row[0] != "live_seq"]
    return found


def tree (directory):
    """All names, kinds, modes, links and bytes below a directory, but for the database and locks, which rows () and the next
    commands look at."""
    found = {}
    for path, folders, files in os.walk (directory):
        for name in folders + files:
            whole = os.path.join (path, name)
            if name.startswith ("evomesh.db") or name in ("lock", "control"):
                continue
            status = os.lstat (whole)
            kind = os.readlink (whole) if os.path.islink (whole) else ""
            with open (os.devnull if os.path.isdir (whole) or kind else whole, "rb") as file:
                found[os.path.relpath (whole, directory)] = (oct (status.st_mode), kind, file.read ())
    return found


def refused (node, pattern, *words, code=1, **more):
    """The command on a node ends with `code`, says `pattern`, and leaves all as it was."""
    before = tree (node.dir), rows (node)
    result = node.cli (*words, code=None, **more)
    expect (result.code == code, "expected exit %d: %s" % (code, result))
    expect (re.search (pattern, result.err), "expected /%s/: %s" % (pattern, result))
    expect (not re.search (r"Sanitizer|runtime error", result.err), str (result))
    after = tree (node.dir), rows (node)
    expect (before[0] == after[0], "%s changed files: %s" % (words, sorted (
        name for name in set (before[0]) | set (after[0]) if before[0].get (name) != after[0].get (name))))
    changed = [row for table in before[1] for row in set (before[1][table]) ^ set (after[1][table])]
    expect (not changed, "%s changed rows: %s" % (words, changed))


def one_directory_one_node (mesh):
    node = mesh.node ("solo", agent=lab.make_agent (mesh))
    node.config (proposers="[]")
    refused (node, "in no group", "run")
    refused (node, "in no group", "group", "members")
    node.cli ("group", "create", "first")
    refused (node, "in group first already", "group", "create", "second")
    node.start ()
    wait_for ("the baseline is measured", lambda: node.status ()["objectives"][0]["now"] is not None)
    holder = str (node.pid)
    refused (node, holder, "run")
    refused (node, holder, "group", "create", "second")
    refused (node, holder, "group", "join", node.json ("group", "invite", "--local")["token"], "--yes")
    refused (node, "is there already", "init")
    with socket.socket () as taken:
        taken.bind (("127.0.0.1", 0))
        taken.listen ()
        port = taken.getsockname ()[1]
        node.stop ()
        refused (node, r"%d.*in use|in use.*%d" % (port, port), "run", "--listen", "tcp://127.0.0.1:%d" % port)
    refused (node, "tcp://", "run", "--listen", "127.0.0.1")
    refused (node, "address", "run", "--listen", "tcp://0.0.0.0:*")
    node.start ()
    node.stop ()


def tokens_and_packages (mesh):
    group = mesh.group (("alpha", "beta"), lab.make_agent (mesh), config={"proposers": "[]"})
    alpha, beta = group
    refused (alpha, r"127\.0\.0\.1.*--local", "group", "invite")
    refused (beta, "admin", "group", "invite", "--local")
    used = alpha.json ("group", "invite", "--local")["token"]
    made = time.time ()
    short = alpha.json ("group", "invite", "--local", "--expires", "1s")["token"]
    other = alpha.json ("group", "invite", "--local", "--key", beta.id)["token"]
    gamma = mesh.node ("gamma")
    refused (gamma, "mistyped|cut short", "group", "join", used[:-1], "--yes")
    refused (gamma, "mistyped|cut short", "group", "join", used[:40] + ("a" if used[40] != "a" else "b") + used[41:], "--yes")
    refused (gamma, "not an invite", "group", "join", "hello", "--yes")
    refused (gamma, "another node", "group", "join", other, "--yes")
    wait_for ("the short token has expired", lambda: time.time () > made + 1.5)
    refused (gamma, "expired", "group", "join", short, "--yes")
    delta = mesh.node ("delta")
    delta.cli ("group", "join", used, "--yes")
    refused (gamma, "used up|no uses left|does not know this token", "group", "join", used, "--yes")
    refused (delta, "in group testers already", "group", "join", used, "--yes")
    alpha.cli ("group", "revoke", "delta", "--yes")
    wait_for ("beta knows that delta is gone", lambda: beta.status ()["members"] == 2)

    ends (alpha, propose (alpha, a=0.5), "shared")
    quiet (group)
    shared = alpha.log ("shared")[0]["id"]
    package, forged = mesh.path ("package"), mesh.path ("forged")
    alpha.cli ("package", "export", shared, package)
    with open (package, "rb") as file:
        good = file.read ()
    for at in range (0, len (good), max (1, len (good) // 25)):
        with open (forged, "wb") as file:
            file.write (good[:at] + bytes ([good[at] ^ 1]) + good[at + 1:])
        refused (beta, ".", "package", "import", forged)
        refused (beta, ".", "package", "verify", forged)
    refused (beta, "tried here before", "package", "import", package)
    refused (alpha, "there already", "package", "export", shared, package)
    refused (alpha, "founder", "group", "leave", "--yes")
    refused (beta, "admin", "group", "revoke", "alpha", "--yes")
    for command in ("approve", "reject"):
        refused (alpha, "only a held one", command, shared)
    refused (alpha, "no snapshot or improvement", "rollback", "a" * 52, "--yes")
    refused (alpha, "lab.txt", "propose", mesh.path ("home"))


def doctor_names_each_helper_that_is_missing (mesh):
    built, prefix = os.path.dirname (os.path.dirname (os.path.realpath (sys.argv[1]))), mesh.path ("prefix")
    helpers = os.path.join (prefix, "libexec", "evomesh")
    os.makedirs (os.path.join (prefix, "bin"))
    program = shutil.copy (os.path.realpath (sys.argv[1]), os.path.join (prefix, "bin", "evomesh"))
    shutil.copytree (os.path.join (built, "libexec", "evomesh"), helpers)
    expect (re.search ("ok +helpers", mesh.run (program, "doctor", code=None).out), "all helpers are in place")
    for name in sorted (entry.name for entry in os.scandir (helpers) if entry.is_file ()):
        os.rename (os.path.join (helpers, name), mesh.path ("away"))
        result = mesh.run (program, "doctor", code=1)
        expect (re.search ("fatal +helpers +.*/%s: No such file" % name, result.out), "%s: %s" % (name, result))
        os.rename (mesh.path ("away"), os.path.join (helpers, name))


main (one_directory_one_node, tokens_and_packages, doctor_names_each_helper_that_is_missing)
