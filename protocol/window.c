/* SPDX-License-Identifier: MPL-2.0 */
#include "protocol/window.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define HEARD_CAPACITY_MIN 16

typedef struct {
    uint64_t seq;
    uint64_t time_ms; /* as the author says */
    digest_t id;
} heard_t;

typedef struct {
    pubkey_t id;
    uint64_t floor; /* numbers up to this are forgotten: a live one among them is stale */
    uint64_t highest;
    heard_t *heard; /* sorted by seq */
    size_t count;
    size_t capacity;
    bool is_proved; /* to have said two things under one number */
} author_t;

struct window {
    author_t authors[LIMIT_MEMBERS];
    size_t author_count;
    digest_t hashes[WINDOW_HASHES]; /* a ring */
    size_t hash_count;
    size_t hash_next;
    struct {
        digest_t id;
        buffer_t packed;
    } kept[WINDOW_KEPT]; /* a ring, oldest at kept_first */
    size_t kept_first;
    size_t kept_count;
    size_t kept_bytes;
    proof_t proof; /* not taken yet; `first` is empty if there is none */
};

window_t *window_new (void)
{
    return calloc (1, sizeof (window_t));
}

static void s_drop_oldest (window_t *self)
{
    assert (self->kept_count > 0 && self->kept_count <= WINDOW_KEPT);
    buffer_t *packed = &self->kept[self->kept_first].packed;
    assert (packed->size <= self->kept_bytes);
    self->kept_bytes -= packed->size;
    buffer_clear (packed);
    self->kept_first = (self->kept_first + 1) % WINDOW_KEPT;
    self->kept_count--;
}

void window_destroy (window_t **self_p)
{
    window_t *self = *self_p;
    if (self == NULL)
        return;
    for (size_t i = 0; i < self->author_count; i++)
        free (self->authors[i].heard);
    while (self->kept_count > 0)
        s_drop_oldest (self);
    proof_clear (&self->proof);
    free (self);
    *self_p = NULL;
}

/* --- authors --- */

static const author_t *s_find (const window_t *self, const pubkey_t *id)
{
    for (size_t i = 0; i < self->author_count; i++)
        if (pubkey_equal (&self->authors[i].id, id))
            return &self->authors[i];
    return NULL;
}

/* The author's place, made if need be; NULL if all are taken. */
static author_t *s_author (window_t *self, const pubkey_t *id)
{
    for (size_t i = 0; i < self->author_count; i++)
        if (pubkey_equal (&self->authors[i].id, id))
            return &self->authors[i];
    if (self->author_count == LIMIT_MEMBERS)
        return NULL;
    author_t *author = &self->authors[self->author_count++];
    *author = (author_t){.id = *id};
    return author;
}

uint64_t window_highest (const window_t *self, const pubkey_t *author)
{
    const author_t *found = s_find (self, author);
    return found == NULL ? 0 : found->highest;
}

int window_note (window_t *self, const pubkey_t *author, uint64_t seq)
{
    author_t *found = s_author (self, author);
    if (found == NULL)
        return ERROR_BOUND;
    if (seq > found->highest)
        found->highest = seq;
    return 0;
}

void window_forget (window_t *self, const pubkey_t *author)
{
    assert (self->author_count <= LIMIT_MEMBERS);
    if (pubkey_equal (&self->proof.author, author))
        proof_clear (&self->proof);
    for (size_t i = 0; i < self->author_count; i++) {
        if (!pubkey_equal (&self->authors[i].id, author))
            continue;
        free (self->authors[i].heard);
        self->authors[i] = self->authors[--self->author_count];
        return;
    }
}

/* --- sequence numbers --- */

/* How many of the author's numbers are below `seq`: its place in the order. */
static size_t s_place (const author_t *author, uint64_t seq)
{
    size_t low = 0, high = author->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (author->heard[middle].seq < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static const heard_t *s_heard (const author_t *author, uint64_t seq)
{
    size_t at = s_place (author, seq);
    return at < author->count && author->heard[at].seq == seq ? &author->heard[at] : NULL;
}

/* Lets the lowest numbers go: those whose time makes them stale by themselves, and one more where there is no room. */
static void s_leave (author_t *author, uint64_t wall_ms)
{
    assert (author->count <= WINDOW_SEQS && author->count <= author->capacity);
    size_t gone = author->count == WINDOW_SEQS ? 1 : 0;
    while (gone < author->count && author->heard[gone].time_ms < wall_ms &&
           wall_ms - author->heard[gone].time_ms > FRESHNESS_MS)
        gone++;
    if (gone == 0)
        return;
    assert (author->heard[gone - 1].seq > author->floor);
    author->floor = author->heard[gone - 1].seq;
    author->count -= gone;
    memmove (author->heard, author->heard + gone, author->count * sizeof *author->heard);
}

static int s_reserve (author_t *author)
{
    if (author->count < author->capacity)
        return 0;
    size_t capacity = author->capacity > 0 ? 2 * author->capacity : HEARD_CAPACITY_MIN;
    heard_t *heard = realloc (author->heard, capacity * sizeof *heard);
    if (heard == NULL)
        return ERROR_MEMORY;
    author->heard = heard;
    author->capacity = capacity;
    return 0;
}

/* Remembers a number that is above the floor and not there. */
static int s_remember (author_t *author, const head_t *head, const digest_t *id, uint64_t wall_ms)
{
    s_leave (author, wall_ms);
    if (head->seq <= author->floor) /* the floor rose above it: it is as good as forgotten */
        return 0;
    int rc = s_reserve (author);
    if (rc != 0)
        return rc;
    size_t at = s_place (author, head->seq);
    assert (at == author->count || author->heard[at].seq > head->seq);
    heard_t *place = author->heard + at;
    memmove (place + 1, place, (author->count - at) * sizeof *place);
    *place = (heard_t){.seq = head->seq, .time_ms = head->time_ms, .id = *id};
    author->count++;
    assert (author->count <= WINDOW_SEQS);
    return 0;
}

/* --- hashes of durable statements --- */

bool window_knows (const window_t *self, const digest_t *id)
{
    for (size_t i = 0; i < self->hash_count; i++)
        if (digest_equal (&self->hashes[i], id))
            return true;
    return false;
}

static void s_know (window_t *self, const digest_t *id)
{
    assert (self->hash_next < WINDOW_HASHES && self->hash_count <= WINDOW_HASHES);
    assert (!window_knows (self, id));
    self->hashes[self->hash_next] = *id;
    self->hash_next = (self->hash_next + 1) % WINDOW_HASHES;
    if (self->hash_count < WINDOW_HASHES)
        self->hash_count++;
}

/* --- proofs --- */

/* Keeps a statement whole, for the case that its author says something else under its number. What is too large, or finds no
 * memory, isn't kept: that can't be proved. */
static void s_keep (window_t *self, const statement_t *statement, const digest_t *id)
{
    size_t size = statement->body_size + SEAL_BYTES;
    if (size > WINDOW_KEPT_BYTES / 8) /* one statement must not push out all others */
        return;
    while (self->kept_count == WINDOW_KEPT || self->kept_bytes + size > WINDOW_KEPT_BYTES)
        s_drop_oldest (self);
    buffer_t packed = {0};
    statement_pack (statement->body, statement->body_size, statement->seal, &packed);
    if (packed.failed) {
        buffer_clear (&packed);
        return;
    }
    size_t at = (self->kept_first + self->kept_count++) % WINDOW_KEPT;
    self->kept[at].id = *id;
    self->kept[at].packed = packed;
    self->kept_bytes += packed.size;
    assert (self->kept_bytes <= WINDOW_KEPT_BYTES);
}

static const buffer_t *s_kept (const window_t *self, const digest_t *id)
{
    for (size_t i = 0; i < self->kept_count; i++) {
        size_t at = (self->kept_first + i) % WINDOW_KEPT;
        if (digest_equal (&self->kept[at].id, id))
            return &self->kept[at].packed;
    }
    return NULL;
}

/* True if the body is the same, however its author signed it: that is said again, not said otherwise. */
static bool s_is_same (const buffer_t *kept, const statement_t *statement)
{
    return kept != NULL && kept->size == statement->body_size + SEAL_BYTES &&
           memcmp (kept->data, statement->body, statement->body_size) == 0;
}

/* A proof that is not whole convinces nobody: where the first statement is no longer kept none is made, and the author's next
 * offence is looked at anew. */
static void s_prove (window_t *self, const statement_t *statement, author_t *author, const heard_t *first)
{
    const buffer_t *kept = s_kept (self, &first->id);
    if (author->is_proved || kept == NULL || self->proof.first.size > 0)
        return;
    proof_t proof = {.author = author->id, .seq = first->seq};
    buffer_append (&proof.first, kept->data, kept->size);
    statement_pack (statement->body, statement->body_size, statement->seal, &proof.second);
    if (proof.first.failed || proof.second.failed) { /* the next offence may find more memory */
        proof_clear (&proof);
        return;
    }
    self->proof = proof;
    author->is_proved = true;
}

bool window_take_proof (window_t *self, proof_t *proof)
{
    assert (self != NULL && proof != NULL);
    *proof = self->proof;
    self->proof = (proof_t){0};
    return proof->first.size > 0;
}

/* --- hearing --- */

static bool s_is_fresh (uint64_t time_ms, uint64_t wall_ms)
{
    return time_ms <= wall_ms ? wall_ms - time_ms <= FRESHNESS_MS : time_ms - wall_ms <= FRESHNESS_MS;
}

int window_hear (window_t *self, const statement_t *statement, const head_t *head, const digest_t *id,
                 uint64_t wall_ms)
{
    const message_info_t *info = message_info (head->kind);
    assert (info != NULL && info->class != CLASS_SIGNED); /* those are not said, but shown inside others */
    bool is_live = info->class == CLASS_LIVE;
    pubkey_t author_id = statement_author (statement->seal);
    if (is_live && !s_is_fresh (head->time_ms, wall_ms))
        return ERROR_STALE;
    if (!is_live && window_knows (self, id))
        return ERROR_REPLAYED;
    author_t *author = s_author (self, &author_id);
    if (author == NULL)
        return ERROR_BOUND;
    const heard_t *heard = s_heard (author, head->seq);
    if (heard != NULL && digest_equal (&heard->id, id))
        return ERROR_REPLAYED;
    if (heard != NULL && s_is_same (s_kept (self, &heard->id), statement))
        return ERROR_REPLAYED;
    if (heard != NULL) {
        s_prove (self, statement, author, heard);
        return ERROR_EQUIVOCATION;
    }
    if (is_live && head->seq <= author->floor)
        return ERROR_STALE;
    if (head->seq > author->floor) {
        int rc = s_remember (author, head, id, wall_ms);
        if (rc != 0)
            return rc;
        s_keep (self, statement, id);
    }
    if (head->seq > author->highest)
        author->highest = head->seq;
    if (!is_live)
        s_know (self, id);
    return 0;
}
