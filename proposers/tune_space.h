/* SPDX-License-Identifier: MPL-2.0 */
/* What tune can reach from the parent's files, and what of it was proposed before: so that it proposes nothing twice, and says when
 * nothing is left. */
#ifndef EVOMESH_PROPOSERS_TUNE_SPACE_H
#define EVOMESH_PROPOSERS_TUNE_SPACE_H

#include "proposers/tune_known.h"

#define TUNE_SPACE_REPEATS_MAX   24 /* as many failures as a proposer is told of */
#define TUNE_SPACE_REPEATS_STUCK 8  /* so many in a row: what is near was tried */

typedef struct {
    const parameter_t *parameters; /* borrowed; only their literals count */
    size_t count;
    double points;    /* that the marks allow; infinite where a number is real */
    double *rows;     /* `row_count` of `count` values: those that are known */
    size_t row_count; /* the parent is one of them */
    size_t repeats;   /* of the failures told, so many, the newest, were proposals of something known */
} tune_space_t;

/* Reads what the request tells of: all candidates with the parent's text but for marked literals. `parameters` are the parent's.
 * tune_space_clear frees. False, and nothing to clear, when out of memory. */
bool tune_space_read (tune_space_t *self, const json_t *request, const source_t *sources, size_t source_count,
                      const parameter_t *parameters, size_t count);
void tune_space_clear (tune_space_t *self);

/* Is that, as it would be written, one of those known? */
bool tune_space_knows (const tune_space_t *self, const parameter_t *parameters);

/* In a finite space: was what is near, most likely, tried already? Then points from anywhere are the ones to try. */
bool tune_space_is_stuck (const tune_space_t *self);

/* Where a space is too large for all of it to be told, it counts as spent once every failure told was a repetition: also those that
 * were drawn from anywhere. */
bool tune_space_is_spent (const tune_space_t *self);

/* Sets the parameters to a point from anywhere that is not known, if there is one: true. Only for a finite space (asserted). */
bool tune_space_take_other (const tune_space_t *self, parameter_t *parameters, random_t *random);

#endif
