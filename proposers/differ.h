/* SPDX-License-Identifier: MPL-2.0 */
/* How `tune` learns from what was measured: it goes on from the best candidate that it is told of, in two ways.
 *
 * - On few numbers. Where others differ from the best by a single number, they and it are points of a curve: the next proposal is its
 *   mirror image, and once the best is bracketed, the minimum of the parabola. Otherwise it takes a number that nobody touched lately, by
 *   a heavy-tailed step as long as the best lie apart; now and then it goes on along the way that led to the best, adds a difference of
 *   two, or mutates. Good where numbers have little to do with each other, and where there are many local minima.
 * - On all at once: to where a quadratic model of all that is known is least, within a radius that grows with success and shrinks
 *   with failure. Good where numbers only gain together.
 *
 * Which way it goes is drawn by what each gained of late. Where many changes change nothing it mostly mutates the best; now and then
 * it mutates the parent. So steps adapt by themselves, though nothing is kept from one proposal to the next.
 *
 * After: R. Hooke, T. Jeeves, "Direct search", J. ACM 8 (1961), for going on along a way that led up; R. Storn, K. Price, "Differential
 * evolution", J. Global Optimization 11 (1997), for differences as steps; and what line.h, quadratic.h and replay.h name. */
#ifndef EVOMESH_PROPOSERS_DIFFER_H
#define EVOMESH_PROPOSERS_DIFFER_H

#include "proposers/mutate.h"
#include "proposers/quadratic.h"

#define DIFFER_KNOWN_MAX QUADRATIC_POINTS_MAX

/* Candidates that were measured; of the best ones the best first. */
typedef struct {
    const double *rows[DIFFER_KNOWN_MAX]; /* borrowed: a value for each parameter, as in parameter_t */
    double losses[DIFFER_KNOWN_MAX];      /* how bad it is, in one number; less is better */
    size_t count;
    uint64_t number; /* of proposals before this one: whose turn it is goes by it */
    size_t best;     /* so many of them, the first, are the best ones */
    /* From this one on they are those measured last, the oldest first; the others are only different. */
    size_t recent;
} known_t;

/* Changes the parameters, and at least one in its written form; returns how many differ from what they were. `count` > 0 (asserted).
 * Where no best one is known, and now and then, it is mutate () of what the parameters are; the learning rate is the length of steps
 * before the best show how long they should be. Aborts when out of memory. */
size_t differ (parameter_t *parameters, size_t count, const known_t *known, double learning_rate,
               random_t *random);

#endif
