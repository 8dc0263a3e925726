/* SPDX-License-Identifier: MPL-2.0 */
#include "protocol/request.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/statement.h"

void request_init (request_t *self, uint64_t deadline_ms)
{
    assert (self);
    *self = (request_t){.deadline_ms = deadline_ms};
}

void request_clear (request_t *self)
{
    assert (self);
    for (size_t i = 0; i < self->count; i++)
        buffer_clear (&self->asked[i].evidence);
    free (self->asked);
    memset (self, 0, sizeof *self);
}

/* The place of `member` among those asked; `count` if it was not. */
static size_t s_place (const request_t *self, const pubkey_t *member)
{
    assert (self->count <= LIMIT_MEMBERS);
    size_t i = 0;
    while (i < self->count && !pubkey_equal (&self->asked[i].member, member))
        i++;
    return i;
}

int request_ask (request_t *self, const pubkey_t *member, const digest_t *statement)
{
    assert (self && member && statement);
    size_t place = s_place (self, member);
    if (place < self->count) {
        if (self->asked[place].answer != ASKED)
            return ERROR_REPLAYED;
        self->asked[place].statement = *statement;
        return 0;
    }
    if (self->count == LIMIT_MEMBERS)
        return ERROR_BOUND;
    asked_t *grown = realloc (self->asked, (self->count + 1) * sizeof *grown);
    if (grown == NULL)
        return ERROR_MEMORY;
    self->asked = grown;
    self->asked[self->count++] = (asked_t){.member = *member, .statement = *statement, .answer = ASKED};
    return 0;
}

int request_expects (const request_t *self, const pubkey_t *member, const digest_t *statement)
{
    const asked_t *asked = request_find (self, member);
    if (asked == NULL)
        return ERROR_STRANGER;
    if (statement != NULL && !digest_equal (&asked->statement, statement))
        return ERROR_MISMATCH;
    return asked->answer == ASKED ? 0 : ERROR_REPLAYED;
}

int request_answer (request_t *self, const pubkey_t *member, const digest_t *statement, answer_t answer,
                    bytes_t evidence)
{
    assert (answer != ASKED);
    int rc = request_expects (self, member, statement);
    if (rc != 0)
        return rc;
    asked_t *asked = &self->asked[s_place (self, member)];
    assert (asked->answer == ASKED && asked->evidence.size == 0);
    buffer_append (&asked->evidence, evidence.data, evidence.size);
    if (asked->evidence.failed) {
        buffer_clear (&asked->evidence);
        return ERROR_MEMORY;
    }
    asked->answer = answer;
    return 0;
}

const asked_t *request_find (const request_t *self, const pubkey_t *member)
{
    assert (self && member);
    size_t place = s_place (self, member);
    return place < self->count ? &self->asked[place] : NULL;
}

unsigned request_count (const request_t *self, answer_t answer)
{
    assert (self);
    unsigned count = 0;
    for (size_t i = 0; i < self->count; i++)
        count += self->asked[i].answer == answer;
    return count;
}

bool request_done (const request_t *self)
{
    return request_count (self, ASKED) == 0;
}

void request_image (request_t *self, image_t *image)
{
    image_uint (image, &self->deadline_ms, 0);
    self->asked = image_items (image, self->asked, &self->count, LIMIT_MEMBERS, sizeof *self->asked);
    for (size_t i = 0; i < self->count; i++) {
        asked_t *asked = &self->asked[i];
        image_fixed (image, asked->member.bytes, sizeof asked->member.bytes);
        image_fixed (image, asked->statement.bytes, sizeof asked->statement.bytes);
        image_unsigned (image, &asked->answer, ANSWERED_DECLINED);
        image_bytes (image, &asked->evidence, LIMIT_STATEMENT_BYTES + SEAL_BYTES); /* packed */
    }
}
