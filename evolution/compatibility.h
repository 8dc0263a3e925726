/* SPDX-License-Identifier: MPL-2.0 */
/* How well a peer's package fits here: a score in [0, 1] with each part reported. Above node.yaml's threshold
 * (0.7) the package enters the queue. */
#ifndef EVOMESH_EVOLUTION_COMPATIBILITY_H
#define EVOMESH_EVOLUTION_COMPATIBILITY_H

#include "evolution/objective.h"
#include "protocol/image.h"

/* What is compared; each in [0, 1]. */
typedef struct {
    double objectives; /* share of our weight whose objective the package has, with the same goal */
    double evaluator;  /* 1 if the evaluator id is ours, else 0 */
    double merge;      /* share of changed hunks that merge without conflict; 1 if base is our live release */
    double platform;   /* 1 the same, ½ the same machine and system with another toolchain, 0 another */
    double sender;     /* the sender's record with us: adopted / (adopted + failed), ½ if there is none */
} compatibility_parts_t;

/* Weighted sum of the parts, each in [0, 1] (asserted): objectives 0.25, evaluator 0.25, merge 0.3, platform 0.1,
 * sender 0.1. */
double compatibility_score (const compatibility_parts_t *parts);

/* Share of our objectives' weight that the package declares with the same name and goal. `goals` as in goal_t. */
double compatibility_objectives (const objectives_t *ours, const char *const *names, const goal_t *goals,
                                 size_t count);

/* Compares two platform strings "machine/os/toolchain"; anything else is a platform of its own. */
double compatibility_platform (const char *ours, const char *theirs);

/* Its fields, for a checkpoint: see protocol/image.h. */
void compatibility_image (compatibility_parts_t *self, image_t *image);

#endif
