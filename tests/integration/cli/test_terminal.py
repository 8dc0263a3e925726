# SPDX-License-Identifier: MPL-2.0
"""What people see: lines and tables fit the terminal, however narrow, and are whole in a pipe."""
import os
import re
import signal
import subprocess
import sys

sys.path.insert (0, os.path.join (os.path.dirname (os.path.abspath (__file__)), "..", "lib"))
import lab
from mesh import Failed, Terminal, expect, main, wait_for

LONG = "a much better a, of which there is more to tell than fits into a line of any terminal that people have in use"


def bare (text):
    """What is shown, without styles: its lines."""
    return re.sub (r"\x1b\[[0-9;]*m", "", text).replace ("\r", "").splitlines ()


def widest (lines):
    return max (map (len, lines))


def shown (node, columns, *words):
    """The lines of a command at a terminal of so many columns."""
    terminal = Terminal (node.mesh, [node.mesh.evomesh, *words, "--dir", node.dir], size=(50, columns))
    expect (terminal.end () == 0, "%s ends well: %s" % (words, terminal.seen))
    return bare (terminal.seen)


def solo (mesh, name="solo"):
    """A node alone, that runs and proposes nothing by itself."""
    node = mesh.node (name, agent=lab.make_agent (mesh))
    node.config (proposers="[]")
    node.cli ("group", "create", "people")
    node.start ()
    wait_for ("the start is measured", lambda: node.status ()["objectives"][0]["now"] is not None)
    return node


def an_event_is_a_line (mesh):
    node = solo (mesh)
    terminal = Terminal (mesh, [mesh.evomesh, "watch", "--dir", node.dir], size=(24, 80))
    piped = mesh.path ("piped")
    with open (piped, "w") as out:
        watch = subprocess.Popen ([mesh.evomesh, "watch", "--dir", node.dir], stdin=subprocess.DEVNULL, stdout=out, env=mesh.env)
    mesh.others.append (watch)

    def both_watch ():
        node.cli ("pause")
        node.cli ("resume")
        return os.path.getsize (piped) > 0 and terminal._read ()
    wait_for ("events are shown", both_watch)
    id = lab.propose (node, mode="exit")
    lab.ends (node, id, "rejected")
    terminal.wait (r"improvement_rejected[^\n]*\n")
    told = wait_for ("the pipe has it", lambda: re.search (r"improvement_rejected.*\n", open (piped).read ()))
    expect ('this one ends badly"\n' in told.group (), "whole in a pipe: %s" % told.group ())
    expect (len (told.group ()) > 80, "the event is too short to see anything: %s" % told.group ())
    lines = bare (terminal.seen)
    expect (widest (lines) == 80, "as wide as the terminal: %s" % lines)
    cut = next (line for line in lines if "improvement_rejected" in line)
    expect (cut.endswith ("…") and len (cut) == 80, "cut at the edge: %r" % cut)


def table (lines, head):
    """The lines of the table whose head matches."""
    start = next ((i for i, line in enumerate (lines) if re.search (head, line)), None)
    expect (start is not None, "a table with /%s/: %s" % (head, lines))
    return lines[start:lines.index ("", start)] if "" in lines[start:] else lines[start:]


def tables_fit (mesh):
    alpha, beta = mesh.group (["alpha", "beta-of-the-longest-name-allowed"], lab.make_agent (mesh), config={"proposers": "[]"})
    id = lab.propose (alpha, "--description", LONG, a=0.9)
    lab.ends (alpha, id, "shared")
    wait_for ("beta adopts it", lambda: beta.status ()["packages_adopted"] == 1)
    lab.quiet ([alpha, beta])
    adopted = next (line for line in beta.cli ("package", "list").out.splitlines () if "adopted" in line)
    expect (adopted.count ("adopted") == 1, "nothing is said twice: %s" % adopted)
    for node, words, head, kept in (
            (alpha, ["log"], r"\bID\b.*WHAT", "STATE|BETTER BY"), (alpha, ["show", id], "OBJECTIVE", "CANDIDATE|BETTER BY|CONCLUSION"),
            (alpha, ["status"], "OBJECTIVE", "START|NOW|BETTER BY"), (alpha, ["group", "members"], r"\bNAME\b", "ID|STANDING"),
            (beta, ["package", "list"], "PACKAGE", "STATUS|WHY"), (alpha, ["snapshots"], "SNAPSHOT", "RELEASE|WHY")):
        whole = table (node.cli (*words).out.splitlines (), head)
        for columns in (80, 60):
            fitted = table (shown (node, columns, *words), head)
            expect (widest (fitted) <= columns, "%s in %d columns: %s" % (words, columns, fitted))
            expect (len (fitted) == len (whole), "%s has other lines: %s, %s" % (words, fitted, whole))
            for name in (kept + ("|%s" % re.match (r"\w+", whole[0]).group () if columns == 80 else "")).split ("|"):
                expect (name in fitted[0], "%s in %d columns lacks %s: %s" % (words, columns, name, fitted))
    expect (LONG in alpha.cli ("log").out, "whole in a pipe: %s" % alpha.cli ("log"))
    expect (LONG in "\n".join (shown (alpha, 250, "log")), "and where there is room")


def shows (node, id, pattern, **progress):
    """`show` comes to say so of one that is under way, to people and to programs."""
    def told ():
        found = (node.json ("show", id)["progress"] or {}).items ()
        return progress.items () <= found and re.search (r"(?m)^  under way +" + pattern, node.cli ("show", id).out)
    try:
        wait_for ("show %s says %s" % (id[:8], pattern), told)
    except Failed as problem:
        raise Failed ("%s; it says %s" % (problem, node.cli ("show", id))) from None


def what_is_under_way_says_how_far_it_is (mesh):
    agent = lab.make_agent (mesh)
    manifest = os.path.join (agent, "agent.yaml")
    lab.write (manifest, (lab.MANIFEST % "60s").replace ("weight: 0.9", "weight: 0.9, noisy: true"))
    alpha, beta = mesh.group (["alpha", "beta"], agent, config={"proposers": "[]"})
    lab.hold (alpha, "a = 0.9")
    lab.hold (beta, "a = 0.9")
    id = lab.propose (alpha, a=0.9)
    shows (alpha, id, "0 of up to 32 pairs measured, a run is under way$", state="testing", waits_for="run", pairs=0, pairs_most=32,
           feedback=None, validation=None)
    alpha.kill ()
    expect (alpha.json ("show", id)["progress"] is None, "nobody knows while no node runs")
    expect ("under way" not in alpha.cli ("show", id).out, "nor tells it")
    alpha.start ()
    lab.let_go (alpha)
    shows (alpha, id, "waits for validators: of 1 validator 0 confirm, 0 don't, 0 declined; needed: 1; for .* more at most$",
           state="validating", waits_for="validators", feedback={"asked": 1, "approve": 1, "review": 0, "reject": 0},
           validation={"asked": 1, "confirmed": 0, "refuted": 0, "declined": 0, "needed": 1})
    lab.let_go (beta)
    lab.ends (alpha, id, "shared")
    expect (alpha.json ("show", id)["progress"] is None, "one that is through isn't under way")


def what_waits_for_people_says_so (mesh):
    alpha, _, gamma = mesh.group (["alpha", "beta", "gamma"], lab.make_agent (mesh), "--quorum", "0.6", "--feedback-deadline", "12s",
                                  config={"proposers": "[]"})
    gamma.signal (signal.SIGSTOP)
    id = lab.propose (alpha, a=0.9)
    shows (alpha, id, "waits for feedback: of 2 members asked 1 approve, 0 want a look, 0 reject; for .* s more at most$",
           state="reviewing", waits_for="votes", feedback={"asked": 2, "approve": 1, "review": 0, "reject": 0}, validation=None)
    shows (alpha, id, "waits for you: `evomesh approve %s`, or `evomesh reject %s`; for .* h more" % (id[:8], id[:8]), state="held",
           waits_for="operator")
    gamma.signal (signal.SIGCONT)


def a_package_that_does_not_fit_says_what_of_it (mesh):
    alpha, beta = mesh.group (["alpha", "beta"], lab.make_agent (mesh), config={"proposers": "[]"})
    beta.stop ()
    beta.config (knowledge_transfer__compatibility_threshold="0.96")
    beta.start ()
    mesh.wait_linked ([alpha, beta])
    id = lab.propose (alpha, a=0.9)
    lab.ends (alpha, id, "shared")
    wait_for ("beta has decided", lambda: [one for one in beta.json ("package", "list") if one["status"] == "rejected"])
    why = "incompatible: fits 0.95, expected above 0.96 (sender 0.5 of 1)"
    expect (why in beta.cli ("package", "list").out, "what doesn't fit: %s" % beta.cli ("package", "list").out)
    expect (beta.json ("package", "list")[0]["why"] == why, "also to programs")
    with beta.database () as store:
        events = str (store.execute ("SELECT * FROM event").fetchall ())
    expect (re.search ("needed_above.*0.960.*sender.*0.500", events), "the event says so, too: %s" % events)


main (an_event_is_a_line, tables_fit, what_is_under_way_says_how_far_it_is, what_waits_for_people_says_so,
      a_package_that_does_not_fit_says_what_of_it)
