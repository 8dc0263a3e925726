/* SPDX-License-Identifier: MPL-2.0 */
/* Peers' packages that were tried and rejected: which of them are worth another try, as the live release has changed since.
 *
 * What speaks of the package alone (it doesn't verify, changes what it may not, crashes, was rolled back here) stays as it is. What
 * hung on the live release (no better than that, didn't merge with it, wasn't confirmed against it) may be another thing now. Each package
 * has transfer_attempts_max outcomes in all, each on another live release, and unasked each live release takes up AGAIN_OF_RELEASE of
 * them, when nothing else can be had; so whoever shares what is worth nothing costs the group no more than that for each package. */
#include "node/node_peers.h"

#include <assert.h>

#define AGAIN_OF_RELEASE 2

static bool s_hangs_on_base (reason_code_t reason)
{
    return reason == REASON_WORSE || reason == REASON_NOT_BETTER || reason == REASON_TOO_SMALL ||
           reason == REASON_INFEASIBLE || reason == REASON_CONSENSUS || reason == REASON_EXPIRED ||
           reason == REASON_NO_VALIDATORS || reason == REASON_NOT_CONFIRMED || reason == REASON_STALE_BASE ||
           reason == REASON_INCOMPATIBLE;
}

static bool s_may_be_tried_again (const node_t *self, const tried_t *tried)
{
    return !tried->adopted && s_hangs_on_base (tried->reason) &&
           tried->tries < self->settings.transfer_attempts_max && !digest_equal (&tried->base, &self->live);
}

const tried_t *knowledge_settled (const node_t *self, const digest_t *package, const pubkey_t *from)
{
    assert (self && package);
    const tried_t *tried = knowledge_tried (self, package);
    if (!tried || s_may_be_tried_again (self, tried))
        return NULL;
    /* That one member could not give it says nothing of another that tells of it, or of what is here. */
    bool elsewhere = tried->reason == REASON_UNAVAILABLE &&
                     tried->tries < self->settings.transfer_attempts_max &&
                     (from == NULL || !pubkey_equal (&tried->author, from));
    return elsewhere ? NULL : tried;
}

const tried_t *knowledge_again (node_t *self)
{
    assert (self);
    if (self->again_none)
        return NULL;
    const tried_t *best = NULL;
    size_t had = 0;
    bool any = false;
    for (size_t i = 0; i < self->tried_count; i++) {
        const tried_t *tried = &self->tried[i];
        had += tried->tries > 1 && digest_equal (&tried->base, &self->live);
        if (!s_may_be_tried_again (self, tried))
            continue;
        any = true;
        if ((!best || tried->gain >= best->gain) && knowledge_parcel (self, &tried->package) == NONE)
            best = tried; /* of equals the one that was first tried last */
    }
    self->again_none = !any || had >= AGAIN_OF_RELEASE;
    return self->again_none ? NULL : best;
}
