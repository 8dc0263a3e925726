# SPDX-License-Identifier: MPL-2.0
"""/evomesh/python-evaluator: what an evaluator in Python may return, and what a program in its process can't do."""
import os
import sys

sys.path.insert (0, os.path.join (os.path.dirname (os.path.abspath (__file__)), "..", "lib"))
from mesh import PROJECT, code_blocks, expect, main, write_agent

MANIFEST = """\
name: tiny
evolve: [program.py]
evaluator:
  command: [/evomesh/python-evaluator, %s evaluator.py, program.py]
  timeout: 30s
  memory: 256MiB
objectives:
  - {name: score}
"""

LOAD = """\
import importlib.util
from fractions import Fraction

def load (path):
    spec = importlib.util.spec_from_file_location ("program", path)
    program = importlib.util.module_from_spec (spec)
    spec.loader.exec_module (program)
    return program

def evaluate (program_path):
    return %s
"""


def check (mesh, evaluator, program="VALUE = 4.25\n", options="", private=None):
    """What `agent check` says of an agent with these files."""
    directory = mesh.path ("agent-%d" % len (os.listdir (mesh.scratch)))
    write_agent (directory, MANIFEST % (options + "," if options else ""), {"program.py": program, "evaluator.py": evaluator})
    words = ["--private", private] if private else []
    return mesh.run (mesh.evomesh, "agent", "check", directory, "--runs", "1", *words, code=None)


def works (mesh, evaluator, score, **more):
    result = check (mesh, evaluator, **more)
    expect (result.code == 0 and "This agent works" in result.out and " %s " % score in result.out, str (result))
    return result


def fails (mesh, evaluator, *said, **more):
    result = check (mesh, evaluator, **more)
    expect (result.code == 1, str (result))
    for text in said:
        expect (text in result.err, "`%s` is not said: %s" % (text, result))


def results_of_every_form_are_read (mesh):
    for returned in ("{'score': load (program_path).VALUE}", "{'score': 4.25, 'error': None, 'name': 'x', 'other': float ('nan')}",
                     "{'metrics': {'score': 4.25}, 'artifacts': {'a': 'b'}}", "{'score': 4.25, 'artifacts': {'a': b'b'}}",
                     "{'valid': True, 'metrics': {'score': 4.25}}",
                     "{'score': Fraction (17, 4)}"):
        works (mesh, LOAD % returned, "4.25")
    works (mesh, "from openevolve.evaluation_result import EvaluationResult\n"
           "def evaluate (path): return EvaluationResult (metrics={'score': 4.25}, artifacts={'stderr': 'none'})\n", "4.25")
    works (mesh, LOAD % "{'score': True}", "1")


def what_is_no_result_is_told (mesh):
    fails (mesh, LOAD % "{'score': float ('nan')}", 'metric "score": found "nan", expected a number')
    fails (mesh, LOAD % "{'score': 'high'}", 'metric "score": found "high", expected a number')
    fails (mesh, LOAD % "{'other': 1}", 'metric "score": is missing')
    fails (mesh, LOAD % "7", "it returned int, expected a dict of numbers")
    fails (mesh, LOAD % "{'score': 0.0, 'error': 'the program timed out'}", "calls it invalid: the program timed out")
    fails (mesh, LOAD % "{'valid': False, 'metrics': {'score': 4.25}}", "it calls the program invalid")
    fails (mesh, LOAD % "load (program_path).VALUE / 0", "ZeroDivisionError", "evaluator.py")
    fails (mesh, "import nowhere\n", "ModuleNotFoundError")
    fails (mesh, "x = 1\n", "evaluator.py has no function evaluate")
    fails (mesh, LOAD % "{'score': 1}", "found the unknown option --wrong", options="--wrong")


def a_mistyped_command_is_told_in_one_line (mesh):
    directory = mesh.path ("mistyped")
    program = os.path.join (PROJECT, "deploy", "agents", "python-evaluator", "python-evaluator")
    there = os.path.join (write_agent (directory, MANIFEST % "", {"program.py": "", "evaluator.py": ""}), "program.py")
    for words, said in (
            (["evaluater.py", there], "'evaluater.py': found no file, expected the evaluator's Python file"),
            ([there, directory], "'%s': found a directory, expected the program's file, which the evaluator is given" % directory),
            ([there, "a\x1b[31m"], "'a\\x1b[31m': found no file, expected the program's file, which the evaluator is given"),
            ([there], "found 1 file, expected two: the evaluator's and the program's"),
            (["--wrong"], "found the unknown option --wrong, expected --stage NAME, --apart, --private, --processes N or --help")):
        result = mesh.run ("/usr/bin/python3", program, *words, code=2)
        expect (result.err == "python-evaluator: %s\n" % said, str (result))
    expect ("calls evaluate_NAME ()" in mesh.run ("/usr/bin/python3", program, "--help").out, "--help tells less than the manual")


def a_stage_calls_its_function (mesh):
    both = "def evaluate (path): return {'score': 1}\ndef evaluate_stage2 (path): return {'score': 2.5}\n"
    works (mesh, both, "1")
    works (mesh, both, "2.5", options="--stage, stage2")
    works (mesh, both, "2.5", options="--stage, stage1, --stage, stage2")  # as a stage's own comes behind the evaluator's
    fails (mesh, both, "evaluator.py has no function evaluate_stage3", options="--stage, stage3")


def the_same_files_give_the_same_result (mesh):
    score = "{'score': hash ('a text') % 1000003}"
    first, second = check (mesh, LOAD % score), check (mesh, LOAD % score)
    lines = [[line for line in one.out.splitlines () if line.startswith ("score")] for one in (first, second)]
    expect (lines[0] and lines[0] == lines[1], "%s\n%s" % (first, second))


def what_a_program_does_stays_in_its_process (mesh):
    run = LOAD % "{'score': load (program_path).VALUE}"
    # Prints: of any size, of any content, also of a result.
    works (mesh, run, "4.25", program="import sys\nfor _ in range (300): print ('x' * 65536)\nVALUE = 4.25\n")
    works (mesh, run, "4.25", program="import os\nos.system ('echo shout >&2')\nprint ('{\"metrics\": {\"score\": 99}}')\nVALUE = 4.25\n")
    # Leaves, in every way, before there is a result.
    fails (mesh, run, "ended with exit code 0 before there was a result", program="import os\nos._exit (0)\n")
    fails (mesh, run, "SystemExit", program="raise SystemExit (0)\n")
    fails (mesh, run, "was ended by signal 11 before there was a result", program="import os\nos.kill (os.getpid (), 11)\n")
    fails (mesh, run, "RecursionError", program="def f (): f ()\nf ()\n")
    # Writes on every descriptor that it has: what comes back is no result then.
    fails (mesh, run, "is no result", program="import os\nfor n in range (3, 64):\n    try: os.write (n, b'{\"metrics\": {}}')\n"
           "    except OSError: pass\nVALUE = 99\n")
    fails (mesh, run, "is no result: it is longer than", program="import os\nfor n in range (3, 64):\n"
           "    try:\n        for _ in range (99): os.write (n, b'x' * 65536)\n    except OSError: pass\nos._exit (0)\n")
    # Leaves something running that holds its descriptors.
    works (mesh, run, "4.25", program="import os\nif os.fork () == 0:\n    while True: pass\nVALUE = 4.25\n")
    # Changes the evaluator for the next run, reads the private data, signals whoever holds the result.
    works (mesh, run, "4.25", program="try:\n    open ('/agent/evaluator.py', 'a')\nexcept OSError:\n    VALUE = 4.25\n")
    works (mesh, run, "4.25", program="import os\ntry:\n    os.kill (os.getppid (), 9)\nexcept OSError:\n    VALUE = 4.25\n")


def private_data_are_there_only_if_asked_for (mesh):
    private = mesh.path ("private")
    os.mkdir (private)
    with open (os.path.join (private, "number"), "w") as file:
        file.write ("4.25")
    read = LOAD % "{'score': float (open ('/private/number').read ())}"
    fails (mesh, read, "PermissionError", private=private)
    works (mesh, read, "4.25", options="--private", private=private)


def documented (mesh):
    """The agent that docs/AGENTS.md shows, written out; the texts of its files by name."""
    manifest = next (block for block in code_blocks ("docs/AGENTS.md", "yaml") if "name: square-root" in block)
    files = {}
    for name in ("initial_program.py", "evaluator.py"):
        files[name] = "\n".join (next (block for block in code_blocks ("docs/AGENTS.md", "python") if block[0] == "# " + name)) + "\n"
    return "\n".join (manifest) + "\n", files


def the_documented_agent_works (mesh):
    manifest, files = documented (mesh)
    directory = write_agent (mesh.path ("square-root"), manifest, files)
    result = mesh.run (mesh.evomesh, "agent", "check", directory)
    expect ("This agent works" in result.out and "What `tune` would change (2)" in result.out, str (result))


def a_program_in_a_jail_of_its_own_forges_nothing (mesh):
    manifest, files = documented (mesh)

    def checked (attempt):
        program = files["initial_program.py"].replace ("import sys\n", "import sys\nimport os\n" + attempt)
        directory = write_agent (mesh.path ("attempt-%d" % len (os.listdir (mesh.scratch))), manifest,
                                 {**files, "initial_program.py": program})
        return mesh.run (mesh.evomesh, "agent", "check", directory, "--runs", "1", code=None)

    def distance (result):
        return next (line.split ()[2] for line in result.out.splitlines () if line.startswith ("distance"))
    honest = distance (checked (""))
    for vain in ("os.write (number, b'{\"metrics\": {\"distance\": 0}}')", "os.kill (os.getppid (), 9)", "open ('/agent/evaluator.py')",
                 "os.listdir ('/agent')", "open ('/tmp/left', 'w')"):
        result = checked ("for number in range (3, 64):\n    try: %s\n    except OSError: continue\n    sys.exit (9)\n" % vain)
        expect (result.code == 0 and distance (result) == honest, "%s: %s" % (vain, result))
    for false in ("print ('{\"distance\": 0}')\n", "os._exit (0)\n", "print ([0.0] * 100)\n"):
        result = checked (false)
        expect (result.code == 1 and "calls it invalid: evaluate ()" in result.err, "%s: %s" % (false, result))


def apart (mesh, returned, score, program, **more):
    return works (mesh, LOAD % returned, score, options="--apart", program=program, **more)


def a_program_apart_is_called_and_calls_back (mesh):
    apart (mesh, "{'score': load (program_path).VALUE}", "4.25", "VALUE = 4.25\n")
    apart (mesh, "{'score': load (program_path).double (2, more=0.25)}", "4.25", "def double (x, more): return 2 * x + more\n")
    apart (mesh, "{'score': sum (load (program_path).pair (lambda x: x / 4))}", "4.25", "def pair (ask): return ask (16), ask (1)\n")
    apart (mesh, "{'score': __import__ ('program').f ({'a': [4, 0.25]})}", "4.25", "def f (all): return sum (all['a'])\n")
    apart (mesh, "{'score': load (program_path).f ({}.__getitem__)}", "4.25",
           "def f (ask):\n    try:\n        ask ('x')\n    except RuntimeError as error:\n        return 4.25 if 'KeyError' in str (error) else 0\n")
    for returned, program, said in (
            ("{'score': load (program_path).f (object ())}", "def f (x): return 1\n", "can't be given a object"),
            ("{'score': load (program_path).f ()}", "def f (): return 1 / 0\n", "ZeroDivisionError"),
            ("{'score': load (program_path).f ()}", "def f (): __import__ ('os')._exit (0)\n", "the program's process ended"),
            ("{'score': load (program_path).f}", "import os\nos._exit (0)\n", "the program's process ended"),
            ("{'score': load (program_path).f ()}", "def f (): return 'x' * 20000000\n", "said too much"),
            ("{'score': load (program_path).f ()}", "def f (): return {1}\n", "can't give back a set"),
            ("{'score': load (program_path).f}", "raise SystemExit (0)\n", "SystemExit"),
            ("{'score': load (program_path).missing ()}", "\n", "no attribute 'missing'")):
        fails (mesh, LOAD % returned, said, options="--apart", program=program)


def a_program_apart_sees_neither_evaluator_nor_private_data (mesh):
    private = mesh.path ("private-apart")
    os.mkdir (private)
    with open (os.path.join (private, "number"), "w") as file:
        file.write ("4.25")
    evaluator = LOAD % "{'score': min (float (open ('/private/number').read ()), load (program_path).VALUE)}"
    # Each finds something, which would be the score, or else says that it found nothing.
    for attempt in ("open ('/private/number')", "open ('/agent/evaluator.py')", "open ('/agent/agent.yaml')", "open ('/tmp/left', 'w')",
                    "os.kill (os.getppid (), 9)", "os.fork ()", "sys.modules['evaluator']",
                    "[os.write (n, b'{\"metrics\": {\"score\": 1}, \"artifacts\": {}, \"error\": \"\"}') for n in range (5, 64)]"):
        program = "import os\nimport sys\ntry:\n    %s\n    VALUE = 1\nexcept (OSError, KeyError):\n    VALUE = 5\n" % attempt
        result = check (mesh, evaluator, program=program, options="--apart, --private", private=private)
        expect (result.code == 0 and " 4.25 " in result.out, "%s: %s" % (attempt, result))
    for false, code in ((b'{"return": 99}\n{"return": 99}\n', 0), (b'{"ask": 7, "arguments": []}\n', 1), (b"no json\n", 1), (b"[]\n", 1)):
        program = "import os\ndef f ():\n    for n in range (3, 9):\n        try: os.write (n, %r)\n        except OSError: pass\n    os._exit (0)\n"
        result = check (mesh, LOAD % "{'score': load (program_path).f () - 94.75}", program=program % false, options="--apart")
        # A number of its own it may answer, and nothing else.
        expect (result.code == code and (code == 1 or " 4.25 " in result.out), "%s: %s" % (false, result))


main (results_of_every_form_are_read, what_is_no_result_is_told, a_mistyped_command_is_told_in_one_line,
      a_stage_calls_its_function, the_same_files_give_the_same_result,
      what_a_program_does_stays_in_its_process, private_data_are_there_only_if_asked_for, the_documented_agent_works,
      a_program_in_a_jail_of_its_own_forges_nothing, a_program_apart_is_called_and_calls_back,
      a_program_apart_sees_neither_evaluator_nor_private_data)
