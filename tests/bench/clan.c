/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/bench/clan.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/random.h"
#include "evolution/tree.h"
#include "node/io/clock.h"

uint8_t *clan_tree (const clan_t *clan, const uint8_t file[CLAN_FILE_BYTES], size_t *size)
{
    tree_t tree = {0};
    digest_t content = digest_of (file, CLAN_FILE_BYTES);
    int result = tree_add (&tree, "candidate.c", false, &content, CLAN_FILE_BYTES);
    uint8_t *bytes = tree_encode (&tree, &clan->group.evaluator, size);
    assert (result == 0 && bytes != NULL);
    (void)result;
    tree_clear (&tree);
    return bytes;
}

static void s_keys (clan_t *self)
{
    random_t random;
    uint8_t seed[SEED_BYTES];
    random_init_number (&random, 1);
    self->identities = calloc (self->count, sizeof *self->identities);
    self->curves = calloc (self->count, sizeof *self->curves);
    assert (self->identities != NULL && self->curves != NULL);
    for (size_t i = 0; i < self->count; i++) {
        random_bytes (&random, seed, sizeof seed);
        identity_from_seed (seed, &self->identities[i]);
        random_bytes (&random, seed, sizeof seed);
        curve_from_seed (seed, &self->curves[i]);
    }
}

void clan_make (clan_t *self, size_t count)
{
    memset (self, 0, sizeof *self);
    self->count = count;
    s_keys (self);
    self->group.evaluator = digest_of ("evaluator", 9);
    memset (self->file, ' ', sizeof self->file);
    size_t size;
    uint8_t *start = clan_tree (self, self->file, &size);
    buffer_append (&self->start, start, size);
    free (start);
    digest_t evaluator = self->group.evaluator, id = digest_of (self->start.data, self->start.size);
    policy_t policy = policy_default ();
    const identity_t *founder = &self->identities[0];
    uint64_t now_ms = clock_wall_ms ();
    int result = group_found (&self->group, founder, "bench", "made-up", &evaluator, &id, &policy, now_ms);
    self->members = calloc (1, sizeof *self->members);
    assert (self->members != NULL && result == 0);
    result = members_found (self->members, &self->group, founder, &self->curves[0].public_key, "member-0", 2,
                            1, now_ms);
    for (size_t i = 1; i < count; i++) {
        char name[LIMIT_NAME + 1];
        snprintf (name, sizeof name, "member-%zu", i);
        result |= members_add (self->members, &self->group, founder, &self->identities[i].id,
                               &self->curves[i].public_key, name, 2 * i + 2, i + 1, now_ms);
    }
    assert (result == 0);
}

void clan_clear (clan_t *self)
{
    members_clear (self->members);
    free (self->members);
    group_clear (&self->group);
    buffer_clear (&self->start);
    free (self->identities);
    free (self->curves);
}
