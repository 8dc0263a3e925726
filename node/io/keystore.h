/* SPDX-License-Identifier: MPL-2.0 */
/* A node's keys on disk and in memory: the file `identity` (mode 0600), locked by a passphrase if there is one, and pages
 * that don't go to swap or into core dumps where the system allows. */
#ifndef EVOMESH_NODE_IO_KEYSTORE_H
#define EVOMESH_NODE_IO_KEYSTORE_H

#include "crypto/identity.h"
#include "protocol/error.h"

typedef struct keystore keystore_t;

/* The passphrase comes from the first line of `passphrase_file`, else of the file that $EVOMESH_PASSPHRASE_FILE names; with
 * neither there is none. */

/* Draws new keys and writes them below `directory`, whole or not at all. A file that is there is never replaced. NULL on
 * failure, with the problem. */
keystore_t *keystore_create (const char *directory, const char *passphrase_file, problem_t *problem);

/* Reads the keys. Refuses a file that others may read, that is no regular file, is damaged, or wants another passphrase. */
keystore_t *keystore_load (const char *directory, const char *passphrase_file, problem_t *problem);

/* Wipes the keys. */
void keystore_destroy (keystore_t **self_p);

/* Borrowed, as long as the keystore is there. */
const identity_t *keystore_identity (const keystore_t *self);
const curve_t *keystore_curve (const keystore_t *self);

/* False where the system granted no locked memory (RLIMIT_MEMLOCK), so that keys could be swapped out. */
bool keystore_is_locked_in_memory (const keystore_t *self);

/* Fills `size` bytes from the system's random source: seeds for the core's streams and for one-time keys. */
void keystore_random (void *out, size_t size);

#endif
