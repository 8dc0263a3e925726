/* SPDX-License-Identifier: MPL-2.0 */
#include "protocol/request.h"

#include <assert.h>
#include <string.h>

void request_init (request_t *self, const digest_t *id, unsigned kind, size_t enough, uint64_t deadline_ms)
{
    memset (self, 0, sizeof *self);
    self->id = *id;
    self->kind = kind;
    self->enough = enough;
    self->deadline_ms = deadline_ms;
}

/* The place of `member` among those asked; `count` if it was not. */
static size_t s_find (const request_t *self, const pubkey_t *member)
{
    size_t i = 0;
    while (i < self->count && !pubkey_equal (&self->asked[i].member, member))
        i++;
    return i;
}

int request_ask (request_t *self, const pubkey_t *member, const digest_t *statement)
{
    if (s_find (self, member) < self->count)
        return ERROR_CONFLICT;
    if (self->count == LIMIT_MEMBERS)
        return ERROR_BOUND;
    self->asked[self->count].member = *member;
    self->asked[self->count].statement = *statement;
    self->asked[self->count].reply = REPLY_WAITING;
    self->count++;
    return 0;
}

static bool s_is_open (reply_t reply)
{
    return reply == REPLY_WAITING || reply == REPLY_ACCEPTED;
}

int request_mark (request_t *self, const pubkey_t *member, const digest_t *statement, reply_t reply,
                  uint64_t now_ms)
{
    assert (reply != REPLY_WAITING && (statement != NULL || reply == REPLY_SILENT));
    size_t i = s_find (self, member);
    if (i == self->count)
        return ERROR_STRANGER;
    if (statement != NULL && !digest_equal (&self->asked[i].statement, statement))
        return ERROR_MISMATCH;
    if (!s_is_open (self->asked[i].reply) || self->asked[i].reply == reply)
        return ERROR_REPLAYED;
    if (now_ms >= self->deadline_ms)
        return ERROR_TIMEOUT;
    self->asked[i].reply = reply;
    return 0;
}

size_t request_count (const request_t *self, reply_t reply)
{
    size_t count = 0;
    for (size_t i = 0; i < self->count; i++)
        count += self->asked[i].reply == reply;
    return count;
}

/* True if no reply that could still come is waited for. */
static bool s_is_settled (const request_t *self)
{
    if (self->enough > 0 && request_count (self, REPLY_ANSWERED) >= self->enough)
        return true;
    return request_count (self, REPLY_WAITING) + request_count (self, REPLY_ACCEPTED) == 0;
}

bool request_done (request_t *self, uint64_t now_ms)
{
    for (size_t i = 0; i < self->count && now_ms >= self->deadline_ms; i++)
        if (s_is_open (self->asked[i].reply))
            self->asked[i].reply = REPLY_SILENT;
    return s_is_settled (self);
}

uint64_t request_deadline (const request_t *self)
{
    return s_is_settled (self) ? UINT64_MAX : self->deadline_ms;
}
