/* SPDX-License-Identifier: MPL-2.0 */
#include "evolution/compatibility.h"

#include <assert.h>
#include <string.h>

static double s_part (double value)
{
    assert (value >= 0 && value <= 1);
    return value;
}

double compatibility_score (const compatibility_parts_t *parts)
{
    assert (parts);
    /* In twentieths: whole weights, so that a score meant to be 0.7 is 0.7 and not a bit above. */
    return (5 * s_part (parts->objectives) + 5 * s_part (parts->evaluator) + 6 * s_part (parts->merge) +
            2 * s_part (parts->platform) + 2 * s_part (parts->sender)) /
           20;
}

double compatibility_objectives (const objectives_t *ours, const char *const *names, const goal_t *goals,
                                 size_t count)
{
    double shared = 0, whole = 0;
    for (size_t i = 0; i < ours->count; i++) {
        assert (ours->items[i].weight > 0);
        whole += ours->items[i].weight;
        for (size_t k = 0; k < count; k++)
            if (strcmp (ours->items[i].name, names[k]) == 0 && ours->items[i].goal == goals[k]) {
                shared += ours->items[i].weight;
                break;
            }
    }
    return whole > 0 ? shared / whole : 0;
}

double compatibility_platform (const char *ours, const char *theirs)
{
    assert (ours && theirs);
    if (strcmp (ours, theirs) == 0)
        return 1;
    /* "machine/os" must be there on both sides and the same; what follows is the toolchain. */
    size_t machine = strcspn (ours, "/");
    if (machine == 0 || ours[machine] == '\0')
        return 0;
    size_t system = machine + 1 + strcspn (ours + machine + 1, "/");
    bool same = strncmp (ours, theirs, system) == 0 && (theirs[system] == '/' || theirs[system] == '\0');
    return same ? 0.5 : 0;
}

void compatibility_image (compatibility_parts_t *self, image_t *image)
{
    image_real (image, &self->objectives);
    image_real (image, &self->evaluator);
    image_real (image, &self->merge);
    image_real (image, &self->platform);
    image_real (image, &self->sender);
}
