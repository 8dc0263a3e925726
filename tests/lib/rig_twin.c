/* SPDX-License-Identifier: MPL-2.0 */
/* A node's twin: what is loaded of its saved bytes. One of RIG_TWIN_EVERY events of each scenario goes to both, so that every test of the
 * core proves checkpoints too. */
#include "tests/lib/rig_internal.h"

#include <assert.h>
#include <string.h>

#define RIG_TWIN_EVERY 7 /* no multiple of the nodes in a group, so that each kind of event comes to it */

static bool s_same (const node_t *a, const node_t *b)
{
    buffer_t saved[2] = {{0}, {0}};
    node_save (a, &saved[0]);
    node_save (b, &saved[1]);
    bool same = saved[0].size == saved[1].size && memcmp (saved[0].data, saved[1].data, saved[0].size) == 0;
    buffer_clear (&saved[0]);
    buffer_clear (&saved[1]);
    return same;
}

node_t *rig_twin (rig_t *self, size_t k)
{
    const node_t *node = self->nodes[k].node;
    if (!node_members (node) || self->events++ % RIG_TWIN_EVERY != 0)
        return NULL;
    buffer_t saved = {0};
    node_t *twin = NULL;
    node_save (node, &saved);
    int rc = node_load (&self->nodes[k].identity, saved.data, saved.size, &twin);
    assert (rc == 0 && s_same (node, twin));
    (void)rc;
    buffer_clear (&saved);
    return twin;
}

void rig_twin_step (const rig_t *self, size_t k, node_t *twin, const event_t *event, const digest_t *expected)
{
    if (!twin)
        return;
    effects_t effects = {0};
    int rc = node_step (twin, event, &effects);
    digest_t digest = effects_digest (&effects, 0);
    assert (rc == 0 && digest_equal (&digest, expected));
    assert (s_same (self->nodes[k].node, twin));
    (void)rc;
    effects_clear (&effects);
    node_destroy (&twin);
}
