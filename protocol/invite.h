/* SPDX-License-Identifier: MPL-2.0 */
/* The invite token: one printable string that lets one machine in. "evomesh1" and the base32 of an invite record with a
 * checksum, so that a mistyped one is told from an expired one. */
#ifndef EVOMESH_PROTOCOL_INVITE_H
#define EVOMESH_PROTOCOL_INVITE_H

#include "protocol/message.h"

#define INVITE_FIELDS(F, L, R) \
    F (R, DIGEST, group, 0) \
    F (R, KEY, issuer, 0)      /* Ed25519 */ \
    F (R, KEY, server, 0)      /* the issuer's link key */ \
    F (R, DIGEST, seed, 0)     /* of the one-time client link key */ \
    F (R, UINT, expires_ms, 0) /* UTC */ \
    F (R, UINT, uses, LIMIT_MEMBERS) \
    F (R, KEY, bound_to, 0)    /* the only identity that it admits; zero: any */ \
    L (R, address, addresses, LIMIT_ENDPOINTS)
RECORD_STRUCT (invite, INVITE_FIELDS);

#define INVITE_TEXT_MAX 4096

/* Writes the token, NUL-terminated. Returns 0 or ERROR_BOUND. */
int invite_text (const invite_t *invite, char *text, size_t size);

/* Reads a token; the record's texts live in `buffer`, its list in `arena`. The problem says what is wrong: not a token, cut
 * short or mistyped (checksum), another version, a field. Expiry is the caller's to judge. */
int invite_parse (const char *text, invite_t *invite, buffer_t *buffer, arena_t *arena, problem_t *problem);

#endif
