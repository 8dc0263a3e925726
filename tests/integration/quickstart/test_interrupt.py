# SPDX-License-Identifier: MPL-2.0
"""At a terminal the quickstart keeps its summary below what happens. Ctrl-C there: all nodes stop cleanly, the terminal is as before, and
what they did is summed up as after --for."""
import json
import os
import re
import sys

sys.path.insert (0, os.path.join (os.path.dirname (os.path.abspath (__file__)), "..", "lib"))
from mesh import PROJECT, Terminal, expect, main

SCRIPT = os.path.join (PROJECT, "deploy", "quickstart.sh")


def ctrl_c (mesh):
    directory, summary = mesh.path ("data"), mesh.path ("summary.json")
    terminal = Terminal (mesh, [SCRIPT, "--nodes", "2", "--dir", directory, "--json", summary, "--seed", "3", "--yes"],
                         size=(40, 100))
    terminal.wait ("2 nodes run in", 900) # the release preset may have to be built
    terminal.wait ("improvement_proposed", 120)
    terminal.wait (r"\x1b\[1;33r")  # what happens scrolls in the rows above the summary
    terminal.wait (r"\x1b\[37;1H\x1b\[2Knode-2 +[0-9]+")
    terminal.wait (r"START and NOW [^\x1b]{85}…\x1b") # longer than a row: cut, and it shows
    terminal.type ("\x03")
    code = terminal.end (120)
    expect (code == 0, "it ended with %d:\n%s" % (code, terminal.seen))
    expect ("\x1b[r" in terminal.seen, "the terminal's rows were not given back:\n%r" % terminal.seen[-2000:])
    for text in ("NODE .*APPLIED .*REJECTED", "node-1 +[0-9]+", "node-2 +[0-9]+", "Everything lies in", "evomesh diff --dir"):
        terminal.wait_seen (text)
    events = re.findall (r"\d\d:\d\d:\d\d node-\d [^\x1b\r\n]*", re.sub (r"\x1b\[\d*m", "", terminal.seen))
    expect (events and max (map (len, events)) <= 100, "events wrap: %s" % events)
    with open (summary) as file:
        expect ([node["name"] for node in json.load (file)["nodes"]] == ["node-1", "node-2"], "the JSON is not whole")
    for k in (1, 2):
        with open (os.path.join (directory, "node-%d" % k, "node.log")) as file:
            expect ("event=stopped" in file.read (), "node-%d did not end cleanly" % k)


def no_place_for_json (mesh):
    done = mesh.run (SCRIPT, "--json", mesh.path ("none", "summary.json"), "--dir", mesh.path ("other"), "--yes", code=1)
    expect ("found no place to write" in done.err, str (done))
    expect (not os.path.exists (mesh.path ("other")), "it began all the same")


main (ctrl_c, no_place_for_json)
