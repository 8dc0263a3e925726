/* SPDX-License-Identifier: MPL-2.0 */
/* What `group join` says to the issuer of its token, over one blocking link: ask to join, fetch contents by hash, leave. */
#ifndef EVOMESH_NODE_CLI_JOIN_LINK_H
#define EVOMESH_NODE_CLI_JOIN_LINK_H

#include "node/cli/own.h"
#include "node/io/bus.h"
#include "protocol/invite.h"

/* Live sequence numbers that a join may use, reserved on disk beforehand. An agent of LIMIT_AGENT_BYTES takes about 3000. */
#define JOIN_SEQ_RESERVED (8 * SEQ_BLOCK)

typedef struct {
    const own_t *own;
    const invite_t *invite;
    bus_client_t *client;
    uint64_t epoch;   /* of the roster that we are in; 0 before */
    uint64_t seq;     /* the next to use (odd) */
    uint64_t seq_end; /* of those reserved */
    size_t address;   /* of the invite, that answers */
} join_link_t;

/* Reserves sequence numbers. */
int join_link_open (join_link_t *self, const own_t *own, const invite_t *invite);
void join_link_close (join_link_t *self);

/* Asks to be let in, at each of the invite's addresses until one answers. On success `answer` holds the MEMBERSHIP, whose bytes are
 * `*body` (both for the caller to clear), signed by the issuer. */
int join_link_request (join_link_t *self, message_t *answer, uint8_t **body);

/* Links again, now with the node's own link key, as a member at `epoch`. */
int join_link_enter (join_link_t *self, uint64_t epoch);

/* Fetches a content in chunks, checks its hash, and puts it into the store. `bound` is how long it may be. */
int join_link_fetch (join_link_t *self, const digest_t *content, size_t bound);

/* Says goodbye, and waits a little until the issuer has it; false if it doesn't say so. */
bool join_link_leave (join_link_t *self, const char *reason);

#endif
