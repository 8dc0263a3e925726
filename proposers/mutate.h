/* SPDX-License-Identifier: MPL-2.0 */
/* How `tune` changes parameters: a few of them at a time, by heavy-tailed steps, so that most proposals look nearby and some
 * far away. Cauchy steps: X. Yao, Y. Liu, G. Lin, "Evolutionary programming made faster", IEEE TEC 3 (1999). */
#ifndef EVOMESH_PROPOSERS_MUTATE_H
#define EVOMESH_PROPOSERS_MUTATE_H

#include "crypto/random.h"
#include "evolution/literal.h"

/* One marked literal; those of one file stand together, in the order of its text. */
typedef struct {
    const literal_t *literal; /* borrowed */
    double value;             /* in: as it is; out: what to set it to */
} parameter_t;

/* Changes some of the parameters, and at least one of them in its written form; returns how many. `count` > 0 (asserted).
 *
 * Mostly one to three are drawn, sometimes more; now and then they are neighbours of one list, and move together. A number moves
 * by `learning_rate` × its range × a Cauchy-distributed step (half of the steps are smaller than 1), on a logarithmic scale if
 * it is marked so, and is reflected at the ends of its range; a choice becomes any other. */
size_t mutate (parameter_t *parameters, size_t count, double learning_rate, random_t *random);

#endif
