/* SPDX-License-Identifier: MPL-2.0 */
/* Online bin packing: how good would it be to put this item into this bin? Asked for every open bin that
 * fits; the highest value wins, and among equals the bin that was opened first. If no bin fits, a new one is
 * opened.
 *
 * As it stands this is best fit: the less remains, the better. The numbers marked `evolve:` leave room for
 * more. */

#define GAPS 16

/* What is added to the value where 0, 10, 20 … 150 would remain; between them it is interpolated. */
static const double s_bonus[GAPS] = {
    0.0, // evolve: -1..1
    // 10
    0.0, // evolve: -1..1
    // 20
    0.0, // evolve: -1..1
    // 30
    0.0, // evolve: -1..1
    // 40
    0.0, // evolve: -1..1
    // 50
    0.0, // evolve: -1..1
    // 60
    0.0, // evolve: -1..1
    // 70
    0.0, // evolve: -1..1
    // 80
    0.0, // evolve: -1..1
    // 90
    0.0, // evolve: -1..1
    // 100
    0.0, // evolve: -1..1
    // 110
    0.0, // evolve: -1..1
    // 120
    0.0, // evolve: -1..1
    // 130
    0.0, // evolve: -1..1
    // 140
    0.0, // evolve: -1..1
    // 150
    0.0, // evolve: -1..1
};

/* How much more the rest of the bin counts for a large item than for a small one. */
static const double s_tilt = 0.0; // evolve: -2..2

double priority (int item, int remaining, int capacity)
{
    int gap = remaining - item; /* what would remain */
    double part = (double)gap / capacity;
    double place = part * (GAPS - 1);
    int knot = place < GAPS - 2 ? (int)place : GAPS - 2;
    double share = place - knot;
    double bonus = s_bonus[knot] * (1 - share) + s_bonus[knot + 1] * share;
    return bonus - part + s_tilt * part * item / capacity;
}
