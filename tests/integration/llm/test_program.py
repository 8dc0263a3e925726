# SPDX-License-Identifier: MPL-2.0
"""The program that asks a model, against an endpoint that answers, and one that misbehaves in every way."""
import json
import os
import subprocess
import sys

sys.path.insert (0, os.path.join (os.path.dirname (os.path.abspath (__file__)), "..", "lib"))
sys.path.insert (0, os.path.dirname (os.path.abspath (__file__)))
from endpoint import Endpoint, completion, flood, later, raw, refusal, stall, truncated
from mesh import expect, main

KEY = "sk-test-0123456789abcdef"
GOOD = """A wider step.

a.c
```c
<<<<<<< SEARCH
int step = 1;
=======
int step = 2;
>>>>>>> REPLACE
```
lib/b.c
<<<<<<< SEARCH
  return   step;
=======
  return 2 * step;
>>>>>>> REPLACE
"""
START = {"a.c": "int step = 1;\nint other;\n", "lib/b.c": "int f (void) {\n    return step;\n}\n"}
CHANGED = {"a.c": "int step = 2;\nint other;\n", "lib/b.c": "int f (void) {\n    return 2 * step;\n}\n"}


class Run:
    """One run of the program in a fresh checkout."""
    number = 0

    def __init__ (self, mesh, endpoint, files=START, top=(), **settings):
        Run.number += 1
        self.directory = mesh.path ("run-%d" % Run.number)
        for name, text in {**START, **files}.items ():
            path = os.path.join (self.directory, name)
            os.makedirs (os.path.dirname (path), exist_ok=True)
            with open (path, "w") as file:
                file.write (text)
        llm = {"url": endpoint.url + "/chat/completions", "key": KEY, "model": "test-1", "price_input": 1,
               "price_output": 10, "max_tokens": 500, "limit_key": "max_tokens", "timeout_ms": 20000,
               "deadline_ms": 60000, "retries": 2, "repairs": 2, "description": "step well",
               "allowance": {"requests": 10, "tokens": 10**9, "cost_millionths": 10**9}, **settings}
        request = {"parent": {"id": "p", "metrics": {"score": 1}}, "inspirations": {"top": top, "diverse": []}, "failures": [], "seed": 5,
                   "learning_rate": 0.1, "evolve": list (START), "objectives": [], "llm": llm}
        program = os.path.join (os.path.dirname (mesh.evomesh), "..", "libexec", "evomesh", "llm")
        done = subprocess.run ([program], cwd=self.directory, input=json.dumps (request), capture_output=True, text=True,
                               timeout=120, env={"PATH": "/usr/bin"})
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr
        self.lines = [json.loads (line) for line in self.out.splitlines ()]
        expect (KEY not in self.out + self.err, "the key was printed: %s" % self)

    def files (self):
        found = {}
        for name in START:
            with open (os.path.join (self.directory, name)) as file:
                found[name] = file.read ()
        return found

    @property
    def spent (self):
        spent = self.lines[-1]["spent"]
        return spent["requests"], spent["tokens"], spent["cost_millionths"]

    def changed (self):
        expect (self.code == 0 and self.files () == CHANGED, "expected a change: %s %s" % (self, self.files ()))
        return self

    def failed (self, why):
        expect (self.code == 1 and self.files () == START, "expected a failure, and no change: %s" % self)
        expect (why in self.err, "expected %r: %s" % (why, self))
        return self

    def __str__ (self):
        return "exit %s\n%s%s" % (self.code, self.out, self.err)


def cost (input_tokens, output_tokens):
    return input_tokens + 10 * output_tokens


def an_answer_is_applied_and_counted (mesh):
    with Endpoint (completion (GOOD)) as endpoint:
        run = Run (mesh, endpoint).changed ()
        request = endpoint.requests[0]
    expect (request["path"] == "/v1/chat/completions", request["path"])
    expect (request["headers"]["Authorization"] == "Bearer " + KEY, "the key as bearer")
    expect (request["body"]["model"] == "test-1" and request["body"]["max_tokens"] == 500, request["body"])
    expect ("temperature" not in request["body"], "a temperature that nobody gave")
    expect (run.spent == (1, 1100, cost (1000, 100)), run)
    expect (run.lines[-1]["description"] == "A wider step.", run)
    # What the request could cost at most was told before.
    expect (run.lines[0]["spent"]["requests"] == 1 and run.lines[0]["spent"]["tokens"] > 1000, run)


def the_agents_own_prompts_are_used (mesh):
    with Endpoint (completion (GOOD)) as endpoint:
        Run (mesh, endpoint, {"prompts/system.md": "You are a stepper.", "prompts/task.md": "Step further."}).changed ()
        system, task = (message["content"] for message in endpoint.requests[0]["body"]["messages"])
    expect ("You are a stepper." in system and "<<<<<<< SEARCH" in system, system)
    expect ("Step further." in task and "step well" not in task and START["a.c"] in task, task)


def without_a_key_none_is_sent (mesh):
    with Endpoint (completion (GOOD)) as endpoint:
        Run (mesh, endpoint, key="").changed ()
        expect ("Authorization" not in endpoint.requests[0]["headers"], "no key")


def an_answer_names_what_it_was_crossed_with (mesh):
    top = [{"id": "p", "files": START}, {"id": "q", "metrics": {"score": 3}, "files": {"a.c": "int stride = 7;\n"}}]
    crossed = GOOD.replace ("wider step.", "wider step.\nCrossed with candidate 1\n")
    with Endpoint (completion (crossed), completion (GOOD), completion (crossed.replace ("candidate 1", "candidate 8"))) as endpoint:
        runs = [Run (mesh, endpoint, top=top).changed () for _ in range (3)]
        expect ("# Candidate 1, to learn from\nMeasured: score = 3" in endpoint.prompts (), endpoint.prompts ())
    said = [run.lines[-1].get ("second_parent") for run in runs]
    expect (said == ["q", None, None], said)


def an_answer_that_does_not_fit_is_told_to_the_model (mesh):
    wrong = GOOD.replace ("int step = 1;", "int stride = 1;")
    with Endpoint (completion ("I think so."), completion (wrong), completion (GOOD)) as endpoint:
        run = Run (mesh, endpoint).changed ()
        told = [request["body"]["messages"] for request in endpoint.requests]
    expect ([len (messages) for messages in told] == [2, 4, 6], "each answer stands before what was wrong with it")
    expect (told[2][2] == {"role": "assistant", "content": "I think so."}, told[2][2])
    expect ("no SEARCH/REPLACE block" in told[2][3]["content"], told[2][3])
    expect ("don't stand in a.c" in told[2][5]["content"], told[2][5])
    expect (run.spent == (3, 3300, 3 * cost (1000, 100)), run)
    with Endpoint (completion (wrong)) as endpoint:
        run = Run (mesh, endpoint).failed ("no answer could be used: Block 1")
        expect (len (endpoint.requests) == 3, "asked %d times" % len (endpoint.requests))


def an_answer_that_is_cut_off_is_told_to_be_shorter (mesh):
    with Endpoint (completion (GOOD[:60], finish="length"), completion (GOOD)) as endpoint:
        Run (mesh, endpoint).changed ()
        expect ("be shorter" in endpoint.prompts (), endpoint.prompts ())


def a_busy_endpoint_is_asked_again (mesh):
    with Endpoint (refusal (429, "slow down", **{"Retry-After": "1"}), refusal (500, "oops"), completion (GOOD)) as endpoint:
        run = Run (mesh, endpoint).changed ()
    expect (run.spent == (3, 1100, cost (1000, 100)), "a refusal is a request, and costs nothing: %s" % run)
    expect ("again in 1000 ms" in run.err, run)
    with Endpoint (later (2), completion (GOOD)) as endpoint:
        Run (mesh, endpoint).changed ()


def one_that_asks_for_more_time_than_there_is_is_not_waited_for (mesh):
    with Endpoint (refusal (429, "slow down", **{"Retry-After": "3600"})) as endpoint:
        Run (mesh, endpoint).failed ("answered 429: slow down")
        expect (len (endpoint.requests) == 1, "asked once")


def what_is_wrong_for_good_is_not_asked_again (mesh):
    for status in (400, 401, 404):
        with Endpoint (refusal (status, "no: %s is not a key" % KEY)) as endpoint:
            run = Run (mesh, endpoint).failed ("answered %d: no: ****" % status)
            expect (len (endpoint.requests) == 1 and run.spent == (1, 0, 0), run)


def a_redirection_is_not_followed (mesh):
    with Endpoint (completion (GOOD)) as other, Endpoint (raw (b"", 307, Location=other.url)) as endpoint:
        Run (mesh, endpoint).failed ("answered 307")
        expect (not other.requests, "the key went to another host")


def an_endpoint_that_stalls_ends_in_time (mesh):
    with Endpoint (stall) as endpoint:
        run = Run (mesh, endpoint, timeout_ms=300, retries=1).failed ("the endpoint:")
        expect (len (endpoint.requests) == 2, "asked twice")
        expect (run.spent[0] == 2 and run.spent[1] > 1000, "what may have cost counts: %s" % run)
    with Endpoint (stall) as endpoint:
        Run (mesh, endpoint, deadline_ms=800, retries=9).failed ("llm:")


def a_reply_that_is_none_is_asked_for_again (mesh):
    for reply in (truncated, raw (b'{"choices": [{"mess'), raw (b"<html>"), raw (b""), raw (b'{"choices": []}'),
                  completion ("")):
        with Endpoint (reply, completion (GOOD)) as endpoint:
            run = Run (mesh, endpoint).changed ()
            expect (len (endpoint.requests) == 2 and run.spent[0] == 2, run)


def fifty_megabytes_are_cut_off (mesh):
    with Endpoint (flood (50)) as endpoint:
        run = Run (mesh, endpoint, retries=0).failed ("its reply is longer than")
        expect (endpoint.flooded < 50, "it took all of it")
        expect (run.spent[1] > 500, "what may have cost counts: %s" % run)


def a_usage_that_is_not_told_counts_as_the_most (mesh):
    with Endpoint (completion (GOOD, usage=None)) as endpoint:
        run = Run (mesh, endpoint).changed ()
    expect (run.lines[-1]["spent"] == run.lines[0]["spent"] and run.spent[1] > 500, run)


def a_usage_of_nothing_counts_as_the_most (mesh):
    for usage in ((0, 0), (1000, 0), (0, 100)):
        with Endpoint (completion (GOOD, usage=usage)) as endpoint:
            run = Run (mesh, endpoint).changed ()
        expect (run.lines[-1]["spent"] == run.lines[0]["spent"] and run.spent[1] > 500, "%s: %s" % (usage, run))


def a_usage_beyond_all_bounds_is_never_told_as_less (mesh):
    for usage, tokens in (((2**62, 2**62), 2**63 - 1), ((2**63 - 1, 2**63 - 1), 2**63 - 1)):
        with Endpoint (completion (GOOD, usage=usage)) as endpoint:
            run = Run (mesh, endpoint).changed ()
        expect (run.spent == (1, tokens, 2**63 - 1), "%s: %s" % (usage, run))


def no_request_is_made_that_the_allowance_does_not_cover (mesh):
    for allowance in ({"requests": 0}, {"tokens": 600}, {"cost_millionths": 5000}):
        with Endpoint (completion (GOOD)) as endpoint:
            run = Run (mesh, endpoint, allowance={"requests": 1, "tokens": 10**9, "cost_millionths": 10**9, **allowance})
            run.failed ("what is left of the budget")
            expect (run.lines[-1]["unaffordable"] and run.spent == (0, 0, 0) and not endpoint.requests, run)
    with Endpoint (refusal (500, "oops")) as endpoint:
        run = Run (mesh, endpoint, allowance={"requests": 2, "tokens": 10**9, "cost_millionths": 10**9}, retries=5)
        run.failed ("what is left of the budget")
        expect (len (endpoint.requests) == 2 and run.spent == (2, 0, 0), run)


def a_key_that_comes_back_is_blanked (mesh):
    with Endpoint (completion (GOOD.replace ("int step = 2;", "char *key = \"%s\";" % KEY))) as endpoint:
        run = Run (mesh, endpoint)
    expect (run.code == 0 and "*" * len (KEY) in run.files ()["a.c"] and KEY not in run.files ()["a.c"], run)


main (an_answer_is_applied_and_counted, an_answer_names_what_it_was_crossed_with, the_agents_own_prompts_are_used, without_a_key_none_is_sent,
      an_answer_that_does_not_fit_is_told_to_the_model, an_answer_that_is_cut_off_is_told_to_be_shorter,
      a_busy_endpoint_is_asked_again, one_that_asks_for_more_time_than_there_is_is_not_waited_for,
      what_is_wrong_for_good_is_not_asked_again, a_redirection_is_not_followed, an_endpoint_that_stalls_ends_in_time,
      a_reply_that_is_none_is_asked_for_again, fifty_megabytes_are_cut_off, a_usage_that_is_not_told_counts_as_the_most,
      a_usage_of_nothing_counts_as_the_most, a_usage_beyond_all_bounds_is_never_told_as_less,
      no_request_is_made_that_the_allowance_does_not_cover, a_key_that_comes_back_is_blanked)
