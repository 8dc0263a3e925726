/* SPDX-License-Identifier: MPL-2.0 */
#include "proposers/quadratic.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* How large a second derivative is expected to be (its variance), beside a first one of 1: */
#define OWN       2    /* of a number, and by itself */
#define NEIGHBOUR 2    /* by two that stand next to each other in the file: most often they belong together */
#define ANY       0.2  /* by any two */
#define EXACT     1e-7 /* of a loss's expected variance may be left over */
#define CUBIC     1e-4 /* and this, by the sixth power of the distance: what a quadratic leaves of a cubic */
#define PIVOT_MIN 1e-12

typedef struct {
    double *rows;    /* offsets in units of the radius */
    double *weights; /* of each point in the model */
    double *room;    /* three vectors of `count` numbers */
    size_t points;
    size_t count;
} model_t;

static double s_dot (const double *a, const double *b, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += a[i] * b[i];
    return sum;
}

/* How far the losses of two points are expected to vary together, among all quadratics with coefficients as above. */
static double s_kernel (const double *a, const double *b, size_t count)
{
    double dot = 0, own = 0, next = 0, last = 0;
    for (size_t i = 0; i < count; i++) {
        double product = a[i] * b[i];
        dot += product;
        own += product * product;
        next += product * last;
        last = product;
    }
    return dot + OWN * own + NEIGHBOUR * next + ANY * dot * dot;
}

/* Solves matrix × y = x and leaves y in x: Cholesky. Only the lower half of the matrix is read; it is overwritten. */
static void s_solve (double *matrix, double *x, size_t size)
{
    assert (matrix && x && size > 0);
    for (size_t i = 0; i < size; i++) {
        double *row = matrix + i * size;
        for (size_t k = 0; k <= i; k++) {
            const double *other = matrix + k * size;
            double rest = row[k] - s_dot (row, other, k);
            row[k] = k < i ? rest / other[k] : sqrt (fmax (rest, PIVOT_MIN));
        }
        assert (row[i] > 0);
    }
    for (size_t i = 0; i < size; i++)
        x[i] = (x[i] - s_dot (matrix + i * size, x, i)) / matrix[i * size + i];
    for (size_t i = size; i-- > 0;) {
        for (size_t k = i + 1; k < size; k++)
            x[i] -= matrix[k * size + i] * x[k];
        x[i] /= matrix[i * size + i];
    }
}

/* The quadratic with the smallest coefficients: a weight of each point's kernel. */
static void s_fit (model_t *self, const double *losses)
{
    assert (self->points > 0 && self->points <= QUADRATIC_POINTS_MAX && losses);
    size_t points = self->points, count = self->count;
    double *matrix = calloc (points * points, sizeof *matrix);
    assert (matrix);
    for (size_t i = 0; i < points; i++) {
        const double *row = self->rows + i * count;
        double square = s_dot (row, row, count);
        for (size_t k = 0; k <= i; k++)
            matrix[i * points + k] = s_kernel (row, self->rows + k * count, count);
        matrix[i * points + i] += EXACT * matrix[i * points + i] + CUBIC * square * square * square;
        self->weights[i] = losses[i];
    }
    s_solve (matrix, self->weights, points);
    free (matrix);
}

/* The model's second derivative along a direction. */
static void s_bend (const model_t *self, const double *along, double *out)
{
    size_t count = self->count;
    memset (out, 0, count * sizeof *out);
    for (size_t k = 0; k < self->points; k++) {
        const double *row = self->rows + k * count;
        double any = 2 * ANY * self->weights[k] * s_dot (row, along, count);
        double own = 2 * OWN * self->weights[k], next = NEIGHBOUR * self->weights[k];
        for (size_t i = 0; i < count; i++) {
            double around =
                (i > 0 ? row[i - 1] * along[i - 1] : 0) + (i + 1 < count ? row[i + 1] * along[i + 1] : 0);
            out[i] += row[i] * (any + own * row[i] * along[i] + next * around);
        }
    }
}

/* How far along `d` from `x` the sphere of radius 1 is. */
static double s_to_sphere (const double *x, const double *d, size_t count)
{
    double dd = s_dot (d, d, count), xd = s_dot (x, d, count), xx = s_dot (x, x, count);
    return (sqrt (fmax (xd * xd + dd * (1 - xx), 0)) - xd) / dd;
}

/* Conjugate gradients, until they leave the sphere or the model bends down. */
static void s_descend (const model_t *self, double *rest, double *x)
{
    size_t count = self->count;
    double *along = self->room, *bent = self->room + count;
    memset (x, 0, count * sizeof *x);
    for (size_t i = 0; i < count; i++)
        along[i] = rest[i];
    double square = s_dot (rest, rest, count), enough = 1e-12 * square;
    for (size_t k = 0; k < count && square > enough; k++) {
        s_bend (self, along, bent);
        double curvature = s_dot (along, bent, count), far = s_to_sphere (x, along, count);
        double part = curvature > 0 ? square / curvature : far;
        for (size_t i = 0; i < count; i++)
            x[i] += fmin (part, far) * along[i];
        if (part >= far)
            return;
        for (size_t i = 0; i < count; i++)
            rest[i] -= part * bent[i];
        double next = s_dot (rest, rest, count);
        for (size_t i = 0; i < count; i++)
            along[i] = rest[i] + next / square * along[i];
        square = next;
    }
}

void quadratic_step (const double *offsets, const double *losses, size_t points, size_t count, double radius,
                     double *step)
{
    assert (offsets && losses && step);
    assert (points > 0 && points <= QUADRATIC_POINTS_MAX && count > 0 && radius > 0);
    model_t self = {.points = points, .count = count};
    self.rows = calloc (points * count, sizeof *self.rows);
    self.weights = calloc (points, sizeof *self.weights);
    self.room = calloc (3 * count, sizeof *self.room);
    assert (self.rows && self.weights && self.room);
    for (size_t i = 0; i < points * count; i++)
        self.rows[i] = offsets[i] / radius;
    s_fit (&self, losses);
    double *down = self.room + 2 * count;
    for (size_t k = 0; k < points; k++)
        for (size_t i = 0; i < count; i++)
            down[i] -= self.weights[k] * self.rows[k * count + i];
    s_descend (&self, down, step);
    for (size_t i = 0; i < count; i++)
        step[i] *= radius;
    free (self.rows);
    free (self.weights);
    free (self.room);
}
