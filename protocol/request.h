/* SPDX-License-Identifier: MPL-2.0 */
/* A request scattered to members, and what each of them answered.
 *
 *   request_ask ──▶ ASKED ── request_answer ──▶ ANSWERED_YES | ANSWERED_REVIEW | ANSWERED_NO | ANSWERED_DECLINED
 *                   │   ▲
 *                   └───┘ request_ask again: sent anew, with another statement id
 *
 * An answer stands for good: each member counts once, whatever it sends later. Each member has a statement of its own, for a
 * statement names its addressee; its answer must name that statement. Whoever is still ASKED at the deadline kept silent: that is
 * for the owner to see, who also knows how many answers are enough. */
#ifndef EVOMESH_PROTOCOL_REQUEST_H
#define EVOMESH_PROTOCOL_REQUEST_H

#include "crypto/identity.h"
#include "protocol/error.h"
#include "protocol/image.h"
#include "protocol/limits.h"
#include "protocol/record.h"

typedef enum { ASKED, ANSWERED_YES, ANSWERED_REVIEW, ANSWERED_NO, ANSWERED_DECLINED } answer_t;

typedef struct {
    pubkey_t member;
    digest_t statement; /* id of the newest one that it was sent */
    answer_t answer;
    buffer_t evidence; /* the packed statement in which it answered; empty if none is kept */
} asked_t;

/* All zero: nobody was asked. Read its members freely, change them by the functions below only. */
typedef struct {
    asked_t *asked; /* in the order of asking */
    size_t count;
    uint64_t deadline_ms; /* monotonic; until when answers are waited for */
} request_t;

/* A request that nobody was asked yet; what `self` held before is not looked at. */
void request_init (request_t *self, uint64_t deadline_ms);

/* Frees what it holds, and leaves it all zero. */
void request_clear (request_t *self);

/* Notes that `member` was sent the statement of this id; again, that it was sent another one, which takes the place of the first.
 * 0, ERROR_REPLAYED (it has answered), ERROR_BOUND (LIMIT_MEMBERS were asked) or ERROR_MEMORY: then nothing is changed. */
int request_ask (request_t *self, const pubkey_t *member, const digest_t *statement);

/* What an answer by `member` that names `statement` is worth; nothing is changed. `statement` may be NULL for one that counts
 * whichever sending it names: the caller knows by other means that it speaks of the same. 0 (it is waited for), or
 * ERROR_STRANGER (not asked), ERROR_MISMATCH (not what it was asked last), ERROR_REPLAYED (it has answered). */
int request_expects (const request_t *self, const pubkey_t *member, const digest_t *statement);

/* Takes an answer (not ASKED) with a copy of its `evidence`, which may be empty. 0 if it counts, else as request_expects says, or
 * ERROR_MEMORY: then nothing is changed. */
int request_answer (request_t *self, const pubkey_t *member, const digest_t *statement, answer_t answer,
                    bytes_t evidence);

/* What was asked of `member` and what it said; NULL if it was not asked. Valid until the next request_ask or request_clear. */
const asked_t *request_find (const request_t *self, const pubkey_t *member);

/* How many stand so. */
unsigned request_count (const request_t *self, answer_t answer);

/* True if all that were asked have answered. */
bool request_done (const request_t *self);

/* Its fields, for a checkpoint: see protocol/image.h. Nothing is held before it is loaded; request_clear frees what was loaded in part,
 * too. */
void request_image (request_t *self, image_t *image);

#endif
