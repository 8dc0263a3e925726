# SPDX-License-Identifier: MPL-2.0
"""A node that asks a model: what the model finds goes live, the key stays where it belongs, the budget holds, and an endpoint that
stalls stalls nobody else."""
import os
import re
import sys

sys.path.insert (0, os.path.join (os.path.dirname (os.path.abspath (__file__)), "..", "lib"))
sys.path.insert (0, os.path.dirname (os.path.abspath (__file__)))
import lab
from endpoint import Endpoint, completion, stall
from mesh import Watcher, descendants, expect, main, wait_for

KEY = "sk-test-7d1f0a9c3b5e8264"
OTHER_KEY = "sk-test-1122334455667788"
HELD = "^a = 0.75"  # the first value that a model proposes

# Proposes some other value of `a`, drawn from what it is told.
LOCAL = "{name: local, timeout: 60s, command: [/bin/sh, -c, " \
        "\"n=$(md5sum | tr -dc 1-9 | cut -c1-4); sed -i \\\"s/^a = .*/a = 0.2$n/\\\" lab.txt\"]}"


def climb (handler, body):
    """Answers with half a point more than the program has."""
    prompt = body["messages"][1]["content"]
    now = re.findall (r"^a = ([0-9.]+)$", prompt, re.MULTILINE)[-1]
    better = "%.2f" % (float (now) + 0.5)
    completion ("Half a point more.\n\nlab.txt\n<<<<<<< SEARCH\na = %s\n=======\na = %s\n>>>>>>> REPLACE\n" % (now, better)) (
        handler, body)


def start_node (mesh, endpoint, proposers, budget, key_settings, parallel=1):
    node = mesh.node ("solo", "--seed", "1", agent=lab.make_agent (mesh, timeout="60s"))
    node.config (proposers=proposers)
    with open (os.path.join (node.dir, "node.yaml"), "a") as file:
        file.write ("\nllm:\n  endpoint: %s\n  %s\n  models:\n    - {name: test-1, price_input: 2, price_output: 10}\n"
                    "  parallel: %d\n  budget: %s\n" % (endpoint.url, key_settings, parallel, budget))
    node.cli ("group", "create", "lonely", "--allow-unvalidated")
    return node


def key_file (mesh):
    path = mesh.path ("key")
    with open (path, "w") as file:
        file.write (KEY + "\n")
    os.chmod (path, 0o600)
    return path


def holds_key (path):
    try:
        with open (path, "rb") as file:
            data = file.read ()
    except OSError:
        return False
    return KEY.encode () in data or OTHER_KEY.encode () in data


def expect_no_key_on_disk (node):
    paths = [os.path.join (folder, name) for folder, _, names in os.walk (node.dir) for name in names]
    for path in [*paths, node.log_path, node.dir + ".events"]:
        expect (not (os.path.isfile (path) and holds_key (path)), "the key stands in " + path)


def expect_no_key_in_processes (node):
    for pid in descendants (node.pid):
        for name in ("environ", "cmdline"):
            expect (not holds_key ("/proc/%d/%s" % (pid, name)), "%s of a process below the node holds the key" % name)


def what_a_model_finds_goes_live_within_the_budget (mesh):
    with Endpoint (climb) as endpoint:
        node = start_node (mesh, endpoint, "[{name: llm}]", "{requests: 4, cost: 1}", "key_file: " + key_file (mesh))
        lab.hold (node, HELD)
        node.start ()
        watcher = Watcher (node)
        wait_for ("the model's candidate is being measured", lambda: node.log ("testing") and len (descendants (node.pid)) > 2)
        expect_no_key_in_processes (node)
        lab.let_go (node)
        wait_for ("a model's value is live", lambda: float (lab.values (node)["a"]) >= 0.75, 60)
        expect (endpoint.requests[0]["headers"]["Authorization"] == "Bearer " + KEY, "the key goes to the endpoint")
        expect ("does what lab.txt says" in endpoint.prompts (0), endpoint.prompts (0))

        first = wait_for ("it is applied", lambda: next ((one for one in node.log () if one["state"] in ("applied", "shared")), None))
        shown = node.json ("show", first["id"])
        expect (shown["model"] == "test-1" and shown["description"] == "Half a point more.", shown)
        expect ((shown["requests"], shown["tokens"], shown["cost_millionths"]) == (1, 1100, 3000), shown)
        text = node.cli ("show", first["id"]).out
        expect ("0.003000, for 1 request with 1100 tokens to test-1" in text, text)

        status = wait_for ("the budget is spent", lambda: (lambda s: s and s["llm"]["exhausted"] and s) (node.status ()), 60)
        expect (status["llm"]["spent"] == {"requests": 4, "tokens": 4400, "cost_millionths": 12000}, status["llm"])
        told = wait_for ("it is said", lambda: [one for one in watcher.events () if one["type"] == "proposer_exhausted"])
        expect ("4 of 4 requests" in told[0]["error_message"] and "raise llm.budget" in told[0]["error_message"], told)
        expect (any ("llm.budget" in step for step in status["next_steps"]), status["next_steps"])
        expect ("4 of 4 requests, 4400 tokens, cost 0.0120 of 1.00: spent" in node.cli ("status").out, "status says so")
        lab.quiet ([node])
        node.stop ()
        expect_no_key_on_disk (node)

        node.start ()
        wait_for ("it is said again", lambda: "proposer_exhausted" in node.tail (5000).split ("proposer_exhausted", 1)[1])
        expect (len (endpoint.requests) == 4, "%d requests after a restart" % len (endpoint.requests))


def a_small_budget_is_spent_to_its_end_by_several_at_once (mesh):
    """What one proposal sets aside, twelve requests, is more than there is: the others wait, and nothing is left over."""
    with Endpoint (climb) as endpoint:
        node = start_node (mesh, endpoint, "[{name: llm}]", "{requests: 6}", "key_file: " + key_file (mesh), parallel=2)
        node.start ()
        watcher = Watcher (node)
        status = wait_for ("the budget is spent", lambda: (lambda s: s and s["llm"]["exhausted"] and s) (node.status ()), 120)
        expect (status["llm"]["spent"]["requests"] == 6 and len (endpoint.requests) == 6, status["llm"])
        told = wait_for ("it is said", lambda: [one for one in watcher.events () if one["type"] == "proposer_exhausted"])
        expect ("6 of 6 requests" in told[0]["error_message"], told)
        node.stop ()


def a_usage_beyond_all_bounds_ends_the_budget (mesh):
    def huge (handler, body):
        completion ("I think so.", usage=(2**62, 2**62)) (handler, body)
    with Endpoint (huge) as endpoint:
        node = start_node (mesh, endpoint, "[{name: llm}]", "{requests: 100, cost: 1}", "key_file: " + key_file (mesh))
        node.start ()
        status = wait_for ("the budget is spent", lambda: (lambda s: s and s["llm"]["exhausted"] and s) (node.status ()), 60)
        expect (status["llm"]["spent"]["cost_millionths"] >= 10**6 and status["llm"]["spent"]["tokens"] >= 2**62, status["llm"])
        expect (len (endpoint.requests) == 1, "asked %d times" % len (endpoint.requests))


def what_a_killed_node_may_have_spent_counts (mesh):
    with Endpoint (stall) as endpoint:
        node = start_node (mesh, endpoint, "[{name: llm}]", "{requests: 100}", "key_file: " + key_file (mesh))
        node.start ()
        wait_for ("a request is under way", lambda: endpoint.requests)
        node.kill ()
        endpoint.replies[0] = climb
        node.start ()
        spent = wait_for ("a model's value is live", lambda: float (lab.values (node)["a"]) >= 0.75 and
                          node.status ()["llm"]["spent"], 60)
        expect (spent["requests"] >= 12 + 1, "twelve were set aside for the first: %s" % spent)


def an_endpoint_that_stalls_stalls_nobody_else (mesh):
    mesh.env["TEST_MODEL_KEY"] = OTHER_KEY
    with Endpoint (stall) as endpoint:
        node = start_node (mesh, endpoint, "[{name: llm, share: 100}, %s]" % LOCAL, "{requests: 100}",
                           "key_variable: TEST_MODEL_KEY")
        node.config (service__restart="\"tr '\\\\0' '\\\\n' </proc/self/environ >%s\"" % mesh.path ("service-environment"))
        node.start ()
        wait_for ("a request is under way", lambda: endpoint.requests)
        expect_no_key_in_processes (node)
        expect (endpoint.requests[0]["headers"]["Authorization"] == "Bearer " + OTHER_KEY, "the key from the environment")
        before = node.status ()["proposed"]
        wait_for ("others propose", lambda: node.status ()["proposed"] >= before + 5, 60)
        expect (len (endpoint.requests) == 1, "one at a time")
        wait_for ("one of theirs is live", lambda: lab.values (node)["a"] != lab.START["a"], 60)
        wait_for ("the service was restarted", lambda: os.path.exists (mesh.path ("service-environment")))
        expect (not holds_key (mesh.path ("service-environment")), "the service inherits no key")
        node.stop ()
        expect_no_key_on_disk (node)


main (what_a_model_finds_goes_live_within_the_budget, a_small_budget_is_spent_to_its_end_by_several_at_once,
      a_usage_beyond_all_bounds_ends_the_budget, what_a_killed_node_may_have_spent_counts,
      an_endpoint_that_stalls_stalls_nobody_else)
