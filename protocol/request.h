/* SPDX-License-Identifier: MPL-2.0 */
/* A request scattered to members and what came back, until enough answered, all are settled, or the deadline passed.
 *
 *   ask ─▶ WAITING ──▶ ACCEPTED ──▶ ANSWERED         an outcome never changes once it is one of the right three:
 *             │  └─────────│────────▲                each member counts once, whatever it sends later
 *             │            ▼
 *             └──▶ DECLINED, SILENT (deadline, or lost)
 *
 * The statement that each member gets names it, so each has a statement id of its own, which its reply must name. */
#ifndef EVOMESH_PROTOCOL_REQUEST_H
#define EVOMESH_PROTOCOL_REQUEST_H

#include "crypto/identity.h"
#include "protocol/error.h"
#include "protocol/limits.h"

typedef enum { REPLY_WAITING, REPLY_ACCEPTED, REPLY_ANSWERED, REPLY_DECLINED, REPLY_SILENT } reply_t;

/* A table entry; about 17 KB. Fill with request_init; nothing is to be freed. */
typedef struct {
    digest_t id;          /* what it is about: the owner's key */
    unsigned kind;        /* of the statements sent, e.g. MESSAGE_FEEDBACK_REQUEST */
    uint64_t deadline_ms; /* monotonic */
    size_t enough;        /* answers; 0: all that were asked */
    size_t count;
    struct {
        pubkey_t member;
        digest_t statement; /* that it was sent */
        reply_t reply;
    } asked[LIMIT_MEMBERS];
} request_t;

/* A request that nobody was asked yet. */
void request_init (request_t *self, const digest_t *id, unsigned kind, size_t enough, uint64_t deadline_ms);

/* Notes that `member` was sent `statement`. 0, ERROR_CONFLICT (asked before) or ERROR_BOUND (LIMIT_MEMBERS were asked). */
int request_ask (request_t *self, const pubkey_t *member, const digest_t *statement);

/* Notes what came of a member, `reply` being any but WAITING. `statement` is the one that its reply names; NULL when SILENT is
 * noted for a member that was lost or revoked. Returns 0 if it counts, else ERROR_STRANGER (not asked), ERROR_MISMATCH (not
 * what it was asked), ERROR_REPLAYED (its outcome stands already), or ERROR_TIMEOUT (the deadline passed). */
int request_mark (request_t *self, const pubkey_t *member, const digest_t *statement, reply_t reply,
                  uint64_t now_ms);

/* True if nothing more is waited for. From the deadline on, who is still waited for is SILENT. */
bool request_done (request_t *self, uint64_t now_ms);

/* When to look again if nothing arrives: the deadline; UINT64_MAX if nothing is waited for. */
uint64_t request_deadline (const request_t *self);

/* How many stand so. */
size_t request_count (const request_t *self, reply_t reply);

#endif
