/* SPDX-License-Identifier: MPL-2.0 */
/* What the processes of a measured round share. */
#ifndef EVOMESH_TESTS_BENCH_ROUND_H
#define EVOMESH_TESTS_BENCH_ROUND_H

#include <stdatomic.h>

#include "tests/bench/subject.h"

#define ROUND_PEERS_MAX 20

/* One page that all processes see: where each listens. The asker is number 0. */
typedef struct {
    struct {
        char rpc[LIMIT_ENDPOINT + 1];
        char pub[LIMIT_ENDPOINT + 1];
        atomic_bool bound;
        char bare[LIMIT_ENDPOINT + 1]; /* of its echo */
        atomic_bool bare_bound;
    } nodes[ROUND_PEERS_MAX + 1];
} board_t;

/* --- round_bare.c: the same exchange with nothing but ZeroMQ --- */

/* Runs a peer's echo for ever: ROUTER under CURVE, each request answered at once with a reply of the size that it asks for. */
_Noreturn void bare_echo (const clan_t *clan, size_t number, board_t *board);

typedef struct bare bare_t; /* the asker's side: one DEALER a peer; lives as long as the process */
bare_t *bare_new (const clan_t *clan, const board_t *board);
/* Sends a request to each peer, of those sizes, and waits for `needed` replies: the milliseconds. The rest is taken in
 * afterwards. */
double bare_round (bare_t *self, size_t request_size, size_t reply_size, size_t needed);

#endif
