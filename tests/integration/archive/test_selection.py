# SPDX-License-Identifier: MPL-2.0
"""What node.yaml says of `selection` and `islands` is what parents are drawn by, in a node that runs.

With one slot candidates are made one after the other, so each had all before it to choose from: `best` takes the best of those, and with
islands the best of one of them. The rules themselves are tested in tests/unit/evolution.
"""
import os
import sys

sys.path.insert (0, os.path.join (os.path.dirname (os.path.abspath (__file__)), "..", "lib"))
from climb import lone
from mesh import expect, main, unpack

PROPOSALS = 24


def choices (node):
    """Of each candidate but the start: whether its parent was the best of all before it."""
    with node.database () as store:
        rows = [unpack (bytes)[:4] for bytes, in store.execute ("SELECT bytes FROM candidate ORDER BY number")]
    (height, ), (cost, ) = rows[0][3]

    def score (row):
        return 0.7 * (row[3][0][0] - height) / height + 0.3 * (cost - row[3][1][0]) / cost
    expect (all (valid for _, _, valid, _ in rows), "an invalid candidate: %s" % rows)
    expect (len (rows) > PROPOSALS / 2, "few candidates: %d" % len (rows))
    return [rows[i][1][0][0] == max (rows[:i], key=score)[0] for i in range (1, len (rows))]


def parents_are_selected_as_node_yaml_says (mesh):
    best = choices (lone (mesh, "best", 7, 1, PROPOSALS, selection="best"))
    expect (all (best), "`best` took another parent: %s" % best)
    drawn = choices (lone (mesh, "random", 7, 1, PROPOSALS, selection="random"))
    expect (not all (drawn), "`random` took the best each time, which would be too likely: %s" % drawn)


def there_are_as_many_islands_as_node_yaml_says (mesh):
    islands = "{count: 4, migration_interval: 1000, migration_fraction: 0.1}"
    apart = choices (lone (mesh, "apart", 7, 1, PROPOSALS, selection="best", islands=islands))
    expect (not all (apart), "the best of all was each island's own: %s" % apart)


main (parents_are_selected_as_node_yaml_says, there_are_as_many_islands_as_node_yaml_says)
