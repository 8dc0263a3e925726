/* SPDX-License-Identifier: MPL-2.0 */
/* What the two ways of differ share, for proposers/differ*.c only: one search for a proposal, from the best candidate that is known. */
#ifndef EVOMESH_PROPOSERS_DIFFER_SEARCH_H
#define EVOMESH_PROPOSERS_DIFFER_SEARCH_H

#include "proposers/differ.h"

/* All is borrowed for the call of differ (). A place is where a value stands in its range, 0 to 1; a choice has none, hence 0. */
typedef struct {
    parameter_t *parameters;
    size_t count;
    const known_t *known;
    double *places; /* known->count rows of `count` */
    double *at;     /* the proposal's */
    double rate;
    random_t *random;
} differ_search_t;

/* --- differ.c --- */
/* Where a value stands in its range. Neither this nor the next is for choices (asserted). */
double differ_place (const literal_t *literal, double value);
/* The value at a place; one beyond either end is reflected there. */
double differ_value (const literal_t *literal, double place);
/* Normally distributed with variance 1 (Box, Muller). */
double differ_normal (random_t *random);
bool differ_is_choice (const parameter_t *parameter);
/* The places of a known one; 0 is the best. */
const double *differ_places (const differ_search_t *self, size_t row);

/* --- differ_few.c --- */
/* The length of a step: about as far as the best lie apart, or as the learning rate says. */
double differ_length (differ_search_t *self, double spread);
/* Goes on along a line of which something is known; the latest come last. False if all are done with. */
bool differ_follow (differ_search_t *self);
/* A step on one of the parameters that were touched least, each in its turn. */
void differ_probe (differ_search_t *self, double spread);

/* --- differ_all.c --- */
/* To where a model of all that is known is least, within a radius that has proved good. False if that leads nowhere. */
bool differ_model (differ_search_t *self, double radius);

#endif
