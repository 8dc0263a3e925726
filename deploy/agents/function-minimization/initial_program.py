# SPDX-License-Identifier: MPL-2.0
"""Looks for the lowest point of a function of which nothing is known."""

# EVOLVE-BLOCK-START
def search (function, low, high, dimensions, budget, random):
    """Returns the best point found with `budget` calls of the function. Starts as a search that is mostly blind."""
    near = 0.2      # evolve: 0..1

    width = 0.5     # evolve: 0.001..1 log

    shrink = 1.0    # evolve: 0.9..1

    best = [random.uniform (low, high) for _ in range (dimensions)]
    lowest = function (best)
    for _ in range (budget - 1):
        if random.random () < near:
            point = [min (high, max (low, x + random.gauss (0, width * (high - low)))) for x in best]
            width = max (width * shrink, 1e-6)
        else:
            point = [random.uniform (low, high) for _ in range (dimensions)]
        value = function (point)
        if value < lowest:
            best, lowest = point, value
    return best
# EVOLVE-BLOCK-END


def run_search (function, low, high, dimensions, budget, random):
    """What the evaluator calls. Not in the block: its form stays."""
    return search (function, low, high, dimensions, budget, random)
