/* SPDX-License-Identifier: MPL-2.0 */
/* The fetcher: the effect FETCH_CONTENT. Brings a content from a peer into the store, over the mesh; with `tree` also every file
 * that the content, an encoded tree, lists and the store lacks. What is here already isn't fetched again.
 *
 *   start ──▶ MANIFEST ──fetched, not a tree──────────────────────────▶ FETCHED (result 0)
 *                │ └────fetched, a tree──▶ FILES ──each file here────▶ FETCHED (result 0)
 *                └──not to be had, too large, no tree, late─┴─────────▶ FETCHED (result 1)
 *
 * Bounds: LIMIT_OPERATIONS fetches at once (one more ends at once with result 1); a content that goes into the event has
 * LIMIT_PACKAGE_BYTES at most; a tree lists LIMIT_EVOLVE_FILES files of LIMIT_FILE_BYTES at most, each exactly as large as
 * it says. */
#ifndef EVOMESH_NODE_FETCHER_H
#define EVOMESH_NODE_FETCHER_H

#include "node/ports.h"

typedef struct fetcher fetcher_t;

/* A fetch ended: the event's fields, borrowed for the call. */
typedef void (fetcher_done_fn) (void *context, const fetched_t *event);

/* `ports` (its content functions) and `mesh` are borrowed; NULL only when out of memory. */
fetcher_t *fetcher_new (const ports_t *ports, fetcher_done_fn *done, void *context);
void fetcher_destroy (fetcher_t **self_p);

/* Starts a fetch; `done` may be called from within. */
void fetcher_start (fetcher_t *self, mesh_t *mesh, const fetch_content_t *effect, uint64_t now_ms,
                    uint64_t wall_ms, mesh_outputs_t *out);

/* Takes a MESH_FETCHED. Returns 0 or what the store failed with. */
int fetcher_fetched (fetcher_t *self, mesh_t *mesh, const mesh_output_t *fetched, uint64_t now_ms,
                     uint64_t wall_ms, mesh_outputs_t *out);

/* Ends a fetch without a word, here and in the mesh; false if there is none of that operation. */
bool fetcher_cancel (fetcher_t *self, mesh_t *mesh, uint64_t operation);

/* How many fetches are under way. */
size_t fetcher_count (const fetcher_t *self);

#endif
