# SPDX-License-Identifier: MPL-2.0
"""The lab: a small fast agent whose evaluator does what a candidate's file says, and a service that fails when told to.

score = 1 + a + b + own × bias, where bias is in each node's /private: what is only good on one node's data. A file `hold` in
/private holds evaluations of candidates that match one of its patterns until it is gone: so a test decides what happens first.
"""
import os

from mesh import SECONDS, expect, wait_for, write_agent

MANIFEST = """\
name: lab
description: "does what lab.txt says"
evolve: [lab.txt]
evaluator:
  command: [./evaluate]
  timeout: %s
  memory: 96MiB
  processes: 24
objectives:
  - {name: score, goal: maximize, weight: 0.9}
  - {name: cost, goal: minimize, weight: 0.1, limit: 5, alert: 3}
"""

EVALUATE = r"""#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# One awk for the values; what is not normal follows.
while [ -s /private/hold ] && grep -qf /private/hold lab.txt; do sleep 0.03; done
bias=-1 worse=0
[ -e /private/bias ] && read -r bias </private/bias
[ -s /private/regress ] && grep -qf /private/regress lab.txt && worse=1
result () {
    awk -v bias="$bias" -v worse="$worse" '{ v[$1] = $3 }
        END { printf "{\"score\": %.6f, \"cost\": %s}\n", 1 + v["a"] + v["b"] + v["own"] * bias - worse, v["cost"] }' lab.txt
}
mode=$(sed -n 's/^mode = //p' lab.txt)
case $mode in
normal) result ;;
exit) echo "this one ends badly" >&2; exit 3 ;;
crash) kill -SEGV $$ ;;
hang) while :; do sleep 60; done ;;
hang-deaf) trap '' TERM INT HUP; while :; do sleep 60 & wait; done ;;
garbage) head -c 2000 /dev/urandom; echo ;;
silent) ;;
nan) echo '{"score": NaN, "cost": 1}' ;;
infinite) echo '{"score": 1e999, "cost": 1}' ;;
vast) echo '{"score": 1.7e308, "cost": -1.7e308}' ;;
missing) echo '{"score": 9}' ;;
twice) echo '{"score": 9, "score": 10, "cost": 1}' ;;
refuse) echo '{"valid": false, "error": "I would rather not"}' ;;
gigabyte) head -c 1G /dev/zero | tr '\0' x ;;
memory) awk 'BEGIN { while (1) eaten[n++] = sprintf ("%02000d", n) }' ;;
fork) bomb () { bomb & bomb & exec sleep 60; }; bomb ;; # which stay: else all may be over between two looks of a busy node
orphans) for i in 1 2 3 4 5; do setsid sleep 300 & done; result ;;
esac
"""

START = {"mode": "normal", "a": "0.25", "b": "0.25", "own": "0", "cost": "1"}


def lab_text (**values):
    """lab.txt, with lines between the values: then changes of two of them merge."""
    comment = values.pop ("comment", "what the evaluator is to do")
    keep = "# -\n# -\n# -\n"
    return "# %s\n" % comment + keep + keep.join ("%s = %s\n" % (key, values.get (key, value)) for key, value in START.items ())


def make_agent (mesh, timeout="60s"):
    return write_agent (mesh.path ("lab"), MANIFEST % timeout, {"lab.txt": lab_text (), "evaluate": EVALUATE})


def values (node):
    """The values in the node's live release."""
    pairs = (line.split (" = ") for line in node.read ("lab.txt").splitlines () if " = " in line)
    return dict (pairs)


def write (path, text):
    with open (path, "w") as file:
        file.write (text)


def hold (node, pattern):
    write (os.path.join (node.private, "hold"), pattern + "\n")


def let_go (node):
    os.unlink (os.path.join (node.private, "hold"))


def proposal (node, comment=None, **changes):
    """A directory with the node's live values, changed."""
    now = values (node)
    now.update ({key: str (value) for key, value in changes.items ()})
    if comment:
        now["comment"] = comment
    directory = node.mesh.path ("idea-%d" % len (os.listdir (node.mesh.scratch)))
    os.mkdir (directory)
    write (os.path.join (directory, "lab.txt"), lab_text (**now))
    return directory


def propose (node, *options, comment=None, **changes):
    """Proposes the live values with changes; the improvement's id."""
    return node.json ("propose", proposal (node, comment, **changes), *options)["value"]


def state (node, id):
    one = node.improvement (id)
    return one["state"] if one else None


def ends (node, id, wanted, reason=None, seconds=SECONDS):
    """Waits until an improvement is in a state (and for that reason)."""
    seen = []

    def there ():
        one = node.improvement (id)
        seen[:] = ["%s (%s)" % (one["state"], one["reason"])] if one else ["not there"]
        return one and one["state"] == wanted and (reason is None or one["reason"] == reason)
    try:
        wait_for ("%s: %s is %s%s" % (node.name, id[:8], wanted, " for " + reason if reason else ""), there, seconds)
    except Exception as problem:
        raise type (problem) ("%s; it is %s" % (problem, seen[0])) from None


def live_is (nodes, seconds=SECONDS, **wanted):
    wanted = {key: str (value) for key, value in wanted.items ()}
    for node in nodes:
        wait_for ("%s has %s live" % (node.name, wanted),
                  lambda: wanted.items () <= values (node).items (), seconds)


def quiet (nodes, seconds=SECONDS):
    """Waits until nothing is under way, and everything said is acknowledged."""
    def settled (node):
        status = node.status ()
        return status and not status["under_way"] and status["outbox"] == 0 and status["slots_busy"] == 0
    for node in nodes:
        wait_for ("%s has nothing under way" % node.name, lambda: settled (node), seconds)
        expect (node.status ()["problem"] is None, "%s: %s" % (node.name, node.status ()["problem"]))
