# SPDX-License-Identifier: MPL-2.0
"""Scores a search program on functions whose lowest point is known: 1 where it is found, near 0 where it is missed."""
import importlib.util
import math
import os
import random

LOW, HIGH, BUDGET = -5.0, 5.0, 300


def sphere (x):
    return sum (a * a for a in x)


def valley (x):
    return sum (10 * (b - a * a) ** 2 + a * a for a, b in zip (x, x[1:] + x[:1]))


def ripples (x):
    return sum (a * a + 3 * (1 - math.cos (2 * a)) for a in x)


def own_seed ():
    """A text of this node's own, if it has any: then no program can bring the places along, however well it knows this file."""
    try:
        with open (os.path.join (os.environ.get ("EVOMESH_PRIVATE", "/private"), "seed")) as file:
            return file.read ().strip ()
    except OSError:
        return ""


class Problem:
    """One of the functions with its lowest point, 0, moved to a place of its own. It counts how often it is asked."""

    def __init__ (self, function, dimensions, seed):
        place = random.Random (OWN_SEED + str (seed) if OWN_SEED else seed)
        self.function, self.dimensions, self.seed = function, dimensions, seed
        self.shift = [place.uniform (-3, 3) for _ in range (dimensions)]
        self.calls = 0

    def value (self, point):
        return self.function ([float (x) - s for x, s in zip (point, self.shift)])

    def __call__ (self, point):
        self.calls += 1
        if self.calls > BUDGET:
            raise RuntimeError ("more than %d calls of the function" % BUDGET)
        return self.value (point)

    def score (self, program):
        point = list (program.run_search (self, LOW, HIGH, self.dimensions, BUDGET, random.Random (self.seed + 1)))
        if len (point) != self.dimensions or not all (LOW <= x <= HIGH for x in point):
            raise ValueError ("the point returned is not within the bounds")
        return 1 / (1 + self.value (point))


OWN_SEED = own_seed ()
PROBLEMS = [(function, dimensions, 10 * dimensions + seed)
            for function in (sphere, valley, ripples) for dimensions in (2, 4) for seed in (1, 2, 3)]


def load (path):
    spec = importlib.util.spec_from_file_location ("program", path)
    program = importlib.util.module_from_spec (spec)
    spec.loader.exec_module (program)
    return program


def measure (path, problems):
    program = load (path)
    scores = {(function.__name__, dimensions, seed): Problem (function, dimensions, seed).score (program)
              for function, dimensions, seed in problems}
    worst = min (scores, key=scores.get)
    return {"combined_score": sum (scores.values ()) / len (scores), "worst_score": scores[worst],
            "artifacts": {"worst": "%s in %d dimensions (seed %d)" % worst}}


def evaluate_stage1 (program_path):
    return measure (program_path, PROBLEMS[:3])


def evaluate (program_path):
    return measure (program_path, PROBLEMS)
