/* SPDX-License-Identifier: MPL-2.0 */
/* Who measures a candidate again, and what their results say together. */
#ifndef EVOMESH_EVOLUTION_VALIDATORS_H
#define EVOMESH_EVOLUTION_VALIDATORS_H

#include "crypto/identity.h"
#include "evolution/objective.h"

typedef enum { VALIDATE_PERFORMANCE = 1, VALIDATE_CORRECTNESS = 2, VALIDATE_SAFETY = 4 } validation_type_t;
typedef enum {
    IMPROVE_PARAMETER_TUNING,
    IMPROVE_ALGORITHM_MODIFICATION,
    IMPROVE_ARCHITECTURE_CHANGE,
    IMPROVE_CONFIGURATION_UPDATE,
    IMPROVE_TYPES
} improvement_type_t;

/* The name as it travels in JSON and on the command line, e.g. "parameter_tuning"; parse returns -1 for no such name. */
const char *improvement_type_name (improvement_type_t type);
int improvement_type_parse (const char *name);

/* What is known of a peer that might validate. */
typedef struct {
    pubkey_t id;
    bool connected;
    unsigned validation_types;          /* bits of validation_type_t, as its capabilities say */
    unsigned experience[IMPROVE_TYPES]; /* validations that it completed, by improvement type */
    unsigned completed;                 /* in all */
    unsigned failed;                    /* declined, silent, or contradicted by the others */
    char platform[LIMIT_TEXT + 1];
} validator_t;

/* Picks at most `max` of `peers` (up to LIMIT_MEMBERS of them: asserted) and writes their indices to `chosen`, best first;
 * returns how many. Fit: connected, lists the validation type, and has experience with the improvement type; while fewer
 * than `max` have, the group is fresh in it, and declared capability fills the places left. Ranked by record
 * (completed + 1) / (completed + failed + 2), divided among those on one platform; ties by hash (candidate, roster, id). */
size_t validators_select (const validator_t *peers, size_t count, validation_type_t type,
                          improvement_type_t improvement, const digest_t *candidate, const digest_t *roster,
                          size_t max, size_t *chosen);

typedef struct {
    unsigned asked;
    unsigned confirmed;
    unsigned refuted;
    unsigned declined; /* reported, never counted as agreement */
} validation_tally_t;

typedef enum { VALIDATION_PENDING, VALIDATION_CONFIRMED, VALIDATION_REFUTED } validation_outcome_t;

/* Confirmed: at least `min_confirmations`, and confirmations / results ≥ `threshold`; else refuted, without any result too.
 * PENDING as long as answers to come could change that. `final`: no more will come. */
validation_outcome_t validation_decide (const validation_tally_t *tally, unsigned min_confirmations,
                                        double threshold, bool final);

/* Median and median absolute deviation of `count` values (0 for none). `count` at most LIMIT_MEMBERS. */
double median_of (const double *values, size_t count);
double dispersion_of (const double *values, size_t count);

#endif
