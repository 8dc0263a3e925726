/* SPDX-License-Identifier: MPL-2.0 */
/* Sequential linear programming. The sum of the radii and the walls are linear. The distance of two
 * centres isn't, but it is convex: its linearisation never exceeds it. So what satisfies the linear
 * programme is a packing too, each step starts where the last one ended, and the sum never falls. */
#include "optimise.h"

#include <glpk.h>
#include <math.h>

#define WALLS_ROWS  (4 * CIRCLES)
#define PAIRS_ROWS  (CIRCLES * (CIRCLES - 1) / 2)
#define ENTRIES_MAX (2 * WALLS_ROWS + 6 * PAIRS_ROWS)

#define REACH       0.1   /* how far a centre may move along an axis, and a radius grow, in the first step */
#define REACH_MIN   1e-12 /* below it nothing is to be gained */
#define REACH_GROWN 0.3   /* a step that gains less than this part of the reach makes it shorter */
#define REACH_CUT   0.7
#define GAIN_MIN    1e-14
#define STEPS_MAX   100

/* A linear programme while its rows are written. Its columns are, for each circle, how far x moves, how
 * far y moves, and the new radius. */
typedef struct {
    glp_prob *problem;
    int entries;
    int rows[ENTRIES_MAX + 1]; /* GLPK counts from 1 */
    int columns[ENTRIES_MAX + 1];
    double values[ENTRIES_MAX + 1];
} programme_t;

static int s_column_x (int circle)
{
    return 3 * circle + 1;
}

static int s_column_y (int circle)
{
    return 3 * circle + 2;
}

static int s_column_r (int circle)
{
    return 3 * circle + 3;
}

/* Begins a row: the sum of the terms that follow is at most `bound`. */
static void s_row (programme_t *self, double bound)
{
    glp_set_row_bnds (self->problem, glp_add_rows (self->problem, 1), GLP_UP, 0, bound);
}

static void s_term (programme_t *self, int column, double value)
{
    self->entries++;
    self->rows[self->entries] = glp_get_num_rows (self->problem);
    self->columns[self->entries] = column;
    self->values[self->entries] = value;
}

static void s_add_columns (programme_t *self, const layout_t *layout, double reach)
{
    glp_add_cols (self->problem, 3 * CIRCLES);
    for (int i = 0; i < CIRCLES; i++) {
        glp_set_col_bnds (self->problem, s_column_x (i), GLP_DB, -reach, reach);
        glp_set_col_bnds (self->problem, s_column_y (i), GLP_DB, -reach, reach);
        glp_set_col_bnds (self->problem, s_column_r (i), GLP_DB, 0, layout->r[i] + reach);
        glp_set_obj_coef (self->problem, s_column_r (i), 1);
    }
}

/* radius - move <= place, and radius + move <= 1 - place */
static void s_add_walls (programme_t *self, int moves, int radius, double place)
{
    s_row (self, place);
    s_term (self, radius, 1);
    s_term (self, moves, -1);
    s_row (self, 1 - place);
    s_term (self, radius, 1);
    s_term (self, moves, 1);
}

/* Both radii together are at most the linearised distance; no row if they can't come that close in this
 * step. */
static void s_add_pair (programme_t *self, const layout_t *layout, int i, int j, double reach)
{
    double dx = layout->x[i] - layout->x[j], dy = layout->y[i] - layout->y[j];
    double distance = hypot (dx, dy);
    if (distance > layout->r[i] + layout->r[j] + (2 + 2 * M_SQRT2) * reach)
        return;
    double ux = distance > 0 ? dx / distance : 1, uy = distance > 0 ? dy / distance : 0;
    s_row (self, distance);
    s_term (self, s_column_r (i), 1);
    s_term (self, s_column_r (j), 1);
    s_term (self, s_column_x (i), -ux);
    s_term (self, s_column_x (j), ux);
    s_term (self, s_column_y (i), -uy);
    s_term (self, s_column_y (j), uy);
}

static void s_add_rows (programme_t *self, const layout_t *layout, double reach)
{
    for (int i = 0; i < CIRCLES; i++) {
        s_add_walls (self, s_column_x (i), s_column_r (i), layout->x[i]);
        s_add_walls (self, s_column_y (i), s_column_r (i), layout->y[i]);
        for (int j = 0; j < i; j++)
            s_add_pair (self, layout, i, j, reach);
    }
    glp_load_matrix (self->problem, self->entries, self->rows, self->columns, self->values);
}

static double s_within_square (double place)
{
    return fmin (fmax (place, 0), 1);
}

static void s_take (const programme_t *self, layout_t *layout)
{
    for (int i = 0; i < CIRCLES; i++) {
        layout->x[i] = s_within_square (layout->x[i] + glp_get_col_prim (self->problem, s_column_x (i)));
        layout->y[i] = s_within_square (layout->y[i] + glp_get_col_prim (self->problem, s_column_y (i)));
        layout->r[i] = glp_get_col_prim (self->problem, s_column_r (i));
    }
}

/* The best packing within reach, as far as linearised distances tell. False if the solver gave up: nothing
 * has changed. */
static bool s_step (layout_t *layout, double reach)
{
    programme_t programme = {.problem = glp_create_prob ()};
    glp_smcp options;
    glp_init_smcp (&options);
    options.msg_lev = GLP_MSG_OFF;
    glp_set_obj_dir (programme.problem, GLP_MAX);
    s_add_columns (&programme, layout, reach);
    s_add_rows (&programme, layout, reach);
    bool solved =
        glp_simplex (programme.problem, &options) == 0 && glp_get_status (programme.problem) == GLP_OPT;
    if (solved)
        s_take (&programme, layout);
    glp_delete_prob (programme.problem);
    return solved;
}

static double s_sum (const layout_t *layout)
{
    double sum = 0;
    for (int i = 0; i < CIRCLES; i++)
        sum += layout->r[i];
    return sum;
}

double layout_optimise (layout_t *self)
{
    double sum = 0, reach = REACH;
    memset (self->r, 0, sizeof self->r);
    for (int step = 0; step < STEPS_MAX && reach > REACH_MIN && s_step (self, reach); step++) {
        double gain = s_sum (self) - sum;
        sum += gain;
        if (gain < GAIN_MIN)
            break;
        if (gain < REACH_GROWN * reach)
            reach *= REACH_CUT;
    }
    return sum;
}
