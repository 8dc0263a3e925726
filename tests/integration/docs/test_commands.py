# SPDX-License-Identifier: MPL-2.0
"""Every command that the documentation shows is run, in a scratch directory; one that no test runs fails this one.

Words that stand for something are replaced: a minute by seconds where the quickstart's own test waits for the whole, and the
sources' directory by a scratch one. "Two machines" has a test of its own beside this one.
"""
import glob
import os
import re
import sys

sys.path.insert (0, os.path.join (os.path.dirname (os.path.abspath (__file__)), "..", "lib"))
from mesh import PROJECT, Node, code_blocks, expect, main, wait_for, words_of, write_agent

ELSEWHERE = {
    "--listen tcp://10.0.0.1": "docs/test_two_machines.py", "evomesh group invite --dir n1": "docs/test_two_machines.py",
    "evomesh init --dir n2": "docs/test_two_machines.py", "evomesh group join TOKEN --dir n2": "docs/test_two_machines.py",
    "--listen tcp://10.0.0.2": "docs/test_two_machines.py",
}


def run (mesh, line, home):
    mesh.run (*words_of (line), cwd=home)


def run_agent (mesh, line, home):
    """`agent check` ends with whether it works."""
    result = mesh.run (*words_of (line), cwd=home)
    expect (" check " not in line or "This agent works" in result.out, str (result))


def run_node (mesh, line, home):
    """`evomesh run` in the foreground, and what its comment says: elsewhere, `evomesh status`."""
    node = Node (mesh, "n1", os.path.join (home, "n1"))
    mesh.nodes["n1"] = node
    node.start (words=words_of (line), cwd=home)
    elsewhere = line.partition ("elsewhere: ")[2].split ()
    expect (elsewhere[:2] == ["evomesh", "status"], "the comment on `run` says nothing of status: " + line)
    wait_for ("status shows what is measured", lambda: "error" in mesh.run (*elsewhere, cwd=home).out)
    wait_for ("it proposes", lambda: node.status ()["proposed"] > 0)
    node.stop ()


def run_quickstart (mesh, line, home):
    words = [word if word != "60s" else "3s" for word in words_of (line)]
    result = mesh.run (*words, "--nodes", "2", "--dir", os.path.join (home, "quickstart"), cwd=PROJECT, timeout=600)
    expect ("Go on where this stopped" in result.out, str (result))
    copied = [part for part in result.out.splitlines () if part.startswith (("What became", "The live program"))]
    expect (len (copied) == 2, "the quickstart shows no commands to copy:\n" + result.out)
    for part in copied:
        mesh.run (*part.partition (":")[2].split (), cwd=home)
    # What README says of it in the text: the program can be installed, and works from there.
    prefix = os.path.join (home, "installed")
    mesh.run ("cmake", "--install", "build/release", "--prefix", prefix, cwd=PROJECT)
    installed = os.path.join (prefix, "bin", "evomesh")
    mesh.run (installed, "doctor")
    mesh.run (installed, "agent", "new", os.path.join (home, "from-installed"))
    expect ("This agent works" in mesh.run (installed, "agent", "check", os.path.join (home, "from-installed")).out,
            "an installed evomesh can't check its own sample")


def run_tests (mesh, line, home):
    """The whole check is what runs this: that it can be called so, and is what continuous integration calls."""
    script = os.path.join (PROJECT, words_of (line)[0])
    expect (os.access (script, os.X_OK), script + " is no program")
    with open (os.path.join (PROJECT, ".ci", "run")) as file:
        expect ("tests/run.sh" in file.read (), ".ci/run doesn't call tests/run.sh")
    with open (script) as file:
        expect ("ctest --preset dev" in file.read ().splitlines ()[-1], "the last that tests/run.sh does is not ctest")


def run_jail (mesh, line, home):
    """The jail's line, as it stands, in an evaluator."""
    agent = write_agent (os.path.join (home, "jailed"), """\
name: jailed
evolve: [solution.c]
evaluator:
  command: [./evaluate]
  timeout: 60s
  memory: 256MiB
objectives:
  - {name: answers, goal: maximize}
""", {"solution.c": "#include <stdio.h>\nint main (void) { for (int c; (c = getchar ()) != EOF;) putchar (c); return 0; }\n",
      "evaluate": "#!/bin/sh\nset -e\nmkdir /tmp/build\ncc -o /tmp/build/solution solution.c\ncd /tmp\nseq 7 >questions\n" + line +
      "\necho \"{\\\"answers\\\": $(wc -l <answers)}\"\n"})
    result = mesh.run ("evomesh", "agent", "check", agent, cwd=home)
    expect ("This agent works" in result.out and "7" in result.out, str (result))


WAYS = (("./deploy/quickstart.sh", run_quickstart), ("./tests/run.sh", run_tests), ("evomesh agent", run_agent),
        ("evomesh init --dir n1", run), ("evomesh group create", run), ("evomesh run --dir n1  ", run_node),
        ("evomesh diff --dir n1", run),
        ("/evomesh/jail", run_jail))


def every_documented_command (mesh):
    count = 0
    names = ["README.md"] + sorted (os.path.relpath (path, PROJECT) for path in
                                    glob.glob (os.path.join (PROJECT, "docs", "**", "*.md"), recursive=True))
    for number, name in enumerate (names):
        home = mesh.path ("home-%d" % number)
        os.mkdir (home)
        for block in code_blocks (name):
            for line in filter (str.strip, block):
                way = next ((way for start, way in WAYS if line.startswith (start)), None)
                there = next ((test for text, test in ELSEWHERE.items () if text in line), None)
                if there:
                    expect (os.path.exists (os.path.join (PROJECT, "tests", "integration", there)), there + " is gone")
                else:
                    expect (way, "%s shows `%s`, which no test runs" % (name, line))
                    way (mesh, line, home)
                count += 1
                print ("    %s: %s" % (name, line.partition ("#")[0].strip ()), flush=True)
    expect (count >= 14, "found %d commands in the documentation" % count)


def the_operator_s_table_has_every_command (mesh):
    """OPERATIONS.md's table names the commands of `evomesh help`, all of them and no others."""
    real = set (re.findall (r"(?m)^  (\S+(?: \S+)?)  ", mesh.run ("evomesh", "help").out))
    with open (os.path.join (PROJECT, "docs", "OPERATIONS.md")) as file:
        table = file.read ().partition ("<!-- commands:begin -->")[2].partition ("<!-- commands:end -->")[0]
    spans = [span for row in table.splitlines () for span in re.findall (r"`([^`]+)`", row.split ("|")[1] if "|" in row else "")]
    told = {" ".join (word for word in span.split () if word.islower ()) for span in spans}
    expect (len (real) > 20 and told == real, "not in the table: %s; no commands: %s" % (sorted (real - told), sorted (told - real)))


main (the_operator_s_table_has_every_command, every_documented_command)
