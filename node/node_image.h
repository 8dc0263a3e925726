/* SPDX-License-Identifier: MPL-2.0 */
/* The two halves of a node's image (protocol/image.h), for node/node_image*.c only. */
#ifndef EVOMESH_NODE_NODE_IMAGE_H
#define EVOMESH_NODE_NODE_IMAGE_H

#include "node/node_state.h"
#include "protocol/image.h"

/* --- node_image.c --- */
void image_digest (image_t *image, digest_t *digest);
void image_key (image_t *image, pubkey_t *key);

/* --- node_image_life.c: what is under way, and what became of what was; checks that its parts fit together --- */
void image_life (node_t *self, image_t *image);

#endif
