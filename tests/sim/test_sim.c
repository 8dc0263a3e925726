/* SPDX-License-Identifier: MPL-2.0 */
/* Runs worlds: `test_sim FIRST COUNT [NODES]`. Prints each seed that fails, with what did not hold; it fails again with
 * `test_sim SEED 1`. Fails too if over all seeds a kind of fault, or an outcome, never occurred. */
#include "tests/sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Mostly small groups, now and then a large one. */
static size_t s_nodes_of (uint64_t seed)
{
    if (seed % 250 == 249)
        return 12;
    return 3u + (seed % 4 == 3 ? 1u : 0u) + (seed % 16 == 15 ? 1u : 0u);
}

static void s_add (sim_counts_t *sum, const sim_counts_t *counts)
{
    unsigned *to = (unsigned *)sum;
    const unsigned *from = (const unsigned *)counts;
    for (size_t i = 0; i < sizeof *sum / sizeof (unsigned); i++)
        to[i] += from[i];
}

static bool s_any_is_zero (const sim_counts_t *counts)
{
    const unsigned *of = (const unsigned *)counts;
    for (size_t i = 0; i < sizeof *counts / sizeof (unsigned); i++)
        if (of[i] == 0)
            return true;
    return false;
}

int main (int argc, char **argv)
{
    if (argc < 3) {
        fprintf (stderr, "usage: %s FIRST-SEED COUNT [NODES]\n", argv[0]);
        return 2;
    }
    uint64_t first = strtoull (argv[1], NULL, 10), count = strtoull (argv[2], NULL, 10);
    size_t nodes = argc > 3 ? (size_t)strtoull (argv[3], NULL, 10) : 0;
    sim_counts_t sum = {0};
    unsigned failed = 0;
    for (uint64_t seed = first; seed < first + count; seed++) {
        sim_counts_t counts;
        char failure[1024];
        size_t size = nodes ? nodes : s_nodes_of (seed);
        if (!sim_run (seed, size, &counts, failure)) {
            printf ("seed %llu (%zu nodes) fails %s\n", (unsigned long long)seed, size, failure);
            failed++;
        }
        s_add (&sum, &counts);
    }
    printf ("%llu worlds: %u crashes, %u cuts, %u failed commits, %u lost frames, %u faults, %u lies\n",
            (unsigned long long)count, sum.crashes, sum.cuts, sum.failed_commits, sum.lost_frames, sum.faults,
            sum.lies);
    printf ("%u restarts with a checkpoint, %u found one damaged; %u candidates dropped\n", sum.checkpoints,
            sum.unreadable, sum.dropped);
    printf ("%u applied, %u rolled back, %u shared, %u adopted, %u held\n", sum.applied, sum.rolled_back,
            sum.shared, sum.adopted, sum.held);
    printf ("operators: %u approvals, %u rejections, %u pauses, %u resumes, %u rollbacks\n", sum.approvals,
            sum.rejections, sum.pauses, sum.resumes, sum.rollbacks);
    if (count >= 100 && s_any_is_zero (&sum)) {
        printf ("a kind of fault, an outcome or a command never occurred: these seeds prove nothing\n");
        failed++;
    }
    printf ("%llu passed, %u failed\n", (unsigned long long)(count > failed ? count - failed : 0), failed);
    return failed ? 1 : 0;
}
