/* SPDX-License-Identifier: MPL-2.0 */
/* The input as a checkpoint's image of a node. What can be loaded can be looked at and saved, and what was saved is loaded again and
 * saved the same. */
#include <assert.h>
#include <string.h>

#include "node/node.h"
#include "tests/fuzz/fuzz.h"

/* The first node of tests/lib/rig.h, whose images the corpus has. */
static identity_t s_identity (void)
{
    uint8_t seed[SEED_BYTES] = {0, 1};
    identity_t identity;
    identity_from_seed (seed, &identity);
    return identity;
}

static void s_check (const identity_t *identity, const node_t *node)
{
    buffer_t saved = {0}, again = {0};
    node_status_t status;
    node_t *twin = NULL;
    node_status (node, &status);
    assert (status.front <= status.candidates);
    node_save (node, &saved);
    int rc = node_load (identity, saved.data, saved.size, &twin);
    assert (rc == 0);
    node_save (twin, &again);
    assert (again.size == saved.size && memcmp (again.data, saved.data, saved.size) == 0);
    digest_t one = node_digest (node), other = node_digest (twin);
    assert (digest_equal (&one, &other));
    buffer_clear (&saved);
    buffer_clear (&again);
    node_destroy (&twin);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    identity_t identity = s_identity ();
    node_t *node = NULL;
    if (node_load (&identity, data, size, &node) == 0)
        s_check (&identity, node);
    else
        assert (node == NULL);
    node_destroy (&node);
    return 0;
}
