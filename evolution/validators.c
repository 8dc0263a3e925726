/* SPDX-License-Identifier: MPL-2.0 */
#include "evolution/validators.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const s_names[IMPROVE_TYPES] = {
    [IMPROVE_PARAMETER_TUNING] = "parameter_tuning",
    [IMPROVE_ALGORITHM_MODIFICATION] = "algorithm_modification",
    [IMPROVE_ARCHITECTURE_CHANGE] = "architecture_change",
    [IMPROVE_CONFIGURATION_UPDATE] = "configuration_update",
};

const char *improvement_type_name (improvement_type_t type)
{
    assert (type < IMPROVE_TYPES);
    return s_names[type];
}

int improvement_type_parse (const char *name)
{
    assert (name);
    for (int type = 0; type < IMPROVE_TYPES; type++)
        if (strcmp (name, s_names[type]) == 0)
            return type;
    return -1;
}

/* A peer that is fit, and what it is ranked by. */
typedef struct {
    size_t index;
    bool experienced;
    bool chosen;
    double record; /* share of validations completed, as if one more had gone well and one badly */
    digest_t tie;
} fit_t;

static digest_t s_tie (const digest_t *candidate, const digest_t *roster, const pubkey_t *id)
{
    uint8_t bytes[2 * DIGEST_BYTES];
    memcpy (bytes, candidate->bytes, DIGEST_BYTES);
    memcpy (bytes + DIGEST_BYTES, roster->bytes, DIGEST_BYTES);
    return digest_of_two (bytes, sizeof bytes, id->bytes, sizeof id->bytes);
}

/* How many of those chosen run on the same platform. */
static unsigned s_neighbours (const validator_t *peers, const fit_t *fit, size_t count, const fit_t *one)
{
    unsigned neighbours = 0;
    for (size_t i = 0; i < count; i++)
        if (fit[i].chosen && strcmp (peers[fit[i].index].platform, peers[one->index].platform) == 0)
            neighbours++;
    return neighbours;
}

/* The next best: experience first, then the record, shared among those on one platform, then the hash. */
static fit_t *s_next (const validator_t *peers, fit_t *fit, size_t count)
{
    fit_t *best = NULL;
    double best_merit = 0;
    for (size_t i = 0; i < count; i++) {
        fit_t *one = &fit[i];
        if (one->chosen)
            continue;
        double merit = one->record / (1 + s_neighbours (peers, fit, count, one));
        bool better = best == NULL || one->experienced > best->experienced;
        if (!better && one->experienced == best->experienced)
            better =
                merit > best_merit || (merit >= best_merit && digest_compare (&one->tie, &best->tie) < 0);
        if (better) {
            best = one;
            best_merit = merit;
        }
    }
    return best;
}

size_t validators_select (const validator_t *peers, size_t count, validation_type_t type,
                          improvement_type_t improvement, const digest_t *candidate, const digest_t *roster,
                          size_t max, size_t *chosen)
{
    assert (count <= LIMIT_MEMBERS && improvement < IMPROVE_TYPES);
    fit_t fit[LIMIT_MEMBERS];
    size_t fits = 0;
    for (size_t i = 0; i < count; i++) {
        const validator_t *peer = &peers[i];
        if (!peer->connected || (peer->validation_types & (unsigned)type) == 0)
            continue;
        fit[fits] =
            (fit_t){.index = i,
                    .experienced = peer->experience[improvement] > 0,
                    .record = (peer->completed + 1.0) / ((double)peer->completed + peer->failed + 2.0),
                    .tie = s_tie (candidate, roster, &peer->id)};
        fits++;
    }
    /* The experienced come first, so where they are enough only they are taken. With fewer of them than are wanted the group
     * is fresh in this and declared capability counts: else a group whose first validation found one willing peer would ask
     * that one for ever. */
    size_t wanted = fits < max ? fits : max;
    for (size_t k = 0; k < wanted; k++) {
        fit_t *next = s_next (peers, fit, fits);
        assert (next != NULL && !next->chosen);
        next->chosen = true;
        chosen[k] = next->index;
    }
    return wanted;
}

/* Confirmations that are enough among so many results. */
static bool s_enough (unsigned confirmed, unsigned results, unsigned min_confirmations, double threshold)
{
    return results > 0 && confirmed >= min_confirmations && (double)confirmed / results >= threshold;
}

validation_outcome_t validation_decide (const validation_tally_t *tally, unsigned min_confirmations,
                                        double threshold, bool final)
{
    unsigned results = tally->confirmed + tally->refuted;
    assert (results + tally->declined <= tally->asked);
    unsigned open = final ? 0 : tally->asked - results - tally->declined;
    /* Each result to come either confirms or refutes, or never comes. */
    if (s_enough (tally->confirmed, results, min_confirmations, threshold) &&
        s_enough (tally->confirmed, results + open, min_confirmations, threshold))
        return VALIDATION_CONFIRMED;
    if (!s_enough (tally->confirmed + open, results + open, min_confirmations, threshold))
        return VALIDATION_REFUTED;
    return VALIDATION_PENDING;
}

static int s_compare (const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

double median_of (const double *values, size_t count)
{
    assert (count <= LIMIT_MEMBERS);
    if (count == 0)
        return 0;
    double sorted[LIMIT_MEMBERS];
    memcpy (sorted, values, count * sizeof *sorted);
    qsort (sorted, count, sizeof *sorted, s_compare);
    size_t middle = count / 2;
    return count % 2 == 1 ? sorted[middle] : sorted[middle - 1] / 2 + sorted[middle] / 2;
}

double dispersion_of (const double *values, size_t count)
{
    assert (count <= LIMIT_MEMBERS);
    double median = median_of (values, count), deviations[LIMIT_MEMBERS];
    for (size_t i = 0; i < count; i++)
        deviations[i] = fabs (values[i] - median);
    return median_of (deviations, count);
}
