/* SPDX-License-Identifier: MPL-2.0 */
/* The adaptive learning rate: the step size that proposers are given. Rules: docs of the group's policy; defaults as in
 * DESIGN 9: initial 0.1; ×1.1 up to 0.5 above 70 % success of the last 10; ×0.8 down to 0.01 below 30 %;
 * ×1.05 (up to 0.5) on an improvement over 0.2; history of 20. */
#ifndef EVOMESH_EVOLUTION_LEARNING_RATE_H
#define EVOMESH_EVOLUTION_LEARNING_RATE_H

#include <stdbool.h>
#include <stddef.h>

#include "protocol/image.h"

#define LEARNING_RATE_HISTORY 20
#define LEARNING_RATE_WINDOW  10

typedef struct {
    double rate;
    bool successes[LEARNING_RATE_HISTORY]; /* newest last */
    double rates[LEARNING_RATE_HISTORY];   /* rate in force at each of them */
    size_t count;
} learning_rate_t;

void learning_rate_init (learning_rate_t *self, double initial);

/* Tells one outcome. Success: valid and better than its parent; `improvement` is the weighted one. */
void learning_rate_update (learning_rate_t *self, bool success, double improvement);

/* Share of successes among the last 10; 0 before the first. */
double learning_rate_success (const learning_rate_t *self);

/* Its fields, for a checkpoint: see protocol/image.h. */
void learning_rate_image (learning_rate_t *self, image_t *image);

#endif
