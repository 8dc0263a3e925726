/* SPDX-License-Identifier: MPL-2.0 */
/* Peers' packages: who is heard, what waits, whose turn it is. The way of one is in node/parcel.h; it is fetched and verified in
 * node_knowledge_fetch.c, merged and tried in node_knowledge_try.c, and what became of it is in node_knowledge_end.c.
 *
 * Import is a proposal, never trust: verified, compared, merged, measured here, and only then applied.
 *
 * One at a time; the authors take turns, so that no author's many, and no author's silence, keep the others' waiting. An author
 * has LIMIT_KNOWLEDGE_OF_PEER waiting at most; what must go is told so. One that was imported from a file needs no author. */
#include "node/node_life.h"
#include "node/node_peers.h"

#include <assert.h>

size_t knowledge_parcel (const node_t *self, const digest_t *package)
{
    assert (self && !digest_is_zero (package));
    for (size_t i = 0; i < LIMIT_KNOWLEDGE; i++)
        if (digest_equal (&self->parcels[i].package, package))
            return i;
    return NONE;
}

/* --- places --- */

_Static_assert(LIMIT_IMPROVEMENTS + 1 < LIMIT_KNOWLEDGE,
               "however many are held, some parcels wait where none is free");

static size_t s_waiting_of (const node_t *self, const pubkey_t *author, size_t *oldest)
{
    size_t count = 0;
    *oldest = NONE;
    for (size_t i = 0; i < LIMIT_KNOWLEDGE; i++) {
        const parcel_t *parcel = &self->parcels[i];
        if (parcel->state != PARCEL_WAITING || !pubkey_equal (&parcel->author, author))
            continue;
        count++;
        if (*oldest == NONE || parcel->order < self->parcels[*oldest].order)
            *oldest = i;
    }
    return count;
}

/* The oldest that waits of the author who has the most. */
static size_t s_of_the_greediest (const node_t *self)
{
    size_t most = 0, index = NONE;
    for (size_t i = 0; i < LIMIT_KNOWLEDGE; i++) {
        size_t oldest;
        if (self->parcels[i].state != PARCEL_WAITING)
            continue;
        size_t count = s_waiting_of (self, &self->parcels[i].author, &oldest);
        if (count > most || (count == most && self->parcels[oldest].order < self->parcels[index].order)) {
            most = count;
            index = oldest;
        }
    }
    return index;
}

/* A free place for that author's; at a bound made by turning one away. */
static size_t s_place (node_t *self, const pubkey_t *author)
{
    size_t free_place = 0, victim;
    if (s_waiting_of (self, author, &victim) < LIMIT_KNOWLEDGE_OF_PEER)
        victim = NONE;
    while (free_place < LIMIT_KNOWLEDGE && self->parcels[free_place].state != PARCEL_FREE)
        free_place++;
    if (victim == NONE && free_place < LIMIT_KNOWLEDGE)
        return free_place;
    if (victim == NONE)
        victim = s_of_the_greediest (self);
    assert (victim != NONE); /* but for one, and for those that are held, all wait */
    knowledge_turn_away (self, victim);
    return victim;
}

static size_t s_hear (node_t *self, size_t place, const pubkey_t *author, const digest_t *package,
                      const digest_t *transfer)
{
    parcel_t *parcel = &self->parcels[place];
    parcel_hear (parcel, package, author, transfer, ++self->order);
    const tried_t *tried = knowledge_tried (self, package);
    parcel->again = tried && tried->reason != REASON_UNAVAILABLE;
    knowledge_row (self, place, ROW_WAITING, REASON_NONE);
    return place;
}

/* What was tried on another live release waits again; its contents are here. Nobody who waits is turned away for it. NONE if there is
 * none, or no place. */
static size_t s_take_again (node_t *self)
{
    static const digest_t none;
    size_t oldest, place = 0;
    const tried_t *best = knowledge_again (self);
    while (place < LIMIT_KNOWLEDGE && self->parcels[place].state != PARCEL_FREE)
        place++;
    if (!best || place == LIMIT_KNOWLEDGE ||
        s_waiting_of (self, &best->author, &oldest) >= LIMIT_KNOWLEDGE_OF_PEER)
        return NONE;
    self->parcels[s_hear (self, place, &best->author, &best->package, &none)].imported = true;
    return place;
}

/* --- who tells of what --- */

void on_knowledge (node_t *self, const pubkey_t *author, const digest_t *package, const digest_t *transfer)
{
    assert (self && author && package && transfer);
    if (digest_is_zero (package))
        return; /* no content has that hash: whoever tells of it has nothing */
    size_t index = knowledge_parcel (self, package);
    const tried_t *settled = index == NONE ? knowledge_settled (self, package, author) : NULL;
    if (settled) {
        if (!digest_is_zero (transfer)) /* the author asks: it is told again */
            knowledge_answer (self, author, transfer, settled, NULL);
        return;
    }
    if (index != NONE) {
        parcel_t *parcel = &self->parcels[index];
        if (!pubkey_equal (&parcel->author, author))
            parcel->alternate = *author; /* whoever said it first may not have it, or not give it */
        else if (!digest_is_zero (transfer))
            parcel->transfer = *transfer;
        return;
    }
    (void)s_hear (self, s_place (self, author), author, package, transfer);
}

void knowledge_import (node_t *self, const pubkey_t *author, const digest_t *package)
{
    assert (self && author && package);
    static const digest_t none;
    size_t index = knowledge_parcel (self, package);
    if (index == NONE && !knowledge_settled (self, package, NULL))
        index = s_hear (self, s_place (self, author), author, package, &none);
    assert (index != NONE); /* the caller saw to it that it may be tried */
    self->parcels[index].imported = true;
}

/* --- turns --- */

static uint64_t s_last_turn (node_t *self, const parcel_t *parcel)
{
    const known_peer_t *author = peer_of (self, &parcel->author);
    return author ? author->served : 0;
}

/* Whose turn is it? The author's whose last turn is longest ago; of its own, the one that came first. */
static bool s_goes_before (node_t *self, const parcel_t *one, const parcel_t *other)
{
    uint64_t its = s_last_turn (self, one), others = s_last_turn (self, other);
    return its != others ? its < others : one->order < other->order;
}

static bool s_can_be_had (const node_t *self, const parcel_t *parcel)
{
    return (parcel->imported || peer_is_up (self, &parcel->author)) &&
           (!parcel->unconfirmed || review_may_be_confirmed (self));
}

/* Does it wait for the operator? That may take a day. */
static bool s_is_held (const node_t *self, size_t parcel)
{
    for (size_t i = 0; i < LIMIT_IMPROVEMENTS; i++)
        if (self->improvements[i].used && self->improvements[i].parcel == parcel)
            return self->improvements[i].state == STATE_HELD;
    return false;
}

static bool s_is_one_under_way (const node_t *self)
{
    for (size_t i = 0; i < LIMIT_KNOWLEDGE; i++) {
        parcel_state_t state = self->parcels[i].state;
        if (state != PARCEL_FREE && state != PARCEL_WAITING && !s_is_held (self, i))
            return true;
    }
    return false;
}

/* The one that is taken up next; NONE if none can be had. */
static size_t s_next (node_t *self)
{
    size_t next = NONE;
    for (size_t i = 0; i < LIMIT_KNOWLEDGE; i++) {
        const parcel_t *parcel = &self->parcels[i];
        if (parcel->state == PARCEL_WAITING && parcel->retry_ms <= self->now_ms &&
            s_can_be_had (self, parcel) &&
            (next == NONE || s_goes_before (self, parcel, &self->parcels[next])))
            next = i;
    }
    return next;
}

/* Packages are tried one after the other; one that is held holds up no other. */
void knowledge_advance (node_t *self)
{
    assert (self);
    if (evolution_rests (self) || !self->baseline_known || s_is_one_under_way (self))
        return;
    size_t next = s_next (self);
    if (next == NONE)
        next = s_take_again (self);
    if (next == NONE)
        return;
    known_peer_t *author = peer_of (self, &self->parcels[next].author);
    if (author)
        author->served = ++self->order;
    knowledge_fetch (self, next);
}

uint64_t knowledge_deadline_ms (const node_t *self)
{
    assert (self);
    uint64_t deadline_ms = UINT64_MAX;
    for (size_t i = 0; i < LIMIT_KNOWLEDGE; i++)
        if (self->parcels[i].state == PARCEL_WAITING && self->parcels[i].retry_ms > self->now_ms &&
            self->parcels[i].retry_ms < deadline_ms)
            deadline_ms = self->parcels[i].retry_ms;
    return deadline_ms;
}
