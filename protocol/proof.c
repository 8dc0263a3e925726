/* SPDX-License-Identifier: MPL-2.0 */
#include "protocol/proof.h"

#include <assert.h>
#include <string.h>

void proof_clear (proof_t *self)
{
    buffer_clear (&self->first);
    buffer_clear (&self->second);
    *self = (proof_t){0};
}

bool proof_holds (const proof_t *proof)
{
    assert (proof != NULL);
    const buffer_t *packed[2] = {&proof->first, &proof->second};
    statement_t statements[2];
    head_t heads[2];
    for (size_t i = 0; i < 2; i++) {
        if (statement_unpack (bytes_of (packed[i]->data, packed[i]->size), &statements[i]) != 0 ||
            message_head (statements[i].body, statements[i].body_size, &heads[i]) != 0 ||
            !statement_verify (statements[i].body, statements[i].body_size, statements[i].seal))
            return false;
        pubkey_t author = statement_author (statements[i].seal);
        if (!pubkey_equal (&author, &proof->author) || heads[i].seq != proof->seq)
            return false;
    }
    bool is_same = statements[0].body_size == statements[1].body_size &&
                   memcmp (statements[0].body, statements[1].body, statements[0].body_size) == 0;
    return !is_same && digest_equal (&heads[0].group, &heads[1].group);
}
