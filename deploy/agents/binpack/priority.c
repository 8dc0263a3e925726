/* SPDX-License-Identifier: MPL-2.0 */
/* Online bin packing: how good would it be to put this item into this bin? Asked for every open bin that
 * fits, and for a new one; the highest value wins, among equals the bin that was opened first, a new one last.
 *
 * As it stands this is best fit: the less remains, the better, and a new bin only where no other fits. The
 * numbers marked `evolve:` leave room for more. */

#define GAPS 31

/* What is added to the value where 0, 5, 10 … 150 would remain; between them it is interpolated. */
static const double s_bonus[GAPS] = {
    0.0, // evolve: -1..1
    // 5
    0.0, // evolve: -1..1
    // 10
    0.0, // evolve: -1..1
    // 15
    0.0, // evolve: -1..1
    // 20
    0.0, // evolve: -1..1
    // 25
    0.0, // evolve: -1..1
    // 30
    0.0, // evolve: -1..1
    // 35
    0.0, // evolve: -1..1
    // 40
    0.0, // evolve: -1..1
    // 45
    0.0, // evolve: -1..1
    // 50
    0.0, // evolve: -1..1
    // 55
    0.0, // evolve: -1..1
    // 60
    0.0, // evolve: -1..1
    // 65
    0.0, // evolve: -1..1
    // 70
    0.0, // evolve: -1..1
    // 75
    0.0, // evolve: -1..1
    // 80
    0.0, // evolve: -1..1
    // 85
    0.0, // evolve: -1..1
    // 90
    0.0, // evolve: -1..1
    // 95
    0.0, // evolve: -1..1
    // 100
    0.0, // evolve: -1..1
    // 105
    0.0, // evolve: -1..1
    // 110
    0.0, // evolve: -1..1
    // 115
    0.0, // evolve: -1..1
    // 120
    0.0, // evolve: -1..1
    // 125
    0.0, // evolve: -1..1
    // 130
    0.0, // evolve: -1..1
    // 135
    0.0, // evolve: -1..1
    // 140
    0.0, // evolve: -1..1
    // 145
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
