/* SPDX-License-Identifier: MPL-2.0 */
#include "evolution/signed_rank.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Ranks are kept doubled, so that mid-ranks are whole numbers: n ranks sum up to n (n + 1). */
#define SUM_MAX (LIMIT_PAIRS * (LIMIT_PAIRS + 1))

_Static_assert(LIMIT_PAIRS < 64, "the number of sign patterns fits 64 bits");

typedef struct {
    size_t count; /* differences that aren't zero */
    unsigned ranks[LIMIT_PAIRS];
    unsigned negative; /* sum of the ranks of negative differences */
} ranking_t;

/* Twice the mid-rank of difference i among those that aren't zero. */
static unsigned s_rank (const double *differences, size_t count, size_t i)
{
    unsigned below = 0, same = 0;
    for (size_t j = 0; j < count; j++) {
        below += differences[j] != 0 && fabs (differences[j]) < fabs (differences[i]);
        same += fabs (differences[j]) == fabs (differences[i]);
    }
    return 2 * below + same + 1;
}

static void s_ranking (const double *differences, size_t count, ranking_t *ranking)
{
    assert (count <= LIMIT_PAIRS);
    memset (ranking, 0, sizeof *ranking);
    for (size_t i = 0; i < count; i++) {
        assert (isfinite (differences[i]));
        if (differences[i] == 0)
            continue;
        unsigned rank = s_rank (differences, count, i);
        ranking->ranks[ranking->count++] = rank;
        if (differences[i] < 0)
            ranking->negative += rank;
    }
}

/* How many of the 2^n sets of differences have each rank sum. */
static void s_distribution (const ranking_t *ranking, uint64_t sums[SUM_MAX + 1])
{
    unsigned total = 0;
    memset (sums, 0, (SUM_MAX + 1) * sizeof *sums);
    sums[0] = 1;
    for (size_t i = 0; i < ranking->count; i++) {
        unsigned rank = ranking->ranks[i];
        total += rank;
        assert (total <= SUM_MAX);
        for (unsigned sum = total; sum >= rank; sum--)
            sums[sum] += sums[sum - rank];
    }
}

/* How many of the 2^n sets of negative differences have a rank sum at most the one seen. */
static uint64_t s_patterns (const ranking_t *ranking)
{
    uint64_t sums[SUM_MAX + 1], patterns = 0;
    s_distribution (ranking, sums);
    for (unsigned sum = 0; sum <= ranking->negative; sum++)
        patterns += sums[sum];
    return patterns;
}

double signed_rank_p (const double *differences, size_t count)
{
    ranking_t ranking;
    s_ranking (differences, count, &ranking);
    double p = ldexp ((double)s_patterns (&ranking), -(int)ranking.count);
    assert (p > 0 && p <= 1);
    return p;
}

/* Largest magnitude first. */
static int s_compare (const void *a, const void *b)
{
    double left = fabs (*(const double *)a), right = fabs (*(const double *)b);
    return (left < right) - (left > right);
}

/* How many sets of differences can be matched, one to one, with negative differences at least as large. Such a set's rank
 * sum is at most that of the negatives, wherever further differences will stand among them. */
static uint64_t s_matched (const double *sorted, size_t count)
{
    uint64_t ways[LIMIT_PAIRS + 1] = {1}; /* by the number of negatives that are still free */
    for (size_t first = 0, end; first < count; first = end) {
        for (end = first; end < count && fabs (sorted[end]) == fabs (sorted[first]); end++)
            if (sorted[end] < 0) {
                memmove (ways + 1, ways, LIMIT_PAIRS * sizeof *ways);
                ways[0] = 0;
            }
        for (size_t i = first; i < end; i++)
            for (size_t free = 0; free < LIMIT_PAIRS; free++)
                ways[free] += ways[free + 1];
    }
    uint64_t sets = 0;
    for (size_t free = 0; free <= LIMIT_PAIRS; free++)
        sets += ways[free];
    return sets;
}

bool signed_rank_reachable (const double *differences, size_t count, size_t planned, double alpha)
{
    assert (count <= planned && planned <= LIMIT_PAIRS);
    double sorted[LIMIT_PAIRS];
    size_t known = 0;
    for (size_t i = 0; i < count; i++)
        if (differences[i] != 0)
            sorted[known++] = differences[i];
    if (known > 0)
        qsort (sorted, known, sizeof *sorted, s_compare);
    /* Each difference to come doubles the number of sign patterns, at best without adding a set as small as the one seen. */
    size_t pairs = known + planned - count;
    return ldexp ((double)s_matched (sorted, known), -(int)pairs) < alpha;
}

/* How many of the averages at each end lie outside an interval that misses on one side with at most this probability. */
static size_t s_outside (size_t count, double tail)
{
    ranking_t ranking = {.count = count};
    for (size_t i = 0; i < count; i++)
        ranking.ranks[i] = 2 * (unsigned)(i + 1);
    uint64_t sums[SUM_MAX + 1], patterns = 0;
    s_distribution (&ranking, sums);
    size_t outside = 0;
    for (;; outside++) {
        patterns += sums[2 * outside];
        if (ldexp ((double)patterns, -(int)count) > tail)
            return outside;
    }
}

static int s_ascending (const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

bool signed_rank_interval (const double *differences, size_t count, double level, double *low, double *high)
{
    assert (count <= LIMIT_PAIRS && level > 0 && level < 1);
    size_t outside = s_outside (count, (1 - level) / 2);
    if (outside == 0)
        return false;
    double averages[LIMIT_PAIRS * (LIMIT_PAIRS + 1) / 2];
    size_t averages_count = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t j = i; j < count; j++)
            averages[averages_count++] = differences[i] / 2 + differences[j] / 2;
    qsort (averages, averages_count, sizeof *averages, s_ascending);
    *low = averages[outside - 1];
    *high = averages[averages_count - outside];
    return true;
}
