/* SPDX-License-Identifier: MPL-2.0 */
#include "proposers/replay.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>

#define RADIUS_MIN 1e-7
#define GROW       2    /* the radius in lengths of a step that was good */
#define SHRINK     0.85 /* the radius after one that wasn't */
#define BEYOND     2    /* radii: a step so long says nothing of shorter ones */
#define SHARE_MIN  0.05 /* neither kind of step is ever given up */
#define SHARE_MAX  0.8
#define SHARPNESS  4 /* the kind that gains more gets nearly all steps */

double replay_distance (const double *one, const double *other, size_t count, size_t *differ)
{
    assert (one && other && differ);
    double sum = 0;
    *differ = 0;
    for (size_t i = 0; i < count; i++) {
        double apart = one[i] - other[i];
        sum += apart * apart;
        *differ += fabs (apart) > REPLAY_AGREE;
    }
    assert (*differ <= count);
    return sqrt (sum);
}

/* By what a step of either kind gained in the mean. */
static double s_share (double gain_few, double gain_many)
{
    if (gain_few + gain_many == 0)
        return 0.5;
    double few = pow (gain_few / (gain_few + gain_many), SHARPNESS);
    double many = pow (gain_many / (gain_few + gain_many), SHARPNESS);
    return SHARE_MIN + (SHARE_MAX - SHARE_MIN) * many / (few + many);
}

replay_t replay (const double *places, const double *losses, size_t rows, size_t count, double radius)
{
    assert (count > 0 && radius > 0 && (rows == 0 || (places && losses)));
    double gain[2] = {0}, tried[2] = {1, 1}; /* few numbers, many */
    size_t best = 0;
    for (size_t row = 1; row < rows; row++) {
        size_t differ;
        double length = replay_distance (places + row * count, places + best * count, count, &differ);
        if (differ == 0)
            continue;
        bool many = differ > 1 && 4 * differ > count, better = losses[row] < losses[best];
        tried[many]++;
        if (better)
            gain[many] += losses[best] - losses[row];
        if (many && better)
            radius = GROW * length;
        else if (many && length < BEYOND * radius)
            radius *= SHRINK;
        if (better)
            best = row;
    }
    assert (rows == 0 || best < rows);
    return (replay_t){.radius = fmax (radius, RADIUS_MIN),
                      .share = s_share (gain[0] / tried[0], gain[1] / tried[1])};
}
