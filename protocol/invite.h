/* SPDX-License-Identifier: MPL-2.0 */
/* The invite token: one printable string that lets one machine in. "evomesh1" and the base32 of an invite record and
 * its checksum (the first 4 bytes of its digest), so that a mistyped one is told from an expired one. */
#ifndef EVOMESH_PROTOCOL_INVITE_H
#define EVOMESH_PROTOCOL_INVITE_H

#include "protocol/message.h"

#define INVITE_FIELDS(F, L, R)                                                \
    F (R, DIGEST, group, 0)                                                   \
    F (R, KEY, issuer, 0)      /* Ed25519 */                                  \
    F (R, KEY, server, 0)      /* the issuer's link key */                    \
    F (R, DIGEST, seed, 0)     /* of the one-time client link key */          \
    F (R, UINT, expires_ms, 0) /* UTC */                                      \
    F (R, UINT, uses, LIMIT_INVITE_USES)                                      \
    F (R, KEY, bound_to, 0) /* the only identity that it admits; zero: any */ \
    L (R, address, addresses, LIMIT_ENDPOINTS)
RECORD_STRUCT (invite, INVITE_FIELDS);

#define INVITE_TEXT_MAX 4096

/* Writes the token, NUL-terminated: at most INVITE_TEXT_MAX with the terminator. Returns 0, ERROR_BOUND (`size` is too
 * small) or ERROR_MEMORY. */
int invite_text (const invite_t *invite, char *text, size_t size);

/* Reads a token (space around it is ignored); the record's texts live in `buffer`, its list in `arena`, both empty before and
 * cleared on failure. The problem says what is wrong: not a token, cut short or mistyped (checksum), another version, a field.
 * 0, ERROR_INPUT, ERROR_VERSION, ERROR_MEMORY, or what record_decode returns. Expiry is the caller's to judge. */
int invite_parse (const char *text, invite_t *invite, buffer_t *buffer, arena_t *arena, problem_t *problem);

#endif
