/* SPDX-License-Identifier: MPL-2.0 */
/* Our ZAP handler (https://rfc.zeromq.org/spec/27/): libzmq asks it at each handshake whether that key may link.
 * czmq's zauth overflows its heap on long certificates, rescans its directory at each lookup and gives no
 * User-Id for keys without a file; without any handler, CURVE admits everyone. */
#ifndef EVOMESH_NODE_IO_ZAP_H
#define EVOMESH_NODE_IO_ZAP_H

#include <czmq.h>

#include "crypto/identity.h"

#define ZAP_DOMAIN_RPC "rpc"
#define ZAP_DOMAIN_PUB "pub"

typedef enum {
    ZAP_ADMITTED = 200,
    ZAP_LATER = 300,  /* silently cut off; the client tries again */
    ZAP_DENIED = 400, /* told so; the client never tries again by itself */
    ZAP_BROKEN = 500
} zap_status_t;

/* One question. Borrowed for the call. */
typedef struct {
    const char *domain;
    const char *address;   /* of the one who wants in: an IP address */
    const pubkey_t *curve; /* the key that it proved to hold; NULL under another mechanism than CURVE */
} zap_question_t;
typedef zap_status_t (zap_judge_fn) (void *context, const zap_question_t *question);

typedef struct zap zap_t;

/* Starts the handler in that ZeroMQ context: before any socket binds there. The messages of an admitted link carry its key
 * as User-Id (pubkey_text). NULL if the context has a handler already. */
zap_t *zap_new (void *zmq_context, zloop_t *loop, zap_judge_fn *judge, void *judge_context);
void zap_destroy (zap_t **self_p);

#endif
